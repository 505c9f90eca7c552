import MultiprocessingSystem

/// A place where a number of processes, tasks or threads wait for one another.
///
/// ```swift
/// let everybody = try SharedBarrier(parties: 4)
/// let crew = try Crew(.processes, workers: 4, everybody) { everybody in
///     loadPart()
///     _ = try await everybody.wait(timeout: .seconds(60))
///     // All four have loaded theirs.
/// }
/// ```
///
/// It travels like any value; a copy is the same barrier. When as many wait as it has parties, all of them go on, and
/// it can be used again.
///
/// It breaks when one of those who wait dies, is cancelled, or has waited for as long as it said, and by ``abort()``.
/// Then nobody is left waiting: all throw ``SharedStateError/Code/barrierBroken``, until ``reset()``.
public struct SharedBarrier: Portable, Hashable {
    private let place: SharedSlot

    /// Makes a barrier.
    ///
    /// - Parameter parties: How many have to wait at it; from 1 to 32,767.
    /// - Throws: ``SharedStateError`` with the code ``SharedStateError/Code/invalidArgument``, or if the system has no
    ///   memory or descriptors left.
    public init(parties: Int) throws {
        guard (1...BarrierState.limit).contains(parties) else {
            throw SharedStateError(
                .invalidArgument, "a barrier of \(parties) parties; it takes from 1 to \(BarrierState.limit)")
        }
        place = try SharedSlot.make(
            .barrier, size: BarrierTable.size(parties: parties), name: "multiprocessing-barrier")
        table.parties.store(UInt32(parties))
    }

    private var table: BarrierTable { BarrierTable(place.pointer) }

    /// How many have to wait at it.
    public var parties: Int { Int(table.parties.load()) }

    /// How many wait at it now.
    public var waitingCount: Int { table.state.isBroken ? 0 : table.state.arrived }

    /// Whether it is broken.
    public var isBroken: Bool { table.state.isBroken }

    /// Waits for the others; blocks the calling thread.
    ///
    /// - Parameter timeout: How long to wait before the barrier breaks; `nil` without a limit.
    /// - Returns: A number below ``parties``, to each one another: the order in which they came.
    /// - Throws: ``SharedStateError`` with the code ``SharedStateError/Code/timedOut`` or
    ///   ``SharedStateError/Code/barrierBroken``; `CancellationError`, which breaks it too.
    @discardableResult
    public func wait(timeout: Duration? = nil) throws -> Int {
        let page = try SharedStateError.catching { () throws(SystemError) in try LifePage.current }
        if try table.lock.enterAgain() != nil { table.lock.markRecovered() }
        let (round, index, isLast) = try arrive(page)
        if isLast { return index }
        do {
            let ending = try SharedWait.block(timeout) { table.look(round, $0, page) }
            return try finish(round, index, ending, timeout)
        } catch is CancellationError {
            return try cancelled(round, index)
        }
    }

    /// Waits for the others; suspends the task.
    ///
    /// - Parameter timeout: How long to wait before the barrier breaks; `nil` without a limit.
    /// - Returns: A number below ``parties``, to each one another: the order in which they came.
    /// - Throws: ``SharedStateError`` with the code ``SharedStateError/Code/timedOut`` or
    ///   ``SharedStateError/Code/barrierBroken``; `CancellationError`, which breaks it too.
    @discardableResult
    nonisolated(nonsending) public func wait(timeout: Duration? = nil) async throws -> Int {
        let page = try SharedStateError.catching { () throws(SystemError) in try LifePage.current }
        if try await table.lock.suspendToEnterAgain(keeping: place) != nil { table.lock.markRecovered() }
        let (round, index, isLast) = try arrive(page)
        if isLast { return index }
        do {
            let table = table
            let ending = try await SharedWait.suspend(timeout, keeping: place, on: table.word, exclusively: false) {
                table.look(round, $0, page)
            }
            return try finish(round, index, ending, timeout)
        } catch is CancellationError {
            return try cancelled(round, index)
        }
    }

    /// Breaks the barrier: all who wait throw, and so does whoever waits later, until ``reset()``.
    public func abort() { _ = table.breakUp(in: nil) }

    /// Makes the barrier usable again; who waits at it throws ``SharedStateError/Code/barrierBroken``.
    ///
    /// Blocks for no longer than another one needs to arrive.
    ///
    /// - Throws: ``SharedStateError`` if the system refuses what sharing takes.
    public func reset() throws {
        if try table.lock.enterAgain() != nil { table.lock.markRecovered() }
        table.reset()
        table.lock.unlock()
    }

    /// Arrives, and lets the lock go.
    private func arrive(_ page: LifePage) throws -> (round: UInt32, index: Int, isLast: Bool) {
        let arrived = table.arrive(page.number)
        table.lock.unlock()
        guard let arrived else { throw Self.broken }
        if arrived.isLast { table.word.wakeAll() }
        return arrived
    }

    private func finish(
        _ round: UInt32, _ index: Int, _ ending: BarrierTable.Ending?, _ timeout: Duration?
    ) throws -> Int {
        switch ending {
        case .complete: return index
        case .broken: throw Self.broken
        case nil:
            if table.endingAfterGivingUp(round) == .complete { return index }
            throw SharedStateError.timedOut("not all came to the barrier, which is broken now,", after: timeout)
        }
    }

    private func cancelled(_ round: UInt32, _ index: Int) throws -> Int {
        if table.endingAfterGivingUp(round) == .complete { return index }
        throw CancellationError()
    }

    private static var broken: SharedStateError {
        SharedStateError(
            .barrierBroken,
            """
            the barrier is broken: it was aborted or reset, or one who waited at it died, was cancelled or gave up; \
            reset it to use it again
            """)
    }
}

extension SharedBarrier {
    /// Writes the handle; the encoder has to be one of this library's.
    public func encode(to encoder: any Encoder) throws { try encoder.encode(shared: place.object, for: self) }

    /// Finds the barrier that was sent.
    public init(from decoder: any Decoder) throws {
        let object = try decoder.sharedObject(.barrier, for: Self.self)
        let place = try SharedSlot(checking: object, size: BarrierTable.size(parties: 1))
        self.place = try SharedSlot(
            checking: object, size: BarrierTable.size(parties: Int(BarrierTable(place.pointer).parties.load())))
    }
}

extension SharedBarrier: CustomStringConvertible {
    /// How many of how many have come.
    public var description: String {
        "SharedBarrier(\(isBroken ? "broken" : "\(waitingCount) of \(parties)"))"
    }
}

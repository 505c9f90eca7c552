import MultiprocessingSystem

/// A number of permits that processes acquire and release.
///
/// It travels like any value; a copy is the same semaphore.
///
/// A *bounded* one, as it is unless said otherwise, knows who holds its permits: those of a process that dies come
/// back, and only a process that holds one can release one, on any of its threads.
///
/// ```swift
/// let connections = try SharedSemaphore(4)
/// try await pool.forEach(urls) { url in
///     try connections.withPermit { try download(url) }
/// }
/// ```
///
/// One that is not bounded is a counter: anybody may release, also more than there were, which suits counting what is
/// ready. What a process has acquired and died with is gone.
public struct SharedSemaphore: Portable, Hashable {
    private let place: SharedSlot

    /// Makes a semaphore.
    ///
    /// - Parameters:
    ///   - permits: How many there are at first, zero or more.
    ///   - isBounded: Whether there are never more, and those of the dead come back.
    /// - Throws: ``SharedStateError`` with the code ``SharedStateError/Code/invalidArgument``, or if the system has no
    ///   memory or descriptors left.
    public init(_ permits: Int, isBounded: Bool = true) throws {
        guard (0...PermitCount.limit).contains(permits) else {
            throw SharedStateError(
                .invalidArgument, "a semaphore of \(permits) permits; it takes from 0 to \(PermitCount.limit)")
        }
        place = try SharedSlot.make(.semaphore, size: SemaphoreTable.size, name: "multiprocessing-semaphore")
        if isBounded {
            table.total.store(UInt32(permits))
            table.isBounded.store(1)
        } else {
            word.store(UInt32(permits))
        }
    }

    /// Whether there are never more permits than at first.
    public var isBounded: Bool { table.isBounded.load() != 0 }

    private var table: SemaphoreTable { SemaphoreTable(place.pointer) }
    private var word: FutexWord { table.permits }

    /// How many permits can be had, which may have changed already; a death is seen only by who acquires.
    public var available: Int { isBounded ? table.available : PermitCount(rawValue: word.load()).count }

    /// What the waiters of this process sleep on.
    private var sleepWord: FutexWord { isBounded ? table.changes : word }

    // MARK: With a permit

    /// Runs `body` with a permit, and returns what it returns; blocks the calling thread while there is none.
    ///
    /// - Parameters:
    ///   - timeout: How long to wait; `nil` without a limit.
    ///   - body: What is to be done.
    /// - Throws: ``SharedStateError`` with the code ``SharedStateError/Code/timedOut``; `CancellationError`; and what
    ///   `body` throws.
    public func withPermit<Result>(timeout: Duration? = nil, _ body: () throws -> Result) throws -> Result {
        try acquire(timeout: timeout)
        return try releasing { try body() }
    }

    /// Runs `body` with a permit, and returns what it returns; suspends the task while there is none.
    ///
    /// - Parameters:
    ///   - timeout: How long to wait; `nil` without a limit.
    ///   - body: What is to be done.
    /// - Throws: ``SharedStateError`` with the code ``SharedStateError/Code/timedOut``; `CancellationError`; and what
    ///   `body` throws.
    nonisolated(nonsending) public func withPermit<Result>(
        timeout: Duration? = nil, _ body: () throws -> Result
    ) async throws -> Result {
        try await acquire(timeout: timeout)
        return try releasing { try body() }
    }

    /// Runs `body` with a permit, also while it is suspended, and returns what it returns; suspends the task while
    /// there is none.
    ///
    /// - Parameters:
    ///   - timeout: How long to wait; `nil` without a limit.
    ///   - body: What is to be done.
    /// - Throws: ``SharedStateError`` with the code ``SharedStateError/Code/timedOut``; `CancellationError`; and what
    ///   `body` throws.
    nonisolated(nonsending) public func withPermit<Result>(
        timeout: Duration? = nil, _ body: () async throws -> Result
    ) async throws -> Result {
        try await acquire(timeout: timeout)
        let result: Result
        do {
            result = try await body()
        } catch {
            try? release()
            throw error
        }
        try release()
        return result
    }

    private func releasing<Result>(_ body: () throws -> Result) throws -> Result {
        let result: Result
        do {
            result = try body()
        } catch {
            try? release()
            throw error
        }
        try release()
        return result
    }

    // MARK: Acquiring

    /// Acquires a permit; blocks the calling thread while there is none.
    ///
    /// - Parameter timeout: How long to wait; `nil` without a limit.
    /// - Throws: ``SharedStateError`` with the code ``SharedStateError/Code/timedOut``; `CancellationError`.
    public func acquire(timeout: Duration? = nil) throws {
        if try tryAcquire() { return }
        let page = try page()
        guard let result = try SharedWait.block(timeout, { look($0, page) }) else { throw late(timeout) }
        try result.get()
    }

    /// Acquires a permit; suspends the task while there is none.
    ///
    /// - Parameter timeout: How long to wait; `nil` without a limit.
    /// - Throws: ``SharedStateError`` with the code ``SharedStateError/Code/timedOut``; `CancellationError` if the task
    ///   was cancelled while it waited, and then it has no permit.
    nonisolated(nonsending) public func acquire(timeout: Duration? = nil) async throws {
        if try tryAcquire() { return }
        let page = try page()
        let found = try await SharedWait.suspend(timeout, keeping: place, on: sleepWord, exclusively: true) {
            look($0, page)
        }
        guard let found else { throw late(timeout) }
        try found.get()
    }

    /// Acquires a permit if there is one; does not wait for one.
    ///
    /// - Returns: `false` if there is none.
    /// - Throws: ``SharedStateError`` if the system refuses what sharing takes, or with the code
    ///   ``SharedStateError/Code/tooManyProcesses`` if more than 8,000 live processes have used it.
    public func tryAcquire() throws -> Bool {
        guard isBounded else { return takeFromCount(hasSlept: false) }
        let page = try page()
        try enter(page)
        defer { table.lock.unlock() }
        return try table.take(page, isUnprompted: false)
    }

    /// Releases a permit, and has one who waits go on.
    ///
    /// - Throws: ``SharedStateError`` with the code ``SharedStateError/Code/notHeld`` if the semaphore is bounded and
    ///   this process holds none of its permits.
    public func release() throws {
        guard isBounded else { return try addToCount() }
        let page = try page()
        try enter(page)
        let isDone = table.giveBack(page)
        let interest = isDone ? table.tellOfChange() : nil
        table.lock.unlock()
        guard isDone else { throw SharedStateError.notHeld("a permit of the semaphore") }
        guard let interest, !table.changes.wakeOne() else { return }
        try enter(page)
        table.forgetInterest(interest)
        table.lock.unlock()
    }

    private func page() throws(SharedStateError) -> LifePage {
        try SharedStateError.catching { () throws(SystemError) in try LifePage.current }
    }

    private func late(_ timeout: Duration?) -> SharedStateError {
        .timedOut("the semaphore had no permit", after: timeout)
    }

    /// Takes the lock of the table, which nobody has for long.
    private func enter(_ page: LifePage) throws(SharedStateError) {
        if try table.lock.enterAgain() != nil { recovered(page) }
    }

    private func recovered(_ page: LifePage) {
        table.recount(page, isForced: true)
        table.lock.markRecovered()
    }

    // MARK: Waiting

    private typealias Found = Swift.Result<Void, SharedStateError>

    private func look(_ round: WaitRound, _ page: LifePage) -> Look<Found> {
        isBounded ? lookAtTable(round, page) : lookAtCount(round)
    }

    private func lookAtTable(_ round: WaitRound, _ page: LifePage) -> Look<Found> {
        let changes = table.changes.load()
        // One who is stopped with the lock must not keep all others of this process from looking.
        let briefly = Look<Found>.sleep(on: table.changes, while: changes, atMost: 1_000_000)
        do throws(SharedStateError) {
            guard let taken = try table.lock.tryEnter() else { return briefly }
            if taken.previousOwner != nil { recovered(page) }
            defer { table.lock.unlock() }
            // Others may sleep, and may not be told of what is left.
            if try table.take(page, isUnprompted: round.isUnprompted) {
                if round.hasSlept {
                    table.noteInterest()
                    if table.available > 0 { table.changes.wake(1) }
                }
                return .done(.success(()))
            }
            table.noteInterest()
            return .sleep(on: table.changes, while: changes)
        } catch {
            return .done(.failure(error))
        }
    }

    private func lookAtCount(_ round: WaitRound) -> Look<Found> {
        if takeFromCount(hasSlept: round.hasSlept) { return .done(.success(())) }
        var state = PermitCount(rawValue: word.load())
        while state.count == 0 {
            let (isMarked, original) = word.compareExchange(
                expected: state.rawValue, desired: state.waiting.rawValue)
            if isMarked { return .sleep(on: word, while: state.waiting.rawValue) }
            state = PermitCount(rawValue: original)
        }
        return lookAtCount(round)
    }

    private func takeFromCount(hasSlept: Bool) -> Bool {
        var state = PermitCount(rawValue: word.load())
        while let next = state.taking(hasSlept: hasSlept) {
            let (isDone, original) = word.compareExchange(expected: state.rawValue, desired: next.rawValue)
            if isDone {
                if hasSlept, next.count > 0 { word.wake(1) }
                return true
            }
            state = PermitCount(rawValue: original)
        }
        return false
    }

    private func addToCount() throws {
        var state = PermitCount(rawValue: word.load())
        while let next = state.adding {
            let (isDone, original) = word.compareExchange(expected: state.rawValue, desired: next.rawValue)
            if isDone {
                if state.hasWaiters { word.wake(1) }
                return
            }
            state = PermitCount(rawValue: original)
        }
        throw SharedStateError(
            .invalidArgument, "the semaphore has \(PermitCount.limit) permits, the most; acquire some first")
    }
}

extension SharedSemaphore {
    /// Writes the handle; the encoder has to be one of this library's.
    public func encode(to encoder: any Encoder) throws { try encoder.encode(shared: place.object, for: self) }

    /// Finds the semaphore that was sent.
    public init(from decoder: any Decoder) throws {
        place = try SharedSlot(
            checking: try decoder.sharedObject(.semaphore, for: Self.self), size: SemaphoreTable.size)
    }
}

extension SharedSemaphore: CustomStringConvertible {
    /// How many permits can be had.
    public var description: String { "SharedSemaphore(\(available) available)" }
}

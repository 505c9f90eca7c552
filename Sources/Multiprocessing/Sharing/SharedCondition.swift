import MultiprocessingSystem

/// Waiting, under a lock, until something that processes share has changed.
///
/// It travels like any value, and its lock with it; a copy is the same condition. All is done with the lock held.
///
/// ```swift
/// let lock = try SharedLock()
/// let changed = try SharedCondition(lock)
/// // In one process:
/// try lock.withLock {
///     try changed.wait(until: { box.load() > 0 })
/// }
/// // In another:
/// try lock.withLock {
///     box.store(1)
///     try changed.notify()
/// }
/// ```
///
/// The form that takes a predicate also looks again when some process has died, which may have been notified in
/// another's place; the one without cannot know.
public struct SharedCondition: Portable, Hashable {
    private let place: SharedSlot

    /// The lock to be held by whoever waits and notifies.
    public let lock: SharedLock

    /// Makes a condition.
    ///
    /// - Parameter lock: To be held by whoever waits and notifies.
    /// - Throws: ``SharedStateError`` if the system has no memory or descriptors left.
    public init(_ lock: SharedLock) throws {
        self.lock = lock
        place = try SharedSlot.make(.condition, size: ConditionTable.size, name: "multiprocessing-condition")
    }

    private var table: ConditionTable { ConditionTable(place.pointer) }

    // MARK: Notifying

    /// Has some of those who wait go on, those first who came first; nothing if nobody waits.
    ///
    /// They go on when the lock is free.
    ///
    /// - Parameter n: How many, zero or more.
    /// - Throws: ``SharedStateError`` with the code ``SharedStateError/Code/notHeld`` if this process does not have the
    ///   lock, or ``SharedStateError/Code/invalidArgument``.
    public func notify(_ n: Int = 1) throws {
        guard n >= 0 else { throw SharedStateError(.invalidArgument, "\(n) to notify; it takes zero or more") }
        table.notify(n, try holding())
    }

    /// Has all who wait go on.
    ///
    /// - Throws: ``SharedStateError`` with the code ``SharedStateError/Code/notHeld`` if this process does not have the
    ///   lock.
    public func notifyAll() throws { table.notify(.max, try holding()) }

    /// The page of this process, which has the lock.
    private func holding() throws(SharedStateError) -> LifePage {
        guard lock.isMine else { throw .notHeld("the condition's lock") }
        return try SharedStateError.catching { () throws(SystemError) in try LifePage.current }
    }

    // MARK: Waiting

    /// Waits until `predicate` is true; blocks the calling thread, and lets the lock go meanwhile.
    ///
    /// - Parameters:
    ///   - predicate: Asked with the lock held, at first and whenever somebody notifies or a process dies.
    ///   - timeout: How long to wait; `nil` without a limit.
    /// - Returns: What `predicate` said last: `false` if the time has passed.
    /// - Throws: ``SharedStateError`` with the code ``SharedStateError/Code/notHeld`` without the lock, or
    ///   ``SharedStateError/Code/ownerDied`` if a process has died with it meanwhile; `CancellationError`; what
    ///   `predicate` throws. The lock is held again whatever is thrown.
    @discardableResult
    public func wait(until predicate: () throws -> Bool, timeout: Duration? = nil) throws -> Bool {
        let deadline = timeout.map { MonotonicTime.now().advanced(by: $0) }
        let page = try holding()
        while true {
            let deaths = page.deaths.load()
            if try predicate() { return true }
            if try sleep(page, deadline, deaths) == nil { return try predicate() }
        }
    }

    /// Waits until `predicate` is true; suspends the task, and lets the lock go meanwhile.
    ///
    /// - Parameters:
    ///   - predicate: Asked with the lock held, at first and whenever somebody notifies or a process dies.
    ///   - timeout: How long to wait; `nil` without a limit.
    /// - Returns: What `predicate` said last: `false` if the time has passed.
    /// - Throws: ``SharedStateError`` with the code ``SharedStateError/Code/notHeld`` without the lock, or
    ///   ``SharedStateError/Code/ownerDied`` if a process has died with it meanwhile; `CancellationError`; what
    ///   `predicate` throws. The lock is held again whatever is thrown.
    @discardableResult
    nonisolated(nonsending) public func wait(
        until predicate: () throws -> Bool, timeout: Duration? = nil
    ) async throws -> Bool {
        let deadline = timeout.map { MonotonicTime.now().advanced(by: $0) }
        let page = try holding()
        while true {
            let deaths = page.deaths.load()
            if try predicate() { return true }
            if try await suspend(page, deadline, deaths) == nil { return try predicate() }
        }
    }

    /// Waits until `predicate` is true; suspends the task, and lets the lock go meanwhile.
    ///
    /// - Parameters:
    ///   - predicate: Asked with the lock held, also while it is suspended, at first and whenever somebody
    ///     notifies or a process dies.
    ///   - timeout: How long to wait; `nil` without a limit.
    /// - Returns: What `predicate` said last: `false` if the time has passed.
    /// - Throws: ``SharedStateError`` with the code ``SharedStateError/Code/notHeld`` without the lock, or
    ///   ``SharedStateError/Code/ownerDied`` if a process has died with it meanwhile; `CancellationError`; what
    ///   `predicate` throws. The lock is held again whatever is thrown.
    @discardableResult
    nonisolated(nonsending) public func wait(
        until predicate: () async throws -> Bool, timeout: Duration? = nil
    ) async throws -> Bool {
        let deadline = timeout.map { MonotonicTime.now().advanced(by: $0) }
        let page = try holding()
        while true {
            let deaths = page.deaths.load()
            if try await predicate() { return true }
            if try await suspend(page, deadline, deaths) == nil { return try await predicate() }
        }
    }

    /// Waits until somebody notifies; blocks the calling thread, and lets the lock go meanwhile.
    ///
    /// - Parameter timeout: How long to wait; `nil` without a limit.
    /// - Returns: `false` if nobody has notified in that time.
    /// - Throws: ``SharedStateError`` with the code ``SharedStateError/Code/notHeld`` without the lock, or
    ///   ``SharedStateError/Code/ownerDied`` if a process has died with it meanwhile; `CancellationError`. The lock is
    ///   held again whatever is thrown.
    @discardableResult
    public func wait(timeout: Duration? = nil) throws -> Bool {
        try sleep(try holding(), timeout.map { MonotonicTime.now().advanced(by: $0) }, nil) ?? false
    }

    /// Waits until somebody notifies; suspends the task, and lets the lock go meanwhile.
    ///
    /// - Parameter timeout: How long to wait; `nil` without a limit.
    /// - Returns: `false` if nobody has notified in that time.
    /// - Throws: ``SharedStateError`` with the code ``SharedStateError/Code/notHeld`` without the lock, or
    ///   ``SharedStateError/Code/ownerDied`` if a process has died with it meanwhile; `CancellationError`. The lock is
    ///   held again whatever is thrown.
    @discardableResult
    nonisolated(nonsending) public func wait(timeout: Duration? = nil) async throws -> Bool {
        try await suspend(try holding(), timeout.map { MonotonicTime.now().advanced(by: $0) }, nil) ?? false
    }

    /// Lets the lock go, sleeps, and takes it again; `nil` when the time has passed.
    ///
    /// - Parameter deaths: How many had been counted, if another one ends the sleep.
    private func sleep(_ page: LifePage, _ deadline: MonotonicTime?, _ deaths: UInt32?) throws -> Bool? {
        let entry = try table.enter(page)
        try lock.leave()
        let outcome = Result { () throws(SystemError) in
            try SharedWait.block(until: deadline) { entry.look($0, deaths: deaths) }
        }
        return try finish(outcome, entry, page, try lock.enterAgain())
    }

    nonisolated(nonsending) private func suspend(
        _ page: LifePage, _ deadline: MonotonicTime?, _ deaths: UInt32?
    ) async throws -> Bool? {
        let entry = try table.enter(page)
        try lock.leave()
        let outcome: Result<WaitOutcome<Bool>, SystemError>
        do {
            let place = place
            outcome = .success(
                try await SharedWait.suspend(on: entry.word, exclusively: false, until: deadline) { round in
                    withExtendedLifetime(place) { entry.look(round, deaths: deaths) }
                })
        } catch {
            outcome = .failure(error)
        }
        return try finish(outcome, entry, page, try await lock.suspendToEnterAgain())
    }

    /// What came of a sleep; with the lock.
    private func finish(
        _ outcome: Result<WaitOutcome<Bool>, SystemError>, _ entry: ConditionTable.Entry, _ page: LifePage,
        _ dead: DeadOwner?
    ) throws -> Bool? {
        let isNotified = entry.isNotified
        entry.leave()
        do {
            let outcome = try outcome.get()
            if let dead { throw SharedStateError.ownerDied(dead) }
            if case .cancelled = outcome { throw CancellationError() }
            if isNotified { return true }
            if case .done = outcome { return false }
            return nil
        } catch {
            // Another one goes on in its place.
            if isNotified { table.notify(1, page) }
            if let error = error as? SystemError { throw SharedStateError.system(error) }
            throw error
        }
    }
}

extension SharedCondition {
    private enum CodingKeys: CodingKey {
        case place
        case lock
    }

    /// The memory of a condition, as it travels.
    private struct Place: Codable {
        let slot: SharedSlot

        init(_ slot: SharedSlot) { self.slot = slot }

        func encode(to encoder: any Encoder) throws {
            try encoder.encode(shared: slot.object, for: "SharedCondition")
        }

        init(from decoder: any Decoder) throws {
            slot = try SharedSlot(
                checking: try decoder.sharedObject(.condition, for: SharedCondition.self), size: ConditionTable.size)
        }
    }

    /// Writes the handle; the encoder has to be one of this library's.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(lock, forKey: .lock)
        try container.encode(Place(place), forKey: .place)
    }

    /// Finds the condition that was sent.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        lock = try container.decode(SharedLock.self, forKey: .lock)
        place = try container.decode(Place.self, forKey: .place).slot
    }
}

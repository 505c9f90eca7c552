public import Distributed

/// Permits that processes and tasks take and give back.
///
/// ```swift
/// let connections = try await manager.semaphore(3)
/// try await pool.forEach(pages) { page in
///     try await connections.withPermit { try await download(page) }
/// }
/// ```
///
/// Permits that a process has when it dies are given back for it.
public distributed actor ManagedSemaphore {
    /// The system that its calls go through.
    public typealias ActorSystem = WorkerActorSystem

    private struct Holder {
        /// Kept, so that no other can have its identity meanwhile.
        let caller: ActorCaller
        var count: Int
        let ending: UInt64
    }

    private var free: Int
    private let limit: Int?
    private var holders: [ObjectIdentifier: Holder] = [:]
    private let line = WaitingLine()

    /// Makes a semaphore in this process.
    ///
    /// - Parameters:
    ///   - permits: How many there are.
    ///   - isBounded: Whether more than these can never be free.
    ///   - actorSystem: ``WorkerActorSystem/shared``, which a manager passes.
    /// - Throws: ``SharedStateError/Code/invalidArgument`` for a negative number.
    public init(_ permits: Int, isBounded: Bool = true, actorSystem: WorkerActorSystem) throws {
        free = permits
        limit = isBounded ? permits : nil
        self.actorSystem = actorSystem
        guard permits >= 0 else {
            throw SharedStateError(.invalidArgument, "a semaphore has no \(permits) permits; give it zero or more")
        }
    }

    /// Runs `body` with a permit.
    ///
    /// - Parameters:
    ///   - timeout: How long to wait for it; `nil` for ever.
    ///   - body: Runs where the caller runs.
    /// - Returns: What `body` returns.
    /// - Throws: What `body` and ``acquire(timeout:)`` throw.
    public nonisolated func withPermit<Result: Sendable>(
        timeout: Duration? = nil,
        _ body: @Sendable () async throws -> Result
    ) async throws -> Result {
        try await acquire(timeout: timeout)
        let result: Result
        do {
            result = try await body()
        } catch {
            try? await release()
            throw error
        }
        try await release()
        return result
    }

    /// Waits for a permit, and takes it.
    ///
    /// - Parameter timeout: How long to wait; `nil` for ever.
    /// - Throws: ``SharedStateError/Code/timedOut`` and `CancellationError`, without a permit.
    public distributed func acquire(timeout: Duration? = nil) async throws {
        if free > 0 { return give(to: ActorCaller.current) }
        try await line.wait(line.join(), timeout: timeout, "no permit became free")
    }

    /// Takes a permit if one is free.
    ///
    /// - Returns: Whether it did.
    public distributed func tryAcquire() -> Bool {
        guard free > 0 else { return false }
        give(to: ActorCaller.current)
        return true
    }

    /// Gives a permit back.
    ///
    /// - Throws: ``SharedStateError/Code/notHeld`` when a bounded semaphore has all that it can have.
    public distributed func release() throws {
        if let limit, free >= limit { throw SharedStateError.managedNotHeld("a permit of the semaphore") }
        if let caller = ActorCaller.current { drop(of: caller) }
        free += 1
        passOn()
    }

    /// How many permits are free.
    public nonisolated var permits: Int { get async throws { try await readPermits() } }

    distributed func readPermits() -> Int { free }

    private func passOn() {
        while free > 0, let next = line.admitFirst() { give(to: next) }
    }

    private func give(to caller: ActorCaller?) {
        free -= 1
        guard let caller else { return }
        let key = ObjectIdentifier(caller)
        if holders[key] != nil {
            holders[key]?.count += 1
        } else {
            let ending = caller.onEnd { [weak self] in Task { await self?.whenLocal { $0.holderDied(key) } } }
            holders[key] = Holder(caller: caller, count: 1, ending: ending)
        }
    }

    /// A permit less is had by a process; without effect for one of another.
    private func drop(of caller: ActorCaller) {
        let key = ObjectIdentifier(caller)
        guard let holder = holders[key] else { return }
        if holder.count > 1 {
            holders[key]?.count -= 1
        } else {
            holders[key] = nil
            caller.forget(holder.ending)
        }
    }

    private func holderDied(_ key: ObjectIdentifier) {
        guard let holder = holders.removeValue(forKey: key) else { return }
        free = min(free + holder.count, limit ?? .max)
        passOn()
    }
}

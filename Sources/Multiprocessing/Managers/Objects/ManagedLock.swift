public import Distributed

/// A lock that one process or task at a time has, of all that have a reference to it.
///
/// ```swift
/// let lock = try await manager.lock()
/// try await lock.withLock { try await resize(images) }
/// ```
///
/// It is not recursive, and who has acquired it need not be who releases it. When the process dies that acquired it,
/// those who come next are told by ``SharedStateError/Code/ownerDied`` until one calls ``markRecovered()``.
/// ``SharedLock`` is faster by far where no manager is needed.
public distributed actor ManagedLock {
    /// The system that its calls go through.
    public typealias ActorSystem = WorkerActorSystem

    private var ownership = Ownership()
    private let line = WaitingLine()

    /// Makes a lock in this process, which nobody has.
    ///
    /// - Parameter actorSystem: ``WorkerActorSystem/shared``, which a manager passes.
    public init(actorSystem: WorkerActorSystem) {
        self.actorSystem = actorSystem
    }

    /// Runs `body` with the lock.
    ///
    /// - Parameters:
    ///   - timeout: How long to wait for the lock; `nil` for ever.
    ///   - body: Runs where the caller runs.
    /// - Returns: What `body` returns.
    /// - Throws: What `body` and ``acquire(timeout:)`` throw.
    public nonisolated func withLock<Result: Sendable>(
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

    /// Waits for the lock, and takes it.
    ///
    /// - Parameter timeout: How long to wait; `nil` for ever.
    /// - Throws: ``SharedStateError/Code/timedOut`` and `CancellationError`, without the lock;
    ///   ``SharedStateError/Code/ownerDied``, without the lock, when who had it before died.
    public distributed func acquire(timeout: Duration? = nil) async throws {
        if ownership.isFree, !ownership.isAbandoned { return give(to: ActorCaller.current) }
        try checkAbandoned()
        try await line.wait(line.join(), timeout: timeout, "the lock was not released")
    }

    /// Takes the lock if nobody has it.
    ///
    /// - Returns: Whether it did.
    /// - Throws: ``SharedStateError/Code/ownerDied`` when who had it before died.
    public distributed func tryAcquire() throws -> Bool {
        try checkAbandoned()
        guard ownership.isFree else { return false }
        give(to: ActorCaller.current)
        return true
    }

    /// Gives the lock to who waits longest, or to nobody.
    ///
    /// - Throws: ``SharedStateError/Code/notHeld`` when nobody has it.
    public distributed func release() throws {
        guard !ownership.isFree else { throw SharedStateError.managedNotHeld("the lock") }
        ownership.take()
        passOn()
    }

    /// Lets the lock be acquired again after its owner died.
    public distributed func markRecovered() {
        ownership.recover()
        if ownership.isFree { passOn() }
    }

    /// Whether somebody has it.
    public nonisolated var isLocked: Bool { get async throws { try await readIsLocked() } }

    distributed func readIsLocked() -> Bool { !ownership.isFree }

    private func checkAbandoned() throws {
        if ownership.isAbandoned { throw SharedStateError.managedOwnerDied("the lock") }
    }

    private func passOn() {
        if let next = line.admitFirst() { give(to: next) }
    }

    private func give(to caller: ActorCaller?) {
        ownership.give(to: caller) { [weak self] in
            guard let caller else { return }
            Task { await self?.whenLocal { $0.ownerDied(caller) } }
        }
    }

    private func ownerDied(_ caller: ActorCaller) {
        guard ownership.isOwned(by: caller) else { return }
        ownership.abandon()
        line.failAll(SharedStateError.managedOwnerDied("the lock"))
    }
}

public import Distributed

/// A lock, and waiting for what its owners change.
///
/// ```swift
/// try await condition.acquire()
/// while try await queue.count == 0 { try await condition.wait() }
/// try await condition.release()
/// ```
public distributed actor ManagedCondition {
    /// The system that its calls go through.
    public typealias ActorSystem = WorkerActorSystem

    private var ownership = Ownership()
    private let lockLine = WaitingLine()
    private let line = WaitingLine()

    /// Makes a condition in this process, whose lock nobody has.
    ///
    /// - Parameter actorSystem: ``WorkerActorSystem/shared``, which a manager passes.
    public init(actorSystem: WorkerActorSystem) {
        self.actorSystem = actorSystem
    }

    /// Waits for the lock, and takes it.
    ///
    /// - Parameter timeout: How long to wait; `nil` for ever.
    /// - Throws: ``SharedStateError/Code/timedOut`` and `CancellationError`, without the lock. The lock of a process
    ///   that died is free.
    public distributed func acquire(timeout: Duration? = nil) async throws {
        if ownership.isFree { return give(to: ActorCaller.current) }
        try await lockLine.wait(lockLine.join(), timeout: timeout, "the condition's lock was not released")
    }

    /// Gives the lock to who waits longest for it, or to nobody.
    ///
    /// - Throws: ``SharedStateError/Code/notHeld`` when nobody has it.
    public distributed func release() throws {
        try checkHeld()
        passOn()
    }

    /// Releases the lock, waits until it is notified, and acquires the lock again.
    ///
    /// - Parameter timeout: How long to wait for the notification; `nil` for ever.
    /// - Returns: Whether it was notified; `false` when the time was up.
    /// - Throws: ``SharedStateError/Code/notHeld`` when nobody has the lock; `CancellationError`, with the lock.
    @discardableResult
    public distributed func wait(timeout: Duration? = nil) async throws -> Bool {
        try checkHeld()
        passOn()
        let result: Result<Void, any Error>
        do {
            result = .success(try await line.wait(line.join(), timeout: timeout, "the condition was not notified"))
        } catch {
            result = .failure(error)
        }
        // Whatever has come, the caller goes on with the lock.
        if ownership.isFree {
            give(to: ActorCaller.current)
        } else {
            try await lockLine.wait(
                lockLine.join(), timeout: nil, "the condition's lock was not released", isCancellable: false)
        }
        if case .failure(let error as SharedStateError) = result, error.code == .timedOut { return false }
        try result.get()
        return true
    }

    /// Lets some go on that wait, who then acquire the lock one after another.
    ///
    /// - Parameter count: How many at most.
    /// - Throws: ``SharedStateError/Code/notHeld`` when nobody has the lock.
    public distributed func notify(_ count: Int = 1) throws {
        try checkHeld()
        for _ in 0..<max(count, 0) where line.admitFirst() == nil { break }
    }

    /// Lets all go on that wait, who then acquire the lock one after another.
    ///
    /// - Throws: ``SharedStateError/Code/notHeld`` when nobody has the lock.
    public distributed func notifyAll() throws {
        try checkHeld()
        line.admitAll()
    }

    /// Whether somebody has the lock.
    public nonisolated var isLocked: Bool { get async throws { try await readIsLocked() } }

    distributed func readIsLocked() -> Bool { !ownership.isFree }

    /// How many wait to be notified.
    public nonisolated var waitingCount: Int { get async throws { try await readWaitingCount() } }

    distributed func readWaitingCount() -> Int { line.count }

    private func checkHeld() throws {
        if ownership.isFree { throw SharedStateError.managedNotHeld("the condition's lock") }
    }

    private func passOn() {
        ownership.take()
        if let next = lockLine.admitFirst() { give(to: next) }
    }

    private func give(to caller: ActorCaller?) {
        ownership.give(to: caller) { [weak self] in
            guard let caller else { return }
            Task { await self?.whenLocal { $0.ownerDied(caller) } }
        }
    }

    private func ownerDied(_ caller: ActorCaller) {
        if ownership.isOwned(by: caller) { passOn() }
    }
}

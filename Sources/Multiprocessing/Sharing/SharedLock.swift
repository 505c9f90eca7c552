import CMultiprocessing
import MultiprocessingSystem

/// A lock between processes: one of all that have it runs what it guards.
///
/// It travels like any value: captured by a closure, as an input or an output, or inside another `Codable` value, to
/// workers and from them, at any time. A copy is the same lock. On threads it works as well.
///
/// ```swift
/// let lock = try SharedLock()
/// try await pool.forEach(files) { file in
///     let text = try render(file)
///     try lock.withLock { try append(text, to: log) }
/// }
/// ```
///
/// When a process dies while it holds the lock, the next one gets it and is told: what the lock guards may be half
/// changed. Without `recover`, `withLock(timeout:recover:_:)` then throws ``SharedStateError/Code/ownerDied``, to
/// every caller until one has recovered.
///
/// The process is the owner and not the thread, so a task may hold the lock while it is suspended, and another thread
/// may release it. Who acquires it twice waits for itself; see ``SharedRecursiveLock``. Nobody is served in strict
/// order, but who has waited for a millisecond is handed the lock.
public struct SharedLock: Portable, Hashable {
    @usableFromInline let slot: SharedSlot

    /// Makes a lock that is free.
    ///
    /// - Throws: ``SharedStateError`` if the system has no memory or descriptors left.
    public init() throws {
        slot = try SharedSlot.make()
    }

    /// The lock in memory that guards what lies beside it.
    @inlinable
    init(at slot: SharedSlot) {
        self.slot = slot
    }

    private var word: LockWord { LockWord(slot.pointer) }

    /// Takes the lock if nobody has it and there is nothing to tell.
    @usableFromInline
    func takeSimply() -> Bool { mp_lock_take(slot.pointer) }

    @usableFromInline
    func leaveOnce() throws {
        if !mp_lock_leave(slot.pointer) { try leave() }
    }

    /// Runs `body` while no other thread or process of the tree has the lock, and returns what it returns.
    ///
    /// Blocks the calling thread while another has the lock.
    ///
    /// - Parameters:
    ///   - timeout: How long to wait for the lock; `nil` without a limit. Zero or less takes it only if it is free.
    ///   - recover: Puts in order what the lock guards, if a process died while it held the lock; called before `body`,
    ///     with the lock held. If it throws, the lock stays marked and the next one is told.
    ///   - body: What is to be done.
    /// - Throws: ``SharedStateError`` with the code ``SharedStateError/Code/timedOut``, or without `recover`
    ///   ``SharedStateError/Code/ownerDied``; `CancellationError`; and what `recover` and `body` throw.
    @inlinable
    public func withLock<Result>(
        timeout: Duration? = nil,
        recover: ((DeadOwner) throws -> Void)? = nil,
        _ body: () throws -> Result
    ) throws -> Result {
        if !takeSimply() { try enter(timeout, recovering: recover) }
        let result: Result
        do {
            result = try body()
        } catch {
            leaveQuietly()
            throw error
        }
        try leaveOnce()
        return result
    }

    /// Runs `body` while no other thread or process of the tree has the lock, and returns what it returns.
    ///
    /// Suspends the task while another has the lock. Cancelling the task ends the wait, but not `body`.
    ///
    /// - Parameters:
    ///   - timeout: How long to wait for the lock; `nil` without a limit. Zero or less takes it only if it is free.
    ///   - recover: Puts in order what the lock guards, if a process died while it held the lock; called before `body`,
    ///     with the lock held. If it throws, the lock stays marked and the next one is told.
    ///   - body: What is to be done.
    /// - Throws: ``SharedStateError`` with the code ``SharedStateError/Code/timedOut``, or without `recover`
    ///   ``SharedStateError/Code/ownerDied``; `CancellationError`; and what `recover` and `body` throw.
    @inlinable
    nonisolated(nonsending) public func withLock<Result>(
        timeout: Duration? = nil,
        recover: ((DeadOwner) throws -> Void)? = nil,
        _ body: () throws -> Result
    ) async throws -> Result {
        if !takeSimply() { try await suspendToEnter(timeout, recovering: recover) }
        let result: Result
        do {
            result = try body()
        } catch {
            leaveQuietly()
            throw error
        }
        try leaveOnce()
        return result
    }

    /// Runs `body` while no other thread or process of the tree has the lock, and returns what it returns.
    ///
    /// Suspends the task while another has the lock. Cancelling the task ends the wait, but not `body`. The lock is held over the suspensions of `body`.
    ///
    /// - Parameters:
    ///   - timeout: How long to wait for the lock; `nil` without a limit. Zero or less takes it only if it is free.
    ///   - recover: Puts in order what the lock guards, if a process died while it held the lock; called before `body`,
    ///     with the lock held. If it throws, the lock stays marked and the next one is told.
    ///   - body: What is to be done.
    /// - Throws: ``SharedStateError`` with the code ``SharedStateError/Code/timedOut``, or without `recover`
    ///   ``SharedStateError/Code/ownerDied``; `CancellationError`; and what `recover` and `body` throw.
    @inlinable
    nonisolated(nonsending) public func withLock<Result>(
        timeout: Duration? = nil,
        recover: ((DeadOwner) async throws -> Void)? = nil,
        _ body: () async throws -> Result
    ) async throws -> Result {
        if !takeSimply() { try await suspendToEnter(timeout, recovering: recover) }
        let result: Result
        do {
            result = try await body()
        } catch {
            leaveQuietly()
            throw error
        }
        try leaveOnce()
        return result
    }

    /// Acquires the lock; blocks the calling thread while another has it.
    ///
    /// - Parameter timeout: How long to wait; `nil` without a limit.
    /// - Returns: Who died while it held the lock, if nobody has recovered since. To be followed by ``release()``.
    /// - Throws: ``SharedStateError`` with the code ``SharedStateError/Code/timedOut``; `CancellationError`.
    @discardableResult
    public func acquire(timeout: Duration? = nil) throws -> Acquisition {
        takeSimply() ? Acquisition(previousOwner: nil) : Acquisition(previousOwner: try enter(timeout))
    }

    /// Acquires the lock; suspends the task while another has it.
    ///
    /// - Parameter timeout: How long to wait; `nil` without a limit.
    /// - Returns: Who died while it held the lock, if nobody has recovered since. To be followed by ``release()``, on
    ///   whichever thread.
    /// - Throws: ``SharedStateError`` with the code ``SharedStateError/Code/timedOut``; `CancellationError` if the task
    ///   was cancelled while it waited, and then it does not have the lock.
    @discardableResult
    nonisolated(nonsending) public func acquire(timeout: Duration? = nil) async throws -> Acquisition {
        takeSimply()
            ? Acquisition(previousOwner: nil) : Acquisition(previousOwner: try await suspendToEnter(timeout))
    }

    /// Acquires the lock if no other thread or process has it; does not wait.
    ///
    /// - Returns: `nil` if another has it.
    /// - Throws: ``SharedStateError`` if the system refuses what sharing takes.
    public func tryAcquire() throws -> Acquisition? { try word.tryEnter() }

    /// Releases the lock; on any thread of the process that acquired it.
    ///
    /// - Precondition: This process has the lock. Else the program has a fault, and the process ends with a message that
    ///   says so: what the lock guards is not safe from it.
    public func release() { insist(leave) }

    /// Says that what the lock guards is in order again after a death; while holding the lock.
    ///
    /// - Precondition: This process has the lock, as for ``release()``.
    public func markRecovered() { insist(recovered) }

    /// Whether some thread or process has the lock, which may have changed already.
    public var isLocked: Bool { word.state.owner != 0 }
}

extension SharedLock: LockHandle {
    @usableFromInline
    func enter(_ timeout: Duration?) throws -> DeadOwner? { try word.enter(timeout, "lock") }

    @usableFromInline
    nonisolated(nonsending) func suspendToEnter(_ timeout: Duration?) async throws -> DeadOwner? {
        try await word.suspendToEnter(timeout, keeping: slot, "lock")
    }

    @usableFromInline
    func leave() throws(SharedStateError) {
        if !word.unlock() { throw .notHeld("the lock") }
    }

    @usableFromInline
    func recovered() throws(SharedStateError) {
        if !word.markRecovered() { throw .notHeld("the lock") }
    }
}

extension SharedLock {
    var isMine: Bool { word.isMine }

    /// Takes the lock whatever happens to the task, blocking; returns who died with it.
    func enterAgain() throws(SharedStateError) -> DeadOwner? { try word.enterAgain() }

    /// The same, suspending.
    nonisolated(nonsending) func suspendToEnterAgain() async throws(SharedStateError) -> DeadOwner? {
        try await word.suspendToEnterAgain(keeping: slot)
    }
}

extension SharedLock {
    /// Writes the handle; the encoder has to be one of this library's.
    public func encode(to encoder: any Encoder) throws { try encoder.encode(shared: slot, .lock, for: self) }

    /// Finds the lock that was sent.
    public init(from decoder: any Decoder) throws { slot = try decoder.sharedSlot(.lock, for: Self.self) }
}

extension SharedLock: CustomStringConvertible {
    /// Who has the lock.
    public var description: String { "SharedLock(\(word.ownerText))" }
}

import CMultiprocessing
import MultiprocessingSystem

/// A lock between processes that the task or thread that has it can acquire again.
///
/// ```swift
/// let lock = try SharedRecursiveLock()
/// try await lock.withLock {
///     // As a function does that others call with the lock.
///     try await lock.withLock { append(entry) }
/// }
/// ```
///
/// As ``SharedLock``, but its owner is a task, or a thread that runs none: that one may nest
/// `withLock(timeout:recover:_:)`, and only that one can release it, as often as it has acquired it. Child tasks are
/// others, and wait.
public struct SharedRecursiveLock: Portable, Hashable {
    private let slot: SharedSlot

    /// Makes a lock that is free.
    ///
    /// - Throws: ``SharedStateError`` if the system has no memory or descriptors left.
    public init() throws {
        slot = try SharedSlot.make()
    }

    private var word: LockWord { LockWord(slot.pointer) }
    /// Takes the lock if nobody has it and there is nothing to tell.
    @usableFromInline
    func takeSimply() -> Bool {
        guard mp_lock_take(slot.pointer) else { return false }
        holder.begin()
        return true
    }

    @usableFromInline
    func leaveOnce() throws { try leave() }

    private var holder: RecursiveHolder { RecursiveHolder(slot.pointer + LockWord.size) }

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

    /// Acquires the lock if it is free, or the caller's; does not wait.
    ///
    /// - Returns: `nil` if another has it.
    /// - Throws: ``SharedStateError`` if the system refuses what sharing takes.
    public func tryAcquire() throws -> Acquisition? {
        if try again() { return Acquisition(previousOwner: nil) }
        guard let acquisition = try word.tryEnter() else { return nil }
        holder.begin()
        return acquisition
    }

    /// Releases the lock once; others have it when it was released as often as it was acquired.
    ///
    /// - Precondition: This task or thread has the lock. Else the program has a fault, and the process ends with a
    ///   message that says so: what the lock guards is not safe from it.
    public func release() { insist(leave) }

    /// Says that what the lock guards is in order again after a death; while holding the lock.
    ///
    /// - Precondition: This task or thread has the lock, as for ``release()``.
    public func markRecovered() { insist(recovered) }

    /// Whether some task, thread or process has the lock, which may have changed already.
    public var isLocked: Bool { word.state.owner != 0 }

    private var isMine: Bool { holder.isCaller && word.isMine }

    /// Acquires the lock once more if the caller has it.
    private func again() throws(SharedStateError) -> Bool {
        guard isMine else { return false }
        guard holder.deepen() else {
            throw SharedStateError(.invalidArgument, "the lock was acquired four billion times; release it as often")
        }
        return true
    }
}

extension SharedRecursiveLock: LockHandle {
    @usableFromInline
    func enter(_ timeout: Duration?) throws -> DeadOwner? {
        if try again() { return nil }
        let dead = try word.enter(timeout, "lock")
        holder.begin()
        return dead
    }

    @usableFromInline
    nonisolated(nonsending) func suspendToEnter(_ timeout: Duration?) async throws -> DeadOwner? {
        if try again() { return nil }
        let dead = try await word.suspendToEnter(timeout, keeping: slot, "lock")
        holder.begin()
        return dead
    }

    @usableFromInline
    func leave() throws(SharedStateError) {
        guard isMine else { throw Self.notHeld }
        if holder.rise(), !mp_lock_leave(slot.pointer) { word.unlock() }
    }

    @usableFromInline
    func recovered() throws(SharedStateError) {
        guard isMine else { throw Self.notHeld }
        word.markRecovered()
    }

    private static var notHeld: SharedStateError {
        SharedStateError(.notHeld, "this task or thread does not have the lock; release it where it was acquired")
    }
}

extension SharedRecursiveLock {
    /// Writes the handle; the encoder has to be one of this library's.
    public func encode(to encoder: any Encoder) throws { try encoder.encode(shared: slot, .recursiveLock, for: self) }

    /// Finds the lock that was sent.
    public init(from decoder: any Decoder) throws { slot = try decoder.sharedSlot(.recursiveLock, for: Self.self) }
}

extension SharedRecursiveLock: CustomStringConvertible {
    /// Who has the lock, and how often if it is the caller.
    public var description: String {
        "SharedRecursiveLock(\(isMine ? "held by the caller, depth \(holder.depth)" : word.ownerText))"
    }
}

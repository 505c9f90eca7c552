/// That a lock was acquired, and what its last owner left.
///
/// ```swift
/// let acquisition = try await lock.acquire(timeout: .seconds(10))
/// if acquisition.previousOwner != nil {
///     repair()
///     lock.markRecovered()
/// }
/// lock.release()
/// ```
public struct Acquisition: Hashable, Sendable {
    /// Who died while it held the lock, if nobody has recovered since what the lock guards.
    ///
    /// Put that in order, and say so with `markRecovered()`: until somebody does, everyone who acquires the lock is told.
    public let previousOwner: DeadOwner?
}

/// Which failures of an item are tried again, how often, and after which pauses.
///
/// ```swift
/// // What a worker's end or a deadline cost.
/// .retry(.attempts(3))
/// // And what the work throws.
/// .retry(.attempts(5, delay: .constant(.seconds(1)), where: { $0 is ServerBusy }))
/// ```
///
/// An item that is tried again delays no other: in a `map` or stream those beside it go on, and its value takes
/// its place when it comes. Only what a stream gives out in the order of its input waits for it. Work finds its attempt in ``Worker/attempt``. The failure of the last attempt is the
/// item's; a ``PoolError`` says which attempt it was, in its message and in ``PoolError/attempts``. Cancelling the call, or ending the pool by `terminate`, ends a pause at once; `shutDown` waits for what
/// is still to be tried.
public struct RetryPolicy: Sendable {
    /// How often an item is run at most.
    package let attempts: Int
    let delay: RetryDelay
    private let codes: Set<PoolError.Code>
    private let predicate: (@Sendable (any Error) -> Bool)?

    /// Runs an item again that fails, until it has been run so often.
    ///
    /// A failure counts if its code is in `codes` *or* `predicate` says so. So what the work itself throws counts
    /// only through `predicate`, unless it throws a ``PoolError`` with such a code. Cancellation never counts.
    ///
    /// - Parameters:
    ///   - count: How often an item is run at most, the first time included; at least 1, which is no retry.
    ///   - delay: How long to wait before each further attempt.
    ///   - codes: Which failures of the library's own count; by default those that end with a worker or a deadline. An
    ///     item that has waited for longer than its `queueTimeout` never ran, and counts through `predicate` alone.
    ///   - predicate: Which other failures count. Its type lets it throw nothing: one that has to ask something that
    ///     can, answers `false` where that fails. Called by the thread that brings the failure, which may be the
    ///     worker's or one that serves all workers, with no lock held: it must be quick and must not block.
    public static func attempts(
        _ count: Int,
        delay: RetryDelay = .exponential(from: .milliseconds(50), to: .seconds(5)),
        on codes: Set<PoolError.Code> = [.workerCrashed, .timedOut, .memoryLimitExceeded, .workerLost],
        where predicate: (@Sendable (any Error) -> Bool)? = nil
    ) -> RetryPolicy {
        RetryPolicy(attempts: count, delay: delay, codes: codes, predicate: predicate)
    }

    /// Whether an item whose attempt with this number failed so is to be tried again.
    func wants(anotherAfter attempt: Int, failing error: any Error) -> Bool {
        guard attempt < attempts, !(error is CancellationError) else { return false }
        if let error = error as? PoolError, codes.contains(error.code), !error.isOfWaiting { return true }
        return predicate?(error) ?? false
    }

    /// What a caller is told of a failure that is its item's last: of the library's own, which attempt it was.
    ///
    /// What the work threw arrives as it is.
    func told(_ error: any Error, ofAttempt attempt: Int) -> any Error {
        guard attempt > 1, let error = error as? PoolError else { return error }
        var told = error.saying("\(error.message) (the item's attempt \(attempt) of \(attempts))")
        // Of a worker that could not be started it is known how often that was tried.
        told.attempts = error.attempts ?? attempt
        return told
    }

    /// - Throws: ``PoolError/Code/invalidArgument`` naming what makes no sense.
    func check() throws {
        if attempts < 1 {
            throw PoolError.invalidArgument(
                "the attempts of retry", attempts, "the first run is an attempt too; 1 runs an item once")
        }
        try delay.check()
    }
}

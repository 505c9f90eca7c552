/// The codes as patterns, so that `catch PoolError.workerCrashed` does what it says.
///
/// ```swift
/// do {
///     try await pool.run(page) { try render($0) }
/// } catch PoolError.workerCrashed {
///     log("page \(page) crashes the renderer")
/// }
/// ```
extension PoolError {
    /// The work, an input or an output cannot be sent to another process.
    public static var notPortable: Code { .notPortable }
    /// The worker process ended while it ran the item.
    public static var workerCrashed: Code { .workerCrashed }
    /// A wait or an item passed its limit.
    public static var timedOut: Code { .timedOut }
    /// A worker could not be started, or died again and again at start.
    public static var workerStartFailed: Code { .workerStartFailed }
    /// The item threw an error whose type is not `Codable`.
    public static var remote: Code { .remote }
    /// The pool was shut down or terminated.
    public static var shutDown: Code { .shutDown }
    /// The worker passed its memory limit while it ran the item.
    public static var memoryLimitExceeded: Code { .memoryLimitExceeded }
    /// A worker's set-up threw, crashed or took too long.
    public static var setUpFailed: Code { .setUpFailed }
    /// A worker's host, or the link to it, went while it ran the item.
    public static var workerLost: Code { .workerLost }
    /// An argument is out of range.
    public static var invalidArgument: Code { .invalidArgument }
}

extension PoolError.Code {
    /// Whether an error is a ``PoolError`` with this code; for `catch` and `case`.
    public static func ~= (code: Self, error: any Error) -> Bool {
        (error as? PoolError)?.code == code
    }
}

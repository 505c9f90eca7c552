/// The codes as patterns, so that `catch SharedStateError.timedOut` does what it says.
///
/// ```swift
/// do {
///     print(try await queue.receive(timeout: .seconds(1)))
/// } catch SharedStateError.timedOut {
///     print("nothing came")
/// }
/// ```
extension SharedStateError {
    /// A process died while it held the lock.
    public static var ownerDied: Code { .ownerDied }
    /// The time to wait passed.
    public static var timedOut: Code { .timedOut }
    /// The queue or connection was closed, or nobody is left at its other end.
    public static var closed: Code { .closed }
    /// The barrier was aborted, or one who took part died, was cancelled or waited in vain.
    public static var barrierBroken: Code { .barrierBroken }
    /// What was released was not held by this process.
    public static var notHeld: Code { .notHeld }
    /// The shared memory holds what this library never writes.
    public static var damaged: Code { .damaged }
    /// More processes than there are numbers, or places in a table, for them.
    public static var tooManyProcesses: Code { .tooManyProcesses }
    /// The process or the system has no descriptor left.
    public static var outOfDescriptors: Code { .outOfDescriptors }
    /// An argument is out of range.
    public static var invalidArgument: Code { .invalidArgument }
    /// The handle was given to something that cannot carry it to another process.
    public static var notPortable: Code { .notPortable }
    /// The system refused what sharing takes, or this process was forked off without a new image.
    public static var unavailable: Code { .unavailable }
}

extension SharedStateError.Code {
    /// Whether an error is a ``SharedStateError`` with this code; for `catch` and `case`.
    public static func ~= (code: Self, error: any Error) -> Bool {
        (error as? SharedStateError)?.code == code
    }
}

/// Everything the library itself reports: why work was refused, lost or stopped.
///
/// An error that a work item throws reaches the caller as that error when its type is
/// `Codable`; otherwise as a `PoolError` with the code ``Code/remote``. Cancellation is
/// always `CancellationError`.
///
/// ```swift
/// do {
///     try await pool.run { try parse(untrusted) }
/// } catch let error as PoolError where error.code == .workerCrashed {
///     log("worker \(error.processID ?? 0) died of \(error.signal ?? 0)")
/// }
/// ```
public struct PoolError: Error, Sendable {
    /// What happened.
    public let code: Code

    /// The whole story for a person: the cause, and what to do about it.
    public let message: String

    /// The process id of the worker that crashed, if one did.
    public internal(set) var processID: Int32?

    /// The signal that ended the worker, for example 9 for `SIGKILL`.
    public internal(set) var signal: Int32?

    /// The status that the worker passed to `exit`.
    public internal(set) var exitCode: Int32?

    /// The last lines that the worker wrote to its standard error, at most 4 KiB.
    public internal(set) var standardError: String?

    /// The `errno` of the system call that failed.
    public internal(set) var errno: Int32?

    /// How often the library tried before it gave up: to start a worker, or an item that failed in a further attempt.
    public internal(set) var attempts: Int?

    /// The limit that was passed.
    public internal(set) var limit: Duration?

    /// Whether the item has waited for too long and never ran, so that there is nothing to try again.
    var isOfWaiting = false

    /// The memory that a worker had when it passed its limit; `nil` when the kernel refused it more.
    public internal(set) var memoryUsed: ByteCount?

    /// The memory that a worker was allowed.
    public internal(set) var memoryLimit: ByteCount?

    /// The name of the type that could not be sent, or of the error that was thrown.
    public internal(set) var typeName: String?

    /// What the thrown error said of itself.
    public internal(set) var errorDescription: String?

    /// The error behind this one, when it happened in this process.
    ///
    /// It does not cross a process boundary.
    public internal(set) var underlyingError: (any Error)?

    init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    /// The same facts, told in other words.
    func saying(_ message: String) -> PoolError {
        var made = PoolError(code, message)
        made.processID = processID
        made.signal = signal
        made.exitCode = exitCode
        made.standardError = standardError
        made.errno = errno
        made.attempts = attempts
        made.limit = limit
        made.isOfWaiting = isOfWaiting
        made.memoryUsed = memoryUsed
        made.memoryLimit = memoryLimit
        made.typeName = typeName
        made.errorDescription = errorDescription
        made.underlyingError = underlyingError
        return made
    }
}

extension PoolError {
    /// The kind of a ``PoolError``; more may be added.
    public struct Code: Hashable, Sendable, Codable {
        private enum Kind: UInt8, Codable {
            case notPortable
            case workerCrashed
            case timedOut
            case workerStartFailed
            case remote
            case shutDown
            case invalidArgument
            case issueRecorded
            case memoryLimitExceeded
            case setUpFailed
            case workerLost
        }

        private let kind: Kind

        /// The work, an input or an output cannot be sent to another process.
        public static let notPortable = Code(kind: .notPortable)
        /// The worker process ended while it ran the item.
        public static let workerCrashed = Code(kind: .workerCrashed)
        /// A wait or an item passed its limit.
        public static let timedOut = Code(kind: .timedOut)
        /// A worker could not be started, or died again and again at start.
        public static let workerStartFailed = Code(kind: .workerStartFailed)
        /// The item threw an error whose type is not `Codable`.
        public static let remote = Code(kind: .remote)
        /// The pool was shut down or terminated.
        public static let shutDown = Code(kind: .shutDown)
        /// An argument is out of range.
        public static let invalidArgument = Code(kind: .invalidArgument)
        /// An expectation of a test failed in the item, in a worker process.
        public static let issueRecorded = Code(kind: .issueRecorded)
        /// The worker process had more memory than ``ResourceLimits/memory`` allows, and was ended.
        public static let memoryLimitExceeded = Code(kind: .memoryLimitExceeded)
        /// A worker's set-up threw, crashed or took too long.
        public static let setUpFailed = Code(kind: .setUpFailed)
        /// A worker's host, or the link to it, went while it ran the item.
        public static let workerLost = Code(kind: .workerLost)
    }
}

extension PoolError.Code: CustomStringConvertible {
    /// The name of the code, as it is written in Swift.
    public var description: String { "\(kind)" }
}

extension PoolError: CustomStringConvertible {
    /// The code, the message and the end of the worker's standard error.
    public var description: String {
        var text = "\(code): \(message)"
        if let standardError, !standardError.isEmpty {
            text += "\nThe worker's standard error ended with:\n\(standardError)"
        }
        return text
    }
}

// The underlying error stays behind: it is whatever the process it happened in made of it.
extension PoolError: Codable {
    private enum CodingKeys: CodingKey {
        case code
        case message
        case processID
        case signal
        case exitCode
        case standardError
        case errno
        case attempts
        case limit
        case memoryUsed
        case memoryLimit
        case typeName
        case errorDescription
    }
}

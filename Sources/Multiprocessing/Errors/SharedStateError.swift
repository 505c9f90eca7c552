/// Why something that processes share could not be made, sent, waited for or used.
///
/// ```swift
/// do {
///     try lock.withLock { ... }
/// } catch let error as SharedStateError where error.code == .ownerDied {
///     try lock.withLock(recover: { _ in repair() }) { ... }
/// }
/// ```
///
/// Cancellation is always `CancellationError`.
public struct SharedStateError: Error, Hashable, Sendable {
    /// What happened.
    public let code: Code

    /// The whole story for a person: the cause, and what to do about it.
    public let message: String

    /// Who died while it had what the caller wanted.
    public internal(set) var deadOwner: DeadOwner?

    /// The `errno` of the system call that failed.
    public internal(set) var errno: Int32?

    init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }
}

extension SharedStateError {
    /// The kind of a ``SharedStateError``; more may be added.
    public struct Code: Hashable, Sendable, Codable {
        private enum Kind: UInt8, Codable {
            case ownerDied
            case timedOut
            case closed
            case barrierBroken
            case notHeld
            case damaged
            case tooManyProcesses
            case outOfDescriptors
            case invalidArgument
            case notPortable
            case unavailable
        }

        private let kind: Kind

        /// A process died while it held the lock, and nobody has recovered since what the lock guards.
        public static let ownerDied = Code(kind: .ownerDied)
        /// The time to wait passed.
        public static let timedOut = Code(kind: .timedOut)
        /// The queue or connection was closed, or nobody is left at its other end.
        public static let closed = Code(kind: .closed)
        /// The barrier was aborted, or one who took part died, was cancelled or waited in vain.
        public static let barrierBroken = Code(kind: .barrierBroken)
        /// What was released was not held by this process; for locks, a fault that ends the process.
        public static let notHeld = Code(kind: .notHeld)
        /// The shared memory holds what this library never writes.
        public static let damaged = Code(kind: .damaged)
        /// More processes than there are numbers, or places in a table, for them.
        public static let tooManyProcesses = Code(kind: .tooManyProcesses)
        /// The process or the system has no descriptor left.
        public static let outOfDescriptors = Code(kind: .outOfDescriptors)
        /// An argument is out of range.
        public static let invalidArgument = Code(kind: .invalidArgument)
        /// The handle was given to something that cannot carry it to another process.
        public static let notPortable = Code(kind: .notPortable)
        /// The system refused what sharing takes, or this process was forked off without a new image.
        public static let unavailable = Code(kind: .unavailable)
    }
}

extension SharedStateError.Code: CustomStringConvertible {
    /// The name of the code, as it is written in Swift.
    public var description: String { "\(kind)" }
}

extension SharedStateError: CustomStringConvertible {
    /// The code and the message.
    public var description: String { "\(code): \(message)" }
}

extension SharedStateError: Codable {}

/// A process that died while it held something.
public struct DeadOwner: Hashable, Sendable, Codable {
    /// Its process id, if it is still known; the system may have given it to another process since.
    public let processID: Int32?

    /// Its number among all processes that have shared something with this one; never given again.
    public let number: UInt32
}

extension DeadOwner: CustomStringConvertible {
    /// The process id, or the number.
    public var description: String { processID.map { "process \($0)" } ?? "process number \(number)" }
}

/// Why a call to a distributed actor of another process came to nothing.
///
/// What the actor itself throws arrives as what it was: see ``WorkerActorSystem``.
///
/// ```swift
/// do {
///     _ = try await counter.add(1)
/// } catch let error as ActorCallError where !error.isInDoubt {
///     // It was not added, for certain.
/// }
/// ```
public struct ActorCallError: Error, Hashable, Sendable, Codable {
    /// What happened.
    public let code: Code

    /// Whether the actor may have done what it was asked to, all of it or a part.
    ///
    /// `false` is certain: the method was not begun.
    public let isInDoubt: Bool

    /// The whole story for a person: the cause, and what to do about it.
    public let message: String

    /// The same for a call that was begun.
    var inDoubt: ActorCallError { ActorCallError(code, isInDoubt: true, message) }

    init(_ code: Code, isInDoubt: Bool = false, _ message: String) {
        self.code = code
        self.isInDoubt = isInDoubt
        self.message = message
    }
}

extension ActorCallError {
    /// The kind of an ``ActorCallError``; more may be added.
    public struct Code: Hashable, Sendable, Codable {
        private enum Kind: UInt8, Codable {
            case hostGone
            case timedOut
            case noSuchActor
            case refused
            case unavailable
        }

        private let kind: Kind

        /// The process that hosts the actor has ended, or the way to it is cut.
        public static let hostGone = Code(kind: .hostGone)
        /// The answer did not come in the time that the caller gave it.
        public static let timedOut = Code(kind: .timedOut)
        /// The host is there, and the actor is not.
        public static let noSuchActor = Code(kind: .noSuchActor)
        /// The host does not make this call, for example because the actor is of another type.
        public static let refused = Code(kind: .refused)
        /// The system refused what a call takes.
        public static let unavailable = Code(kind: .unavailable)
    }
}

extension ActorCallError.Code: CustomStringConvertible {
    /// The name of the code, as it is written in Swift.
    public var description: String { "\(kind)" }
}

extension ActorCallError: CustomStringConvertible {
    /// The code, what is known of the call, and the message.
    public var description: String {
        "\(code)\(isInDoubt ? " (in doubt)" : " (not begun)"): \(message)"
    }
}

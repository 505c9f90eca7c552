/// The codes as patterns, so that `catch ActorCallError.hostGone` does what it says.
///
/// ```swift
/// do {
///     print(try await counter.add(1))
/// } catch ActorCallError.hostGone {
///     print("the counter's process has ended")
/// }
/// ```
extension ActorCallError {
    /// The process that hosts the actor has ended, or the way to it is cut.
    public static var hostGone: Code { .hostGone }
    /// The answer did not come in the time that the caller gave it.
    public static var timedOut: Code { .timedOut }
    /// The host is there, and the actor is not.
    public static var noSuchActor: Code { .noSuchActor }
    /// The host does not make this call, for example because the actor is of another type.
    public static var refused: Code { .refused }
    /// The system refused what a call takes.
    public static var unavailable: Code { .unavailable }
}

extension ActorCallError.Code {
    /// Whether an error is an ``ActorCallError`` with this code; for `catch` and `case`.
    public static func ~= (code: Self, error: any Error) -> Bool {
        (error as? ActorCallError)?.code == code
    }
}

/// A work item's code in the form that this process can call.
///
/// The two cases keep a plain loop body free of suspension points.
enum ItemBody<Input, Output>: Sendable {
    case synchronous(@Sendable (Input) throws -> Output)
    case asynchronous(@Sendable (Input) async throws -> Output)

    var isSynchronous: Bool {
        if case .synchronous = self { true } else { false }
    }
}

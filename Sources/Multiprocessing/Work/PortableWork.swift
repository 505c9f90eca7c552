/// What all items of a call have in common for the worker processes that run them, besides the function.
///
/// The part of ``ItemFunction`` that has no types.
// Sendable is unchecked because this has a subclass, which is Sendable too; nothing in it changes.
@usableFromInline
class PortableWork: @unchecked Sendable {
    /// What all items share, as worker processes are sent it.
    final let context: SharedInput?

    /// The variables of main.swift that the work can reach, with the values that they had when it was made.
    final let variables: [SentVariable.Value]

    init(context: SharedInput?, variables: [SentVariable.Value]) {
        self.context = context
        self.variables = variables
    }
}

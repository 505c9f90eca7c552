/// How a function is called for an item, and which types have to be known to call it.
struct FunctionShape: Hashable, Sendable {
    /// What the function takes; the numbers travel.
    enum Role: UInt8 {
        /// Nothing. Types: the output.
        case nullary
        /// The item. Types: input and output.
        case unary
        /// The item's two halves. Types: both, and the output.
        case pair
        /// The item and a value that all items share. Types: input, shared value, output.
        case shared
        /// The item is a ``Job`` and runs itself. Types: the job.
        case job
        /// The item is a ``VoidJob`` and runs itself. Types: the job.
        case voidJob
    }

    let role: Role

    /// Whether the function is declared without a result, and so is not a function with a result of type `Void`.
    let isProcedure: Bool

    var typeCount: Int {
        switch role {
        case .nullary: isProcedure ? 0 : 1
        case .unary: isProcedure ? 1 : 2
        case .pair, .shared: isProcedure ? 2 : 3
        case .job, .voidJob: 1
        }
    }

    var hasCode: Bool { role != .job && role != .voidJob }
}

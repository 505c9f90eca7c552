import MultiprocessingRuntime

/// A function that can be run for an item; worker processes find it by the type of its box.
///
/// Here stands all that differs between the shapes of functions: what each takes for an item and gives for it.
protocol ItemBox: FunctionBoxing {
    associatedtype Input: Sendable
    associatedtype Output: Sendable
    /// The types that the caller chose, which a worker process has to find.
    static var types: [Any.Type] { get }
    var itemBody: ItemBody<Input, Output> { get }
}

/// A function of two values: the halves of an item, or an item and a value that all items share.
protocol SharingBox: ItemBox where Input == (First, Second) {
    associatedtype First: Sendable
    associatedtype Second: Sendable
    func itemBody(sharing shared: Second) -> ItemBody<First, Output>
}

// MARK: - Functions

extension FunctionBox: ItemBox {
    static var types: [Any.Type] { [Input.self, Output.self] }
    var itemBody: ItemBody<Input, Output> { .synchronous(body) }
}

extension AsyncFunctionBox: ItemBox {
    static var types: [Any.Type] { [Input.self, Output.self] }
    var itemBody: ItemBody<Input, Output> { .asynchronous(body) }
}

extension NullaryFunctionBox: ItemBox {
    static var types: [Any.Type] { [Output.self] }
    var itemBody: ItemBody<Void, Output> { .synchronous { try body() } }
}

extension AsyncNullaryFunctionBox: ItemBox {
    static var types: [Any.Type] { [Output.self] }
    var itemBody: ItemBody<Void, Output> { .asynchronous { try await body() } }
}

extension BinaryFunctionBox: SharingBox {
    static var types: [Any.Type] { [First.self, Second.self, Output.self] }
    var itemBody: ItemBody<(First, Second), Output> { .synchronous { try body($0.0, $0.1) } }
    func itemBody(sharing shared: Second) -> ItemBody<First, Output> { .synchronous { try body($0, shared) } }
}

extension AsyncBinaryFunctionBox: SharingBox {
    static var types: [Any.Type] { [First.self, Second.self, Output.self] }
    var itemBody: ItemBody<(First, Second), Output> { .asynchronous { try await body($0.0, $0.1) } }
    func itemBody(sharing shared: Second) -> ItemBody<First, Output> { .asynchronous { try await body($0, shared) } }
}

// MARK: - Functions without a result

extension ProcedureBox: ItemBox {
    static var types: [Any.Type] { [Input.self] }
    var itemBody: ItemBody<Input, Void> { .synchronous(body) }
}

extension AsyncProcedureBox: ItemBox {
    static var types: [Any.Type] { [Input.self] }
    var itemBody: ItemBody<Input, Void> { .asynchronous(body) }
}

extension NullaryProcedureBox: ItemBox {
    static var types: [Any.Type] { [] }
    var itemBody: ItemBody<Void, Void> { .synchronous { try body() } }
}

extension AsyncNullaryProcedureBox: ItemBox {
    static var types: [Any.Type] { [] }
    var itemBody: ItemBody<Void, Void> { .asynchronous { try await body() } }
}

extension BinaryProcedureBox: SharingBox {
    static var types: [Any.Type] { [First.self, Second.self] }
    var itemBody: ItemBody<(First, Second), Void> { .synchronous { try body($0.0, $0.1) } }
    func itemBody(sharing shared: Second) -> ItemBody<First, Void> { .synchronous { try body($0, shared) } }
}

extension AsyncBinaryProcedureBox: SharingBox {
    static var types: [Any.Type] { [First.self, Second.self] }
    var itemBody: ItemBody<(First, Second), Void> { .asynchronous { try await body($0.0, $0.1) } }
    func itemBody(sharing shared: Second) -> ItemBody<First, Void> { .asynchronous { try await body($0, shared) } }
}

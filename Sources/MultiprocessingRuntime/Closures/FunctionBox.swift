/// One function value in a stored property of its most general representation.
///
/// The representation of a function depends on how generic its type is where it stands; the
/// stored property of a generic structure always has the most general one, also where the code
/// around it was specialized. So the two words that a box holds mean the same function in a box of
/// the same type in another process.
///
/// There is one structure for each shape, because a conversion between shapes wraps the function in a thunk, and the
/// words would be the thunk's. That is so for a parameter pack in place of the inputs (its function takes their
/// addresses in an array), for `Void` as the output (its function returns by address what a procedure does not return
/// at all), and for synchronous functions taken as asynchronous ones.
package protocol FunctionBoxing<Body>: Sendable {
    associatedtype Body
    /// Whether the first word is the address of an async function pointer, not of code.
    static var isAsync: Bool { get }
    /// The function, to be called in this process.
    var body: Body { get }
}

// MARK: - Functions

package struct FunctionBox<Input: Sendable, Output: Sendable>: FunctionBoxing {
    package static var isAsync: Bool { false }
    package let body: @Sendable (Input) throws -> Output
    package init(_ body: @escaping @Sendable (Input) throws -> Output) { self.body = body }
}

package struct AsyncFunctionBox<Input: Sendable, Output: Sendable>: FunctionBoxing {
    package static var isAsync: Bool { true }
    package let body: @Sendable (Input) async throws -> Output
    package init(_ body: @escaping @Sendable (Input) async throws -> Output) { self.body = body }
}

package struct NullaryFunctionBox<Output: Sendable>: FunctionBoxing {
    package static var isAsync: Bool { false }
    package let body: @Sendable () throws -> Output
    package init(_ body: @escaping @Sendable () throws -> Output) { self.body = body }
}

package struct AsyncNullaryFunctionBox<Output: Sendable>: FunctionBoxing {
    package static var isAsync: Bool { true }
    package let body: @Sendable () async throws -> Output
    package init(_ body: @escaping @Sendable () async throws -> Output) { self.body = body }
}

package struct BinaryFunctionBox<First: Sendable, Second: Sendable, Output: Sendable>: FunctionBoxing {
    package static var isAsync: Bool { false }
    package let body: @Sendable (First, Second) throws -> Output
    package init(_ body: @escaping @Sendable (First, Second) throws -> Output) { self.body = body }
}

package struct AsyncBinaryFunctionBox<First: Sendable, Second: Sendable, Output: Sendable>: FunctionBoxing {
    package static var isAsync: Bool { true }
    package let body: @Sendable (First, Second) async throws -> Output
    package init(_ body: @escaping @Sendable (First, Second) async throws -> Output) { self.body = body }
}

// MARK: - Functions without a result

package struct ProcedureBox<Input: Sendable>: FunctionBoxing {
    package static var isAsync: Bool { false }
    package let body: @Sendable (Input) throws -> Void
    package init(_ body: @escaping @Sendable (Input) throws -> Void) { self.body = body }
}

package struct AsyncProcedureBox<Input: Sendable>: FunctionBoxing {
    package static var isAsync: Bool { true }
    package let body: @Sendable (Input) async throws -> Void
    package init(_ body: @escaping @Sendable (Input) async throws -> Void) { self.body = body }
}

package struct NullaryProcedureBox: FunctionBoxing {
    package static var isAsync: Bool { false }
    package let body: @Sendable () throws -> Void
    package init(_ body: @escaping @Sendable () throws -> Void) { self.body = body }
}

package struct AsyncNullaryProcedureBox: FunctionBoxing {
    package static var isAsync: Bool { true }
    package let body: @Sendable () async throws -> Void
    package init(_ body: @escaping @Sendable () async throws -> Void) { self.body = body }
}

package struct BinaryProcedureBox<First: Sendable, Second: Sendable>: FunctionBoxing {
    package static var isAsync: Bool { false }
    package let body: @Sendable (First, Second) throws -> Void
    package init(_ body: @escaping @Sendable (First, Second) throws -> Void) { self.body = body }
}

package struct AsyncBinaryProcedureBox<First: Sendable, Second: Sendable>: FunctionBoxing {
    package static var isAsync: Bool { true }
    package let body: @Sendable (First, Second) async throws -> Void
    package init(_ body: @escaping @Sendable (First, Second) async throws -> Void) { self.body = body }
}

import MultiprocessingCoding
import MultiprocessingRuntime

extension FunctionDefinition {
    /// Finds in this process the function that a definition names, and the variables of main.swift that it can reach.
    ///
    /// What is not here, or is another here, fails the work that needs it and not the worker: a library can
    /// be loaded in one process alone, or be replaced by another build before this one started.
    ///
    /// - Throws: When the bytes name nothing at all.
    static func resolve(_ bytes: [UInt8]) throws -> (any WorkerFunction, variables: [UInt32]) {
        do {
            let contents = try decode(bytes)
            return (try function(contents.shape, contents.code, contents.types), contents.variables)
        } catch let error as NotPortable {
            return (RefusedFunction(error), [])
        }
    }

    private static func function(
        _ shape: FunctionShape,
        _ code: ClosureShape?,
        _ types: [Any.Type]
    ) throws -> any WorkerFunction {
        switch (shape.role, shape.isProcedure) {
        case (.nullary, false): return try nullary(code, types[0])
        case (.nullary, true): return try nullaryProcedure(code)
        case (.unary, false): return try unary(code, types[0], types[1])
        case (.unary, true): return try unaryProcedure(code, types[0])
        case (.pair, false): return try pair(code, types[0], types[1], types[2])
        case (.pair, true): return try pairProcedure(code, types[0], types[1])
        case (.shared, false): return try shared(code, types[0], types[1], types[2])
        case (.shared, true): return try sharedProcedure(code, types[0], types[1])
        case (.job, _): return try job(types[0])
        case (.voidJob, _): return try voidJob(types[0])
        }
    }
}

extension FunctionDefinition {
    private static func known(_ code: ClosureShape?) throws -> ClosureShape {
        guard let code else { throw PortableFailure.unknownFunction }
        return code
    }

    /// Opens a type that is known at run time only.
    ///
    /// Safe: a portable type is `Sendable` because the call that named it required so; the
    /// protocol leaves no trace at run time that could be checked here.
    private static func open<R>(_ type: Any.Type, _ body: (any Sendable.Type) throws -> R) rethrows -> R {
        try body(unsafeBitCast(type, to: (any Sendable.Type).self))
    }

    private static func nullary(_ code: ClosureShape?, _ output: Any.Type) throws -> any WorkerFunction {
        let code = try known(code)
        func make<Output: Sendable>(_: Output.Type) throws -> any WorkerFunction {
            try TypedWorkerFunction<Void, Output> { incoming in
                let words = try code.rebuild(from: &incoming)
                if words.isAsync {
                    let box: AsyncNullaryFunctionBox<Output> = words.box()
                    return .asynchronous { try await box.body() }
                }
                let box: NullaryFunctionBox<Output> = words.box()
                return .synchronous { try box.body() }
            }
        }
        return try open(output) { try make($0) }
    }

    private static func nullaryProcedure(_ code: ClosureShape?) throws -> any WorkerFunction {
        let code = try known(code)
        return try TypedWorkerFunction<Void, Void> { incoming in
            let words = try code.rebuild(from: &incoming)
            if words.isAsync {
                let box: AsyncNullaryProcedureBox = words.box()
                return .asynchronous { try await box.body() }
            }
            let box: NullaryProcedureBox = words.box()
            return .synchronous { try box.body() }
        }
    }

    private static func unary(
        _ code: ClosureShape?,
        _ input: Any.Type,
        _ output: Any.Type
    ) throws -> any WorkerFunction {
        let code = try known(code)
        func make<Input: Sendable, Output: Sendable>(_: Input.Type, _: Output.Type) throws -> any WorkerFunction {
            try TypedWorkerFunction<Input, Output> { incoming in
                let words = try code.rebuild(from: &incoming)
                return words.isAsync
                    ? .asynchronous((words.box() as AsyncFunctionBox<Input, Output>).body)
                    : .synchronous((words.box() as FunctionBox<Input, Output>).body)
            }
        }
        return try open(input) { input in try open(output) { try make(input, $0) } }
    }

    private static func unaryProcedure(_ code: ClosureShape?, _ input: Any.Type) throws -> any WorkerFunction {
        let code = try known(code)
        func make<Input: Sendable>(_: Input.Type) throws -> any WorkerFunction {
            try TypedWorkerFunction<Input, Void> { incoming in
                let words = try code.rebuild(from: &incoming)
                return words.isAsync
                    ? .asynchronous((words.box() as AsyncProcedureBox<Input>).body)
                    : .synchronous((words.box() as ProcedureBox<Input>).body)
            }
        }
        return try open(input) { try make($0) }
    }

    private static func pair(
        _ code: ClosureShape?,
        _ first: Any.Type,
        _ second: Any.Type,
        _ output: Any.Type
    ) throws -> any WorkerFunction {
        let code = try known(code)
        func make<A: Sendable, B: Sendable, Output: Sendable>(
            _: A.Type,
            _: B.Type,
            _: Output.Type
        ) throws -> any WorkerFunction {
            try TypedWorkerFunction<(A, B), Output> { incoming in
                let words = try code.rebuild(from: &incoming)
                if words.isAsync {
                    let box: AsyncBinaryFunctionBox<A, B, Output> = words.box()
                    return .asynchronous { try await box.body($0.0, $0.1) }
                }
                let box: BinaryFunctionBox<A, B, Output> = words.box()
                return .synchronous { try box.body($0.0, $0.1) }
            }
        }
        return try open(first) { first in
            try open(second) { second in try open(output) { try make(first, second, $0) } }
        }
    }

    private static func pairProcedure(
        _ code: ClosureShape?,
        _ first: Any.Type,
        _ second: Any.Type
    ) throws -> any WorkerFunction {
        let code = try known(code)
        func make<A: Sendable, B: Sendable>(_: A.Type, _: B.Type) throws -> any WorkerFunction {
            try TypedWorkerFunction<(A, B), Void> { incoming in
                let words = try code.rebuild(from: &incoming)
                if words.isAsync {
                    let box: AsyncBinaryProcedureBox<A, B> = words.box()
                    return .asynchronous { try await box.body($0.0, $0.1) }
                }
                let box: BinaryProcedureBox<A, B> = words.box()
                return .synchronous { try box.body($0.0, $0.1) }
            }
        }
        return try open(first) { first in try open(second) { try make(first, $0) } }
    }

    private static func shared(
        _ code: ClosureShape?,
        _ input: Any.Type,
        _ shared: Any.Type,
        _ output: Any.Type
    ) throws -> any WorkerFunction {
        let code = try known(code)
        func make<Input: Sendable, C: Sendable, Output: Sendable>(
            _: Input.Type,
            _: C.Type,
            _: Output.Type
        ) throws -> any WorkerFunction {
            try TypedWorkerFunction<Input, Output> { incoming in
                let words = try code.rebuild(from: &incoming)
                let shared = try decode(C.self, from: &incoming)
                if words.isAsync {
                    let box: AsyncBinaryFunctionBox<Input, C, Output> = words.box()
                    return .asynchronous { try await box.body($0, shared) }
                }
                let box: BinaryFunctionBox<Input, C, Output> = words.box()
                return .synchronous { try box.body($0, shared) }
            }
        }
        return try open(input) { input in
            try open(shared) { shared in try open(output) { try make(input, shared, $0) } }
        }
    }

    private static func sharedProcedure(
        _ code: ClosureShape?,
        _ input: Any.Type,
        _ shared: Any.Type
    ) throws -> any WorkerFunction {
        let code = try known(code)
        func make<Input: Sendable, C: Sendable>(_: Input.Type, _: C.Type) throws -> any WorkerFunction {
            try TypedWorkerFunction<Input, Void> { incoming in
                let words = try code.rebuild(from: &incoming)
                let shared = try decode(C.self, from: &incoming)
                if words.isAsync {
                    let box: AsyncBinaryProcedureBox<Input, C> = words.box()
                    return .asynchronous { try await box.body($0, shared) }
                }
                let box: BinaryProcedureBox<Input, C> = words.box()
                return .synchronous { try box.body($0, shared) }
            }
        }
        return try open(input) { input in try open(shared) { try make(input, $0) } }
    }

    private static func job(_ type: Any.Type) throws -> any WorkerFunction {
        guard let type = type as? any Job.Type else { throw PortableFailure.unknownFunction }
        func make<J: Job>(_: J.Type) throws -> any WorkerFunction {
            try TypedWorkerFunction<J, J.Output> { _ in .asynchronous { try await $0.run() } }
        }
        return try make(type)
    }

    private static func voidJob(_ type: Any.Type) throws -> any WorkerFunction {
        guard let type = type as? any VoidJob.Type else { throw PortableFailure.unknownFunction }
        func make<J: VoidJob>(_: J.Type) throws -> any WorkerFunction {
            try TypedWorkerFunction<J, Void> { _ in .asynchronous { try await $0.run() } }
        }
        return try make(type)
    }

    private static func decode<C>(_: C.Type, from incoming: inout Incoming) throws -> C {
        do {
            return try Codec<C>.resolve().decode(from: &incoming)
        } catch {
            throw PoolError.notDecodable(C.self, as: "shared value", error)
        }
    }
}

import MultiprocessingCoding
import MultiprocessingRuntime

/// Makes of a call's closure or job what the pool's workers can run.
///
/// On processes this is where work that cannot be sent is refused, before any of it starts.
extension PoolCore {
    // MARK: Closures

    func work<Output>(_ body: @escaping @Sendable () throws -> Output) throws -> ItemFunction<Void, Output> {
        try work(.nullary, .synchronous { try body() }, NullaryFunctionBox(body), [Output.self])
    }

    func work<Output>(_ body: @escaping @Sendable () async throws -> Output) throws -> ItemFunction<Void, Output> {
        try work(.nullary, .asynchronous { try await body() }, AsyncNullaryFunctionBox(body), [Output.self])
    }

    @usableFromInline
    func work<Input, Output>(_ body: @escaping @Sendable (Input) throws -> Output) throws -> ItemFunction<Input, Output>
    {
        try work(.unary, .synchronous(body), FunctionBox(body), [Input.self, Output.self])
    }

    func work<Input, Output>(
        _ body: @escaping @Sendable (Input) async throws -> Output
    ) throws -> ItemFunction<Input, Output> {
        try work(.unary, .asynchronous(body), AsyncFunctionBox(body), [Input.self, Output.self])
    }

    // MARK: Closures of pairs

    @usableFromInline
    func work<A, B, Output>(pairs body: @escaping @Sendable (A, B) throws -> Output) throws -> ItemFunction<
        (A, B), Output
    > {
        try work(.pair, .synchronous { try body($0.0, $0.1) }, BinaryFunctionBox(body), [A.self, B.self, Output.self])
    }

    func work<A, B, Output>(
        pairs body: @escaping @Sendable (A, B) async throws -> Output
    ) throws -> ItemFunction<(A, B), Output> {
        try work(
            .pair, .asynchronous { try await body($0.0, $0.1) }, AsyncBinaryFunctionBox(body),
            [A.self, B.self, Output.self])
    }

    // MARK: Closures with a shared value

    @usableFromInline
    func work<Input, C: Sendable, Output>(
        sharing shared: C,
        _ body: @escaping @Sendable (Input, C) throws -> Output
    ) throws -> ItemFunction<Input, Output> {
        try work(
            .shared, .synchronous { try body($0, shared) }, BinaryFunctionBox(body), [Input.self, C.self, Output.self],
            shared: encoder(of: shared))
    }

    func work<Input, C: Sendable, Output>(
        sharing shared: C,
        _ body: @escaping @Sendable (Input, C) async throws -> Output
    ) throws -> ItemFunction<Input, Output> {
        try work(
            .shared, .asynchronous { try await body($0, shared) }, AsyncBinaryFunctionBox(body),
            [Input.self, C.self, Output.self], shared: encoder(of: shared))
    }

    // MARK: Procedures

    func work(procedure body: @escaping @Sendable () throws -> Void) throws -> ItemFunction<Void, Void> {
        try work(.nullary, .synchronous { try body() }, NullaryProcedureBox(body), [], isProcedure: true)
    }

    func work(procedure body: @escaping @Sendable () async throws -> Void) throws -> ItemFunction<Void, Void> {
        try work(.nullary, .asynchronous { try await body() }, AsyncNullaryProcedureBox(body), [], isProcedure: true)
    }

    @usableFromInline
    func work<Input>(procedure body: @escaping @Sendable (Input) throws -> Void) throws -> ItemFunction<Input, Void> {
        try work(.unary, .synchronous(body), ProcedureBox(body), [Input.self], isProcedure: true)
    }

    func work<Input>(procedure body: @escaping @Sendable (Input) async throws -> Void) throws -> ItemFunction<
        Input, Void
    > {
        try work(.unary, .asynchronous(body), AsyncProcedureBox(body), [Input.self], isProcedure: true)
    }

    @usableFromInline
    func work<A, B>(pairProcedure body: @escaping @Sendable (A, B) throws -> Void) throws -> ItemFunction<(A, B), Void>
    {
        try work(
            .pair, .synchronous { try body($0.0, $0.1) }, BinaryProcedureBox(body), [A.self, B.self], isProcedure: true)
    }

    func work<A, B>(pairProcedure body: @escaping @Sendable (A, B) async throws -> Void) throws -> ItemFunction<
        (A, B), Void
    > {
        try work(
            .pair, .asynchronous { try await body($0.0, $0.1) }, AsyncBinaryProcedureBox(body), [A.self, B.self],
            isProcedure: true)
    }

    @usableFromInline
    func work<Input, C: Sendable>(
        sharing shared: C,
        procedure body: @escaping @Sendable (Input, C) throws -> Void
    ) throws -> ItemFunction<Input, Void> {
        try work(
            .shared, .synchronous { try body($0, shared) }, BinaryProcedureBox(body), [Input.self, C.self],
            isProcedure: true, shared: encoder(of: shared))
    }

    func work<Input, C: Sendable>(
        sharing shared: C,
        procedure body: @escaping @Sendable (Input, C) async throws -> Void
    ) throws -> ItemFunction<Input, Void> {
        try work(
            .shared, .asynchronous { try await body($0, shared) }, AsyncBinaryProcedureBox(body), [Input.self, C.self],
            isProcedure: true, shared: encoder(of: shared))
    }

    // MARK: Jobs

    func work<J: Job>(_ job: J.Type) throws -> ItemFunction<J, J.Output> {
        guard needsPortableWork else { return ItemFunction(.asynchronous { try await $0.run() }, nil) }
        let function: PortableFunction<J, J.Output> = try .resolve(
            FunctionShape(role: .job, isProcedure: false), .job, J.self, types: [J.self])
        return ItemFunction(.asynchronous { try await $0.run() }, function, variables: try function.variableValues())
    }

    func work<J: VoidJob>(_ job: J.Type) throws -> ItemFunction<J, Void> {
        guard needsPortableWork else { return ItemFunction(.asynchronous { try await $0.run() }, nil) }
        let function: PortableFunction<J, Void> = try .resolve(
            FunctionShape(role: .voidJob, isProcedure: true), .job, J.self, types: [J.self])
        return ItemFunction(.asynchronous { try await $0.run() }, function, variables: try function.variableValues())
    }

    // MARK: Steps

    /// Puts together what runs here and what is sent: the function, and its captures and shared value once a call.
    private func work<Box: FunctionBoxing, Input, Output>(
        _ role: FunctionShape.Role,
        _ body: ItemBody<Input, Output>,
        _ box: Box,
        _ types: @autoclosure () -> [Any.Type],
        isProcedure: Bool = false,
        shared: ((inout Outgoing) throws -> Void)? = nil
    ) throws -> ItemFunction<Input, Output> {
        guard needsPortableWork else { return ItemFunction(body, nil) }
        let shape = FunctionShape(role: role, isProcedure: isProcedure)
        let words = FunctionWords(of: box)
        var closure: CapturedClosure?
        let function: PortableFunction<Input, Output>
        if words.context == nil {
            // The usual case, in which nothing but the code has to be looked at.
            function = try .resolve(shape, .code(words.code), Box.self, types: types()) {
                try capturing { try CapturedClosure(words) }.reference
            }
        } else {
            let made = try capturing { try CapturedClosure(words) }
            function = try .resolve(shape, .closure(made.reference), Box.self, types: types()) { made.reference }
            if !made.reference.isEmpty { closure = made }
        }
        let variables = try function.variableValues()
        guard shared != nil || closure != nil else { return ItemFunction(body, function, variables: variables) }
        var message = Outgoing()
        try closure?.encodeCaptures(into: &message)
        try shared?(&message)
        return ItemFunction(body, function, context: SharedInput(message), variables: variables)
    }

    private func capturing<R>(_ body: () throws -> R) throws -> R {
        do {
            return try body()
        } catch let error as NotPortable {
            throw PoolError.closureNotPortable(error)
        }
    }

    private func encoder<C>(of shared: C) -> (inout Outgoing) throws -> Void {
        { message in
            do {
                try Codec<C>.resolve().encode(shared, into: &message)
            } catch let error as PoolError {
                throw error
            } catch {
                throw PoolError.notEncodable(C.self, as: "shared value", error)
            }
        }
    }
}

import MultiprocessingCoding
import MultiprocessingRuntime

/// Makes of a call's closure or job what the pool's workers can run.
///
/// On processes this is where work that cannot be sent is refused, before any of it starts.
extension PoolCore {
    // MARK: Closures

    // Inlined, so that it is known which box it is and nothing has to be looked up at run time.
    @inline(__always)
    func work<Box: ItemBox>(_ box: Box) throws -> ItemFunction<Box.Input, Box.Output> {
        try work(.item, box, box.itemBody)
    }

    /// - Parameter shared: The second argument for all items.
    @inline(__always)
    func work<Box: SharingBox>(
        _ box: Box,
        sharing shared: Box.Second
    ) throws -> ItemFunction<Box.First, Box.Output> {
        try work(.sharing, box, box.itemBody(sharing: shared)) { message in
            do {
                try Codec<Box.Second>.resolve().encode(shared, into: &message)
            } catch let error as PoolError {
                throw error
            } catch {
                throw PoolError.notEncodable(Box.Second.self, as: "shared value", error)
            }
        }
    }

    // MARK: Jobs

    @usableFromInline
    func work<J: Job>(_ job: J.Type) throws -> ItemFunction<J, J.Output> {
        try work(.job, job, .asynchronous { try await $0.run() })
    }

    func work<J: VoidJob>(_ job: J.Type) throws -> ItemFunction<J, Void> {
        try work(.voidJob, job, .asynchronous { try await $0.run() })
    }

    // MARK: Steps

    private func work<Input, Output>(
        _ role: FunctionRole,
        _ job: Input.Type,
        _ body: ItemBody<Input, Output>
    ) throws -> ItemFunction<Input, Output> {
        guard needsPortableWork else { return ItemFunction(body, nil) }
        let function: PortableFunction<Input, Output> = try .resolve(role, .job, job, types: [job])
        return ItemFunction(body, function, variables: try function.variableValues())
    }

    /// Puts together what runs here and what is sent: the function, and its captures and shared value once a call.
    private func work<Box: ItemBox, Input, Output>(
        _ role: FunctionRole,
        _ box: Box,
        _ body: ItemBody<Input, Output>,
        shared: ((inout Outgoing) throws -> Void)? = nil
    ) throws -> ItemFunction<Input, Output> {
        guard needsPortableWork else { return ItemFunction(body, nil) }
        let words = FunctionWords(of: box)
        var closure: CapturedClosure?
        let function: PortableFunction<Input, Output>
        if words.context == nil {
            // The usual case, in which nothing but the code has to be looked at.
            function = try .resolve(role, .code(words.code), Box.self, types: Box.types) {
                try capturing { try CapturedClosure(words) }.reference
            }
        } else {
            let made = try capturing { try CapturedClosure(words) }
            function = try .resolve(role, .closure(made.reference), Box.self, types: Box.types) { made.reference }
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
}

/// The closures of calls that are compiled in the caller's module, where boxes are not known.
extension PoolCore {
    /// - Parameter loop: The work's code for many inputs.
    @usableFromInline
    func work<Input, Output>(
        _ body: @escaping @Sendable (Input) throws -> Output,
        loop: ItemLoop<Input, Output>
    ) throws -> ItemFunction<Input, Output> {
        try work(FunctionBox(body)).with(loop)
    }

    @usableFromInline
    func work<A, B, Output>(
        pairs body: @escaping @Sendable (A, B) throws -> Output,
        loop: ItemLoop<(A, B), Output>
    ) throws -> ItemFunction<(A, B), Output> {
        try work(BinaryFunctionBox(body)).with(loop)
    }

    @usableFromInline
    func work<Input, Output>(
        suspending body: @escaping @Sendable (Input) async throws -> Output
    ) throws -> ItemFunction<Input, Output> {
        try work(AsyncFunctionBox(body))
    }

    @usableFromInline
    func work<A, B, Output>(
        suspendingPairs body: @escaping @Sendable (A, B) async throws -> Output
    ) throws -> ItemFunction<(A, B), Output> {
        try work(AsyncBinaryFunctionBox(body))
    }

    @usableFromInline
    func work<Input, Output>(
        _ body: @escaping @Sendable (Input) throws -> Output
    ) throws -> ItemFunction<Input, Output> {
        try work(FunctionBox(body))
    }

    @usableFromInline
    func work<A, B, Output>(
        pairs body: @escaping @Sendable (A, B) throws -> Output
    ) throws -> ItemFunction<(A, B), Output> {
        try work(BinaryFunctionBox(body))
    }

    @usableFromInline
    func work<Input, C: Sendable, Output>(
        sharing shared: C,
        _ body: @escaping @Sendable (Input, C) throws -> Output
    ) throws -> ItemFunction<Input, Output> {
        try work(BinaryFunctionBox(body), sharing: shared)
    }

    @usableFromInline
    func work<Input>(
        procedure body: @escaping @Sendable (Input) throws -> Void
    ) throws -> ItemFunction<Input, Void> {
        try work(ProcedureBox(body))
    }

    @usableFromInline
    func work<A, B>(
        pairProcedure body: @escaping @Sendable (A, B) throws -> Void
    ) throws -> ItemFunction<(A, B), Void> {
        try work(BinaryProcedureBox(body))
    }

    @usableFromInline
    func work<Input, C: Sendable>(
        sharing shared: C,
        procedure body: @escaping @Sendable (Input, C) throws -> Void
    ) throws -> ItemFunction<Input, Void> {
        try work(BinaryProcedureBox(body), sharing: shared)
    }
}

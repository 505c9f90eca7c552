import MultiprocessingRuntime

/// One item.
extension Pool {
    // MARK: Jobs

    /// Runs a job on a worker and returns its output.
    ///
    /// Suspends until the work has ended. <doc:Calls> has the rules of all calls.
    ///
    /// - Parameters:
    ///   - job: The work, which carries its own state.
    ///   - options: Limits, retries and label of this call; what it leaves out, the pool's defaults say.
    /// - Throws: What the job threw, `CancellationError`, or ``PoolError``.
    nonisolated(nonsending) public func run<J: Job>(
        _ job: J,
        options: WorkOptions = WorkOptions()
    ) async throws -> J.Output {
        try await run(job, options) { try core.work(J.self) }
    }

    /// Runs a job without a result on a worker.
    ///
    /// - Parameters:
    ///   - job: The work, which carries its own state.
    ///   - options: Limits, retries and label of this call; what it leaves out, the pool's defaults say.
    /// - Throws: What the job threw, `CancellationError`, or ``PoolError``.
    nonisolated(nonsending) public func run<J: VoidJob>(_ job: J, options: WorkOptions = WorkOptions()) async throws {
        try await run(job, options) { try core.work(J.self) }
    }

    // MARK: Closures

    /// Runs a closure on a worker and returns its value.
    ///
    /// Suspends until the work has ended. <doc:Calls> has the rules of all calls.
    ///
    /// - Parameters:
    ///   - options: Limits, retries and label of this call; what it leaves out, the pool's defaults say.
    ///   - body: The work; on worker processes it has to be portable. A literal without `await` is taken as
    ///     synchronous.
    /// - Throws: What the closure threw, `CancellationError`, or ``PoolError``.
    nonisolated(nonsending) public func run<Output: Sendable>(
        options: WorkOptions = WorkOptions(),
        _ body: @escaping @Sendable () throws -> Output
    ) async throws -> Output {
        try await run((), options) { try core.work(NullaryFunctionBox(body)) }
    }

    /// Runs an asynchronous closure on a worker and returns its value.
    ///
    /// - Parameters:
    ///   - options: Limits, retries and label of this call; what it leaves out, the pool's defaults say.
    ///   - body: The work; on worker processes it has to be portable.
    /// - Throws: What the closure threw, `CancellationError`, or ``PoolError``.
    nonisolated(nonsending) public func run<Output: Sendable>(
        options: WorkOptions = WorkOptions(),
        _ body: @escaping @Sendable () async throws -> Output
    ) async throws -> Output {
        try await run((), options) { try core.work(AsyncNullaryFunctionBox(body)) }
    }

    /// Runs a closure with its input on a worker and returns its value.
    ///
    /// - Parameters:
    ///   - input: What the closure is called with; on worker processes it has to be `Codable`.
    ///   - options: Limits, retries and label of this call; what it leaves out, the pool's defaults say.
    ///   - body: The work; on worker processes it has to be portable. A literal without `await` is taken as
    ///     synchronous.
    /// - Throws: What the closure threw, `CancellationError`, or ``PoolError``.
    nonisolated(nonsending) public func run<Input: Sendable, Output: Sendable>(
        _ input: Input,
        options: WorkOptions = WorkOptions(),
        _ body: @escaping @Sendable (Input) throws -> Output
    ) async throws -> Output {
        try await run(input, options) { try core.work(FunctionBox(body)) }
    }

    /// Runs an asynchronous closure with its input on a worker and returns its value.
    ///
    /// - Parameters:
    ///   - input: What the closure is called with; on worker processes it has to be `Codable`.
    ///   - options: Limits, retries and label of this call; what it leaves out, the pool's defaults say.
    ///   - body: The work; on worker processes it has to be portable.
    /// - Throws: What the closure threw, `CancellationError`, or ``PoolError``.
    nonisolated(nonsending) public func run<Input: Sendable, Output: Sendable>(
        _ input: Input,
        options: WorkOptions = WorkOptions(),
        _ body: @escaping @Sendable (Input) async throws -> Output
    ) async throws -> Output {
        try await run(input, options) { try core.work(AsyncFunctionBox(body)) }
    }

    // MARK: Closures without a result

    /// Runs a closure without a result on a worker.
    ///
    /// - Parameters:
    ///   - options: Limits, retries and label of this call; what it leaves out, the pool's defaults say.
    ///   - body: The work; on worker processes it has to be portable. A literal without `await` is taken as
    ///     synchronous.
    /// - Throws: What the closure threw, `CancellationError`, or ``PoolError``.
    nonisolated(nonsending) public func run(
        options: WorkOptions = WorkOptions(),
        _ body: @escaping @Sendable () throws -> Void
    ) async throws {
        try await run((), options) { try core.work(NullaryProcedureBox(body)) }
    }

    /// Runs an asynchronous closure without a result on a worker.
    ///
    /// - Parameters:
    ///   - options: Limits, retries and label of this call; what it leaves out, the pool's defaults say.
    ///   - body: The work; on worker processes it has to be portable.
    /// - Throws: What the closure threw, `CancellationError`, or ``PoolError``.
    nonisolated(nonsending) public func run(
        options: WorkOptions = WorkOptions(),
        _ body: @escaping @Sendable () async throws -> Void
    ) async throws {
        try await run((), options) { try core.work(AsyncNullaryProcedureBox(body)) }
    }

    /// Runs a closure without a result, with its input, on a worker.
    ///
    /// - Parameters:
    ///   - input: What the closure is called with; on worker processes it has to be `Codable`.
    ///   - options: Limits, retries and label of this call; what it leaves out, the pool's defaults say.
    ///   - body: The work; on worker processes it has to be portable. A literal without `await` is taken as
    ///     synchronous.
    /// - Throws: What the closure threw, `CancellationError`, or ``PoolError``.
    nonisolated(nonsending) public func run<Input: Sendable>(
        _ input: Input,
        options: WorkOptions = WorkOptions(),
        _ body: @escaping @Sendable (Input) throws -> Void
    ) async throws {
        try await run(input, options) { try core.work(ProcedureBox(body)) }
    }

    /// Runs an asynchronous closure without a result, with its input, on a worker.
    ///
    /// - Parameters:
    ///   - input: What the closure is called with; on worker processes it has to be `Codable`.
    ///   - options: Limits, retries and label of this call; what it leaves out, the pool's defaults say.
    ///   - body: The work; on worker processes it has to be portable.
    /// - Throws: What the closure threw, `CancellationError`, or ``PoolError``.
    nonisolated(nonsending) public func run<Input: Sendable>(
        _ input: Input,
        options: WorkOptions = WorkOptions(),
        _ body: @escaping @Sendable (Input) async throws -> Void
    ) async throws {
        try await run(input, options) { try core.work(AsyncProcedureBox(body)) }
    }

    nonisolated(nonsending) private func run<Input: Sendable, Output: Sendable>(
        _ input: Input,
        _ options: WorkOptions,
        work: () throws -> ItemFunction<Input, Output>
    ) async throws -> Output {
        try Task.checkCancellation()
        let options = try core.call(options)
        let work = try work().carrying(core.carrier)
        if let policy = options.retry {
            let item = try RetriedItem(core: core, input: input, work: work, options: options, policy)
            item.start()
            return try await item.wait().get()
        }
        let item = try SingleChunk(core: core, input: input, work: work, options: options)
        core.submitAwaited(item)
        return try await item.wait().get()
    }
}

extension Pool {
    // MARK: Jobs

    /// Runs a job on a worker and returns its output.
    ///
    /// Suspends until the job has ended. When the task is cancelled this throws
    /// `CancellationError` at once, and the job is cancelled.
    ///
    /// - Throws: What the job threw, `CancellationError`, or ``PoolError``.
    nonisolated(nonsending) public func run<J: Job>(_ job: J, options: WorkOptions = WorkOptions()) async throws
        -> J.Output
    {
        try await run(job, options) { try core.work(J.self) }
    }

    /// Runs a job without a result on a worker; waits and is cancelled as for a ``Job``.
    ///
    /// - Throws: What the job threw, `CancellationError`, or ``PoolError``.
    nonisolated(nonsending) public func run<J: VoidJob>(_ job: J, options: WorkOptions = WorkOptions()) async throws {
        try await run(job, options) { try core.work(J.self) }
    }

    // MARK: Closures

    /// Runs a closure on a worker and returns its value.
    ///
    /// Suspends until the closure has ended. When the task is cancelled this throws
    /// `CancellationError` at once, and the item is cancelled.
    ///
    /// - Parameter body: The work; on worker processes it has to be portable. A literal without `await` is
    ///   taken as synchronous.
    /// - Throws: What the closure threw, `CancellationError`, or ``PoolError``.
    nonisolated(nonsending) public func run<Output: Sendable>(
        options: WorkOptions = WorkOptions(),
        _ body: @escaping @Sendable () throws -> Output
    ) async throws -> Output {
        try await run((), options) { try core.work(body) }
    }

    /// Runs a closure on a worker and returns its value.
    ///
    /// Suspends until the closure has ended. When the task is cancelled this throws
    /// `CancellationError` at once, and the item is cancelled.
    ///
    /// - Parameter body: The work; on worker processes it has to be portable. A literal without `await` is
    ///   taken as synchronous.
    /// - Throws: What the closure threw, `CancellationError`, or ``PoolError``.
    nonisolated(nonsending) public func run<Output: Sendable>(
        options: WorkOptions = WorkOptions(),
        _ body: @escaping @Sendable () async throws -> Output
    ) async throws -> Output {
        try await run((), options) { try core.work(body) }
    }

    /// Runs a closure with its input on a worker and returns its value.
    ///
    /// Suspends until the closure has ended. When the task is cancelled this throws
    /// `CancellationError` at once, and the item is cancelled.
    ///
    /// - Parameters:
    ///   - input: What the closure is called with; `Codable` if the workers are processes.
    ///   - body: The work; on worker processes it has to be portable.
    /// - Throws: What the closure threw, `CancellationError`, or ``PoolError``.
    nonisolated(nonsending) public func run<Input: Sendable, Output: Sendable>(
        _ input: Input,
        options: WorkOptions = WorkOptions(),
        _ body: @escaping @Sendable (Input) throws -> Output
    ) async throws -> Output {
        try await run(input, options) { try core.work(body) }
    }

    /// Runs a closure with its input on a worker and returns its value.
    ///
    /// Suspends until the closure has ended. When the task is cancelled this throws
    /// `CancellationError` at once, and the item is cancelled.
    ///
    /// - Parameters:
    ///   - input: What the closure is called with; `Codable` if the workers are processes.
    ///   - body: The work; on worker processes it has to be portable.
    /// - Throws: What the closure threw, `CancellationError`, or ``PoolError``.
    nonisolated(nonsending) public func run<Input: Sendable, Output: Sendable>(
        _ input: Input,
        options: WorkOptions = WorkOptions(),
        _ body: @escaping @Sendable (Input) async throws -> Output
    ) async throws -> Output {
        try await run(input, options) { try core.work(body) }
    }

    // MARK: Closures without a result

    /// Runs a closure without a result on a worker.
    ///
    /// Suspends until the closure has ended. When the task is cancelled this throws
    /// `CancellationError` at once, and the item is cancelled.
    ///
    /// - Parameter body: The work; on worker processes it has to be portable.
    /// - Throws: What the closure threw, `CancellationError`, or ``PoolError``.
    nonisolated(nonsending) public func run(
        options: WorkOptions = WorkOptions(),
        _ body: @escaping @Sendable () throws -> Void
    ) async throws {
        try await run((), options) { try core.work(procedure: body) }
    }

    /// Runs a closure without a result on a worker.
    ///
    /// Suspends until the closure has ended. When the task is cancelled this throws
    /// `CancellationError` at once, and the item is cancelled.
    ///
    /// - Parameter body: The work; on worker processes it has to be portable.
    /// - Throws: What the closure threw, `CancellationError`, or ``PoolError``.
    nonisolated(nonsending) public func run(
        options: WorkOptions = WorkOptions(),
        _ body: @escaping @Sendable () async throws -> Void
    ) async throws {
        try await run((), options) { try core.work(procedure: body) }
    }

    /// Runs a closure without a result, with its input, on a worker.
    ///
    /// Suspends until the closure has ended. When the task is cancelled this throws
    /// `CancellationError` at once, and the item is cancelled.
    ///
    /// - Parameters:
    ///   - input: What the closure is called with; `Codable` if the workers are processes.
    ///   - body: The work; on worker processes it has to be portable.
    /// - Throws: What the closure threw, `CancellationError`, or ``PoolError``.
    nonisolated(nonsending) public func run<Input: Sendable>(
        _ input: Input,
        options: WorkOptions = WorkOptions(),
        _ body: @escaping @Sendable (Input) throws -> Void
    ) async throws {
        try await run(input, options) { try core.work(procedure: body) }
    }

    /// Runs a closure without a result, with its input, on a worker.
    ///
    /// Suspends until the closure has ended. When the task is cancelled this throws
    /// `CancellationError` at once, and the item is cancelled.
    ///
    /// - Parameters:
    ///   - input: What the closure is called with; `Codable` if the workers are processes.
    ///   - body: The work; on worker processes it has to be portable.
    /// - Throws: What the closure threw, `CancellationError`, or ``PoolError``.
    nonisolated(nonsending) public func run<Input: Sendable>(
        _ input: Input,
        options: WorkOptions = WorkOptions(),
        _ body: @escaping @Sendable (Input) async throws -> Void
    ) async throws {
        try await run(input, options) { try core.work(procedure: body) }
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

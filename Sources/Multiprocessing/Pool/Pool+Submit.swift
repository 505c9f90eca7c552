import MultiprocessingRuntime

/// One item.
extension Pool {
    // MARK: Jobs

    /// Queues a job and returns a future of its output.
    ///
    /// Does not block: whatever is wrong with the work, the future says. <doc:Calls> has the rules of all calls.
    ///
    /// - Parameters:
    ///   - job: The work, which carries its own state.
    ///   - options: Limits, retries and label of this call; what it leaves out, the pool's defaults say.
    /// - Returns: A future that gives the job's output, or fails with what the job threw or ``PoolError``.
    public func submit<J: Job>(_ job: J, options: WorkOptions = WorkOptions()) -> Future<J.Output> {
        submit(job, options) { try core.work(J.self) }
    }

    /// Queues a job without a result and returns a future of its end.
    ///
    /// - Parameters:
    ///   - job: The work, which carries its own state.
    ///   - options: Limits, retries and label of this call; what it leaves out, the pool's defaults say.
    /// - Returns: A future that ends with the job, or fails with what the job threw or ``PoolError``.
    @discardableResult
    public func submit<J: VoidJob>(_ job: J, options: WorkOptions = WorkOptions()) -> Future<Void> {
        submit(job, options) { try core.work(J.self) }
    }

    // MARK: Closures

    /// Queues a closure and returns a future of its value.
    ///
    /// Does not block: whatever is wrong with the work, the future says. <doc:Calls> has the rules of all calls.
    ///
    /// - Parameters:
    ///   - options: Limits, retries and label of this call; what it leaves out, the pool's defaults say.
    ///   - body: The work; on worker processes it has to be portable. A literal without `await` is taken as
    ///     synchronous.
    /// - Returns: A future that gives the closure's value, or fails with what the closure threw or ``PoolError``.
    public func submit<Output: Sendable>(
        options: WorkOptions = WorkOptions(),
        _ body: @escaping @Sendable () throws -> Output
    ) -> Future<Output> {
        submit((), options) { try core.work(NullaryFunctionBox(body)) }
    }

    /// Queues an asynchronous closure and returns a future of its value.
    ///
    /// - Parameters:
    ///   - options: Limits, retries and label of this call; what it leaves out, the pool's defaults say.
    ///   - body: The work; on worker processes it has to be portable.
    /// - Returns: A future that gives the closure's value, or fails with what the closure threw or ``PoolError``.
    public func submit<Output: Sendable>(
        options: WorkOptions = WorkOptions(),
        _ body: @escaping @Sendable () async throws -> Output
    ) -> Future<Output> {
        submit((), options) { try core.work(AsyncNullaryFunctionBox(body)) }
    }

    /// Queues a closure with its input and returns a future of its value.
    ///
    /// - Parameters:
    ///   - input: What the closure is called with; on worker processes it has to be `Codable`.
    ///   - options: Limits, retries and label of this call; what it leaves out, the pool's defaults say.
    ///   - body: The work; on worker processes it has to be portable. A literal without `await` is taken as
    ///     synchronous.
    /// - Returns: A future that gives the closure's value, or fails with what the closure threw or ``PoolError``.
    public func submit<Input: Sendable, Output: Sendable>(
        _ input: Input,
        options: WorkOptions = WorkOptions(),
        _ body: @escaping @Sendable (Input) throws -> Output
    ) -> Future<Output> {
        submit(input, options) { try core.work(FunctionBox(body)) }
    }

    /// Queues an asynchronous closure with its input and returns a future of its value.
    ///
    /// - Parameters:
    ///   - input: What the closure is called with; on worker processes it has to be `Codable`.
    ///   - options: Limits, retries and label of this call; what it leaves out, the pool's defaults say.
    ///   - body: The work; on worker processes it has to be portable.
    /// - Returns: A future that gives the closure's value, or fails with what the closure threw or ``PoolError``.
    public func submit<Input: Sendable, Output: Sendable>(
        _ input: Input,
        options: WorkOptions = WorkOptions(),
        _ body: @escaping @Sendable (Input) async throws -> Output
    ) -> Future<Output> {
        submit(input, options) { try core.work(AsyncFunctionBox(body)) }
    }

    // MARK: Closures without a result

    /// Queues a closure without a result and returns a future of its end.
    ///
    /// - Parameters:
    ///   - options: Limits, retries and label of this call; what it leaves out, the pool's defaults say.
    ///   - body: The work; on worker processes it has to be portable. A literal without `await` is taken as
    ///     synchronous.
    /// - Returns: A future that ends with the closure, or fails with what the closure threw or ``PoolError``.
    @discardableResult
    public func submit(
        options: WorkOptions = WorkOptions(),
        _ body: @escaping @Sendable () throws -> Void
    ) -> Future<Void> {
        submit((), options) { try core.work(NullaryProcedureBox(body)) }
    }

    /// Queues an asynchronous closure without a result and returns a future of its end.
    ///
    /// - Parameters:
    ///   - options: Limits, retries and label of this call; what it leaves out, the pool's defaults say.
    ///   - body: The work; on worker processes it has to be portable.
    /// - Returns: A future that ends with the closure, or fails with what the closure threw or ``PoolError``.
    @discardableResult
    public func submit(
        options: WorkOptions = WorkOptions(),
        _ body: @escaping @Sendable () async throws -> Void
    ) -> Future<Void> {
        submit((), options) { try core.work(AsyncNullaryProcedureBox(body)) }
    }

    /// Queues a closure without a result, with its input, and returns a future of its end.
    ///
    /// - Parameters:
    ///   - input: What the closure is called with; on worker processes it has to be `Codable`.
    ///   - options: Limits, retries and label of this call; what it leaves out, the pool's defaults say.
    ///   - body: The work; on worker processes it has to be portable. A literal without `await` is taken as
    ///     synchronous.
    /// - Returns: A future that ends with the closure, or fails with what the closure threw or ``PoolError``.
    @discardableResult
    public func submit<Input: Sendable>(
        _ input: Input,
        options: WorkOptions = WorkOptions(),
        _ body: @escaping @Sendable (Input) throws -> Void
    ) -> Future<Void> {
        submit(input, options) { try core.work(ProcedureBox(body)) }
    }

    /// Queues an asynchronous closure without a result, with its input, and returns a future of its end.
    ///
    /// - Parameters:
    ///   - input: What the closure is called with; on worker processes it has to be `Codable`.
    ///   - options: Limits, retries and label of this call; what it leaves out, the pool's defaults say.
    ///   - body: The work; on worker processes it has to be portable.
    /// - Returns: A future that ends with the closure, or fails with what the closure threw or ``PoolError``.
    @discardableResult
    public func submit<Input: Sendable>(
        _ input: Input,
        options: WorkOptions = WorkOptions(),
        _ body: @escaping @Sendable (Input) async throws -> Void
    ) -> Future<Void> {
        submit(input, options) { try core.work(AsyncProcedureBox(body)) }
    }

    /// Makes the item's chunk and hands it over; what cannot be sent is a failed future.
    private func submit<Input: Sendable, Output: Sendable>(
        _ input: Input,
        _ options: WorkOptions,
        work: () throws -> ItemFunction<Input, Output>
    ) -> Future<Output> {
        do {
            let options = try core.call(options)
            let work = try work().carrying(core.carrier)
            if let policy = options.retry {
                let item = try RetriedItem(core: core, input: input, work: work, options: options, policy)
                let future = Future<Output>(item)
                item.start()
                return future
            }
            let item = try SingleChunk(core: core, input: input, work: work, options: options)
            let future = Future<Output>(item)
            core.submit(item)
            return future
        } catch {
            return Future(failed: error)
        }
    }
}

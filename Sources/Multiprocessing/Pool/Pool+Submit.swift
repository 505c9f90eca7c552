extension Pool {
    // MARK: Jobs

    /// Queues a job and returns a future of its output.
    ///
    /// Does not block: the job is encoded here if the workers are processes, and handed to an
    /// idle worker or queued. Whatever is wrong with it, the future says.
    ///
    /// - Returns: A future that gives the job's output, or fails with what the job threw or ``PoolError``.
    public func submit<J: Job>(_ job: J, options: WorkOptions = WorkOptions()) -> Future<J.Output> {
        submit(job, options) { try core.work(J.self) }
    }

    /// Queues a job without a result and returns a future of its end; as for a ``Job``.
    @discardableResult
    public func submit<J: VoidJob>(_ job: J, options: WorkOptions = WorkOptions()) -> Future<Void> {
        submit(job, options) { try core.work(J.self) }
    }

    // MARK: Closures

    /// Queues a closure and returns a future of its value.
    ///
    /// Does not block: the closure is handed to an idle worker or queued. Whatever is wrong with
    /// it, the future says: on worker processes a closure has to be portable.
    ///
    /// - Parameter body: The work; it runs on a worker. A literal without `await` is taken as synchronous.
    /// - Returns: A future that gives the closure's value, or fails with what it threw or ``PoolError``.
    public func submit<Output: Sendable>(
        options: WorkOptions = WorkOptions(),
        _ body: @escaping @Sendable () throws -> Output
    ) -> Future<Output> {
        submit((), options) { try core.work(body) }
    }

    /// Queues a closure and returns a future of its value.
    ///
    /// Does not block: the closure is handed to an idle worker or queued. Whatever is wrong with
    /// it, the future says: on worker processes a closure has to be portable.
    ///
    /// - Parameter body: The work; it runs on a worker. A literal without `await` is taken as synchronous.
    /// - Returns: A future that gives the closure's value, or fails with what it threw or ``PoolError``.
    public func submit<Output: Sendable>(
        options: WorkOptions = WorkOptions(),
        _ body: @escaping @Sendable () async throws -> Output
    ) -> Future<Output> {
        submit((), options) { try core.work(body) }
    }

    /// Queues a closure with its input and returns a future of its value.
    ///
    /// As for a closure without an input, for work that needs a value: it is sent to the worker with the work.
    ///
    /// - Parameters:
    ///   - input: What the closure is called with; `Codable` if the workers are processes.
    ///   - body: The work; it runs on a worker. A literal without `await` is taken as synchronous.
    /// - Returns: A future that gives the closure's value, or fails with what it threw or ``PoolError``.
    public func submit<Input: Sendable, Output: Sendable>(
        _ input: Input,
        options: WorkOptions = WorkOptions(),
        _ body: @escaping @Sendable (Input) throws -> Output
    ) -> Future<Output> {
        submit(input, options) { try core.work(body) }
    }

    /// Queues a closure with its input and returns a future of its value.
    ///
    /// As for a closure without an input, for work that needs a value: it is sent to the worker with the work.
    ///
    /// - Parameters:
    ///   - input: What the closure is called with; `Codable` if the workers are processes.
    ///   - body: The work; it runs on a worker. A literal without `await` is taken as synchronous.
    /// - Returns: A future that gives the closure's value, or fails with what it threw or ``PoolError``.
    public func submit<Input: Sendable, Output: Sendable>(
        _ input: Input,
        options: WorkOptions = WorkOptions(),
        _ body: @escaping @Sendable (Input) async throws -> Output
    ) -> Future<Output> {
        submit(input, options) { try core.work(body) }
    }

    // MARK: Closures without a result

    /// Queues a closure without a result and returns a future of its end.
    ///
    /// As for a closure with a value: does not block, and whatever is wrong with it, the future says.
    ///
    /// - Parameter body: The work; it runs on a worker. A literal without `await` is taken as synchronous.
    /// - Returns: A future that ends with the closure, or fails with what it threw or ``PoolError``.
    @discardableResult
    public func submit(options: WorkOptions = WorkOptions(), _ body: @escaping @Sendable () throws -> Void) -> Future<
        Void
    > {
        submit((), options) { try core.work(procedure: body) }
    }

    /// Queues a closure without a result and returns a future of its end.
    ///
    /// As for a closure with a value: does not block, and whatever is wrong with it, the future says.
    ///
    /// - Parameter body: The work; it runs on a worker. A literal without `await` is taken as synchronous.
    /// - Returns: A future that ends with the closure, or fails with what it threw or ``PoolError``.
    @discardableResult
    public func submit(options: WorkOptions = WorkOptions(), _ body: @escaping @Sendable () async throws -> Void)
        -> Future<Void>
    {
        submit((), options) { try core.work(procedure: body) }
    }

    /// Queues a closure without a result, with its input, and returns a future of its end.
    ///
    /// - Parameters:
    ///   - input: What the closure is called with; `Codable` if the workers are processes.
    ///   - body: The work; it runs on a worker. A literal without `await` is taken as synchronous.
    /// - Returns: A future that ends with the closure, or fails with what it threw or ``PoolError``.
    @discardableResult
    public func submit<Input: Sendable>(
        _ input: Input,
        options: WorkOptions = WorkOptions(),
        _ body: @escaping @Sendable (Input) throws -> Void
    ) -> Future<Void> {
        submit(input, options) { try core.work(procedure: body) }
    }

    /// Queues a closure without a result, with its input, and returns a future of its end.
    ///
    /// - Parameters:
    ///   - input: What the closure is called with; `Codable` if the workers are processes.
    ///   - body: The work; it runs on a worker. A literal without `await` is taken as synchronous.
    /// - Returns: A future that ends with the closure, or fails with what it threw or ``PoolError``.
    @discardableResult
    public func submit<Input: Sendable>(
        _ input: Input,
        options: WorkOptions = WorkOptions(),
        _ body: @escaping @Sendable (Input) async throws -> Void
    ) -> Future<Void> {
        submit(input, options) { try core.work(procedure: body) }
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

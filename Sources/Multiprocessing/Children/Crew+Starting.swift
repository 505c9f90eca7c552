import MultiprocessingRuntime

/// What the workers of a crew run.
extension Crew {
    /// Starts workers that each run a closure, each with this input.
    ///
    /// - Parameters:
    ///   - backend: Where the workers run.
    ///   - workers: How many there are; by default one per usable core.
    ///   - input: What the closure is called with; on worker processes it has to be `Codable`.
    ///   - configuration: How the workers are set up and stopped.
    ///   - options: Limits, retries and label of each worker's function.
    ///   - body: The function; on worker processes it has to be portable.
    ///     A literal without `await` is taken as synchronous.
    /// - Throws: ``PoolError/Code/notPortable`` when the function or the input cannot be sent, and what
    ///   ``Pool/init(_:workers:configuration:)`` throws.
    public convenience init<Input: Sendable>(
        _ backend: any Backend,
        workers: Int? = nil,
        _ input: Input,
        configuration: Pool.Configuration = Pool.Configuration(),
        options: WorkOptions = WorkOptions(),
        _ body: @escaping @Sendable (Input) throws -> Output
    ) throws {
        try self.init(backend, workers, configuration, options, input) { try $0.work(FunctionBox(body)) }
    }

    /// Starts workers that each run an asynchronous closure, each with this input.
    ///
    /// - Parameters:
    ///   - backend: Where the workers run.
    ///   - workers: How many there are; by default one per usable core.
    ///   - input: What the closure is called with; on worker processes it has to be `Codable`.
    ///   - configuration: How the workers are set up and stopped.
    ///   - options: Limits, retries and label of each worker's function.
    ///   - body: The function; on worker processes it has to be portable.
    /// - Throws: ``PoolError/Code/notPortable`` when the function or the input cannot be sent, and what
    ///   ``Pool/init(_:workers:configuration:)`` throws.
    public convenience init<Input: Sendable>(
        _ backend: any Backend,
        workers: Int? = nil,
        _ input: Input,
        configuration: Pool.Configuration = Pool.Configuration(),
        options: WorkOptions = WorkOptions(),
        _ body: @escaping @Sendable (Input) async throws -> Output
    ) throws {
        try self.init(backend, workers, configuration, options, input) { try $0.work(AsyncFunctionBox(body)) }
    }

    /// Starts workers that each run a closure.
    ///
    /// - Parameters:
    ///   - backend: Where the workers run.
    ///   - workers: How many there are; by default one per usable core.
    ///   - configuration: How the workers are set up and stopped.
    ///   - options: Limits, retries and label of each worker's function.
    ///   - body: The function; on worker processes it has to be portable.
    ///     A literal without `await` is taken as synchronous.
    /// - Throws: ``PoolError/Code/notPortable`` when the function or the input cannot be sent, and what
    ///   ``Pool/init(_:workers:configuration:)`` throws.
    public convenience init(
        _ backend: any Backend = .processes,
        workers: Int? = nil,
        configuration: Pool.Configuration = Pool.Configuration(),
        options: WorkOptions = WorkOptions(),
        _ body: @escaping @Sendable () throws -> Output
    ) throws {
        try self.init(backend, workers, configuration, options, ()) { try $0.work(NullaryFunctionBox(body)) }
    }

    /// Starts workers that each run an asynchronous closure.
    ///
    /// - Parameters:
    ///   - backend: Where the workers run.
    ///   - workers: How many there are; by default one per usable core.
    ///   - configuration: How the workers are set up and stopped.
    ///   - options: Limits, retries and label of each worker's function.
    ///   - body: The function; on worker processes it has to be portable.
    /// - Throws: ``PoolError/Code/notPortable`` when the function or the input cannot be sent, and what
    ///   ``Pool/init(_:workers:configuration:)`` throws.
    public convenience init(
        _ backend: any Backend = .processes,
        workers: Int? = nil,
        configuration: Pool.Configuration = Pool.Configuration(),
        options: WorkOptions = WorkOptions(),
        _ body: @escaping @Sendable () async throws -> Output
    ) throws {
        try self.init(backend, workers, configuration, options, ()) { try $0.work(AsyncNullaryFunctionBox(body)) }
    }
}

/// Functions without a result.
extension Crew where Output == Void {
    /// Starts workers that each run a closure without a result, each with this input.
    ///
    /// - Parameters:
    ///   - backend: Where the workers run.
    ///   - workers: How many there are; by default one per usable core.
    ///   - input: What the closure is called with; on worker processes it has to be `Codable`.
    ///   - configuration: How the workers are set up and stopped.
    ///   - options: Limits, retries and label of each worker's function.
    ///   - body: The function; on worker processes it has to be portable.
    ///     A literal without `await` is taken as synchronous.
    /// - Throws: ``PoolError/Code/notPortable`` when the function or the input cannot be sent, and what
    ///   ``Pool/init(_:workers:configuration:)`` throws.
    public convenience init<Input: Sendable>(
        _ backend: any Backend,
        workers: Int? = nil,
        _ input: Input,
        configuration: Pool.Configuration = Pool.Configuration(),
        options: WorkOptions = WorkOptions(),
        _ body: @escaping @Sendable (Input) throws -> Void
    ) throws {
        try self.init(backend, workers, configuration, options, input) { try $0.work(ProcedureBox(body)) }
    }

    /// Starts workers that each run an asynchronous closure without a result, each with this input.
    ///
    /// - Parameters:
    ///   - backend: Where the workers run.
    ///   - workers: How many there are; by default one per usable core.
    ///   - input: What the closure is called with; on worker processes it has to be `Codable`.
    ///   - configuration: How the workers are set up and stopped.
    ///   - options: Limits, retries and label of each worker's function.
    ///   - body: The function; on worker processes it has to be portable.
    /// - Throws: ``PoolError/Code/notPortable`` when the function or the input cannot be sent, and what
    ///   ``Pool/init(_:workers:configuration:)`` throws.
    public convenience init<Input: Sendable>(
        _ backend: any Backend,
        workers: Int? = nil,
        _ input: Input,
        configuration: Pool.Configuration = Pool.Configuration(),
        options: WorkOptions = WorkOptions(),
        _ body: @escaping @Sendable (Input) async throws -> Void
    ) throws {
        try self.init(backend, workers, configuration, options, input) { try $0.work(AsyncProcedureBox(body)) }
    }

    /// Starts workers that each run a closure without a result.
    ///
    /// - Parameters:
    ///   - backend: Where the workers run.
    ///   - workers: How many there are; by default one per usable core.
    ///   - configuration: How the workers are set up and stopped.
    ///   - options: Limits, retries and label of each worker's function.
    ///   - body: The function; on worker processes it has to be portable.
    ///     A literal without `await` is taken as synchronous.
    /// - Throws: ``PoolError/Code/notPortable`` when the function or the input cannot be sent, and what
    ///   ``Pool/init(_:workers:configuration:)`` throws.
    public convenience init(
        _ backend: any Backend = .processes,
        workers: Int? = nil,
        configuration: Pool.Configuration = Pool.Configuration(),
        options: WorkOptions = WorkOptions(),
        _ body: @escaping @Sendable () throws -> Void
    ) throws {
        try self.init(backend, workers, configuration, options, ()) { try $0.work(NullaryProcedureBox(body)) }
    }

    /// Starts workers that each run an asynchronous closure without a result.
    ///
    /// - Parameters:
    ///   - backend: Where the workers run.
    ///   - workers: How many there are; by default one per usable core.
    ///   - configuration: How the workers are set up and stopped.
    ///   - options: Limits, retries and label of each worker's function.
    ///   - body: The function; on worker processes it has to be portable.
    /// - Throws: ``PoolError/Code/notPortable`` when the function or the input cannot be sent, and what
    ///   ``Pool/init(_:workers:configuration:)`` throws.
    public convenience init(
        _ backend: any Backend = .processes,
        workers: Int? = nil,
        configuration: Pool.Configuration = Pool.Configuration(),
        options: WorkOptions = WorkOptions(),
        _ body: @escaping @Sendable () async throws -> Void
    ) throws {
        try self.init(backend, workers, configuration, options, ()) { try $0.work(AsyncNullaryProcedureBox(body)) }
    }
}

import MultiprocessingRuntime

/// What a child runs.
extension ChildProcess {
    // MARK: Jobs

    /// Starts a child that runs a job.
    ///
    /// - Parameters:
    ///   - backend: Whether it is a process or a thread, and what surrounds the process.
    ///   - name: What it is called: `ps` and `top` show the name of its process, up to 60 and 15 bytes of it.
    ///   - job: The work, which carries its own state.
    /// - Throws: ``PoolError/Code/notPortable`` when the work or the input cannot be sent to a process, and what
    ///   ``Pool/init(_:workers:configuration:)`` throws for a backend that cannot be.
    public convenience init<J: Job<Output>>(_ backend: any Backend = .processes, name: String? = nil, _ job: J) throws {
        try self.init(backend, name, job) { try $0.work(J.self) }
    }

    // MARK: Closures

    /// Starts a child that runs a closure.
    ///
    /// - Parameters:
    ///   - backend: Whether it is a process or a thread, and what surrounds the process.
    ///   - name: What it is called: `ps` and `top` show the name of its process, up to 60 and 15 bytes of it.
    ///   - body: The work; for a process it has to be portable. A literal without `await` is taken as synchronous.
    /// - Throws: ``PoolError/Code/notPortable`` when the work or the input cannot be sent to a process, and what
    ///   ``Pool/init(_:workers:configuration:)`` throws for a backend that cannot be.
    public convenience init(
        _ backend: any Backend = .processes,
        name: String? = nil,
        _ body: @escaping @Sendable () throws -> Output
    ) throws {
        try self.init(backend, name, ()) { try $0.work(NullaryFunctionBox(body)) }
    }

    /// Starts a child that runs an asynchronous closure.
    ///
    /// - Parameters:
    ///   - backend: Whether it is a process or a thread, and what surrounds the process.
    ///   - name: What it is called: `ps` and `top` show the name of its process, up to 60 and 15 bytes of it.
    ///   - body: The work; for a process it has to be portable.
    /// - Throws: ``PoolError/Code/notPortable`` when the work or the input cannot be sent to a process, and what
    ///   ``Pool/init(_:workers:configuration:)`` throws for a backend that cannot be.
    public convenience init(
        _ backend: any Backend = .processes,
        name: String? = nil,
        _ body: @escaping @Sendable () async throws -> Output
    ) throws {
        try self.init(backend, name, ()) { try $0.work(AsyncNullaryFunctionBox(body)) }
    }

    /// Starts a child that runs a closure with its input.
    ///
    /// - Parameters:
    ///   - backend: Whether it is a process or a thread, and what surrounds the process.
    ///   - input: What the closure is called with; for a process it has to be `Codable`.
    ///   - name: What it is called: `ps` and `top` show the name of its process, up to 60 and 15 bytes of it.
    ///   - body: The work; for a process it has to be portable. A literal without `await` is taken as synchronous.
    /// - Throws: ``PoolError/Code/notPortable`` when the work or the input cannot be sent to a process, and what
    ///   ``Pool/init(_:workers:configuration:)`` throws for a backend that cannot be.
    public convenience init<Input: Sendable>(
        _ backend: any Backend,
        _ input: Input,
        name: String? = nil,
        _ body: @escaping @Sendable (Input) throws -> Output
    ) throws {
        try self.init(backend, name, input) { try $0.work(FunctionBox(body)) }
    }

    /// Starts a child that runs an asynchronous closure with its input.
    ///
    /// - Parameters:
    ///   - backend: Whether it is a process or a thread, and what surrounds the process.
    ///   - input: What the closure is called with; for a process it has to be `Codable`.
    ///   - name: What it is called: `ps` and `top` show the name of its process, up to 60 and 15 bytes of it.
    ///   - body: The work; for a process it has to be portable.
    /// - Throws: ``PoolError/Code/notPortable`` when the work or the input cannot be sent to a process, and what
    ///   ``Pool/init(_:workers:configuration:)`` throws for a backend that cannot be.
    public convenience init<Input: Sendable>(
        _ backend: any Backend,
        _ input: Input,
        name: String? = nil,
        _ body: @escaping @Sendable (Input) async throws -> Output
    ) throws {
        try self.init(backend, name, input) { try $0.work(AsyncFunctionBox(body)) }
    }
}

extension ChildProcess where Output == Void {
    /// Starts a child that runs a job without a result.
    ///
    /// - Parameters:
    ///   - backend: Whether it is a process or a thread, and what surrounds the process.
    ///   - name: What it is called: `ps` and `top` show the name of its process, up to 60 and 15 bytes of it.
    ///   - job: The work, which carries its own state.
    /// - Throws: ``PoolError/Code/notPortable`` when the work or the input cannot be sent to a process, and what
    ///   ``Pool/init(_:workers:configuration:)`` throws for a backend that cannot be.
    public convenience init<J: VoidJob>(_ backend: any Backend = .processes, name: String? = nil, _ job: J) throws {
        try self.init(backend, name, job) { try $0.work(J.self) }
    }

    /// Starts a child that runs a closure without a result.
    ///
    /// - Parameters:
    ///   - backend: Whether it is a process or a thread, and what surrounds the process.
    ///   - name: What it is called: `ps` and `top` show the name of its process, up to 60 and 15 bytes of it.
    ///   - body: The work; for a process it has to be portable. A literal without `await` is taken as synchronous.
    /// - Throws: ``PoolError/Code/notPortable`` when the work or the input cannot be sent to a process, and what
    ///   ``Pool/init(_:workers:configuration:)`` throws for a backend that cannot be.
    public convenience init(
        _ backend: any Backend = .processes,
        name: String? = nil,
        _ body: @escaping @Sendable () throws -> Void
    ) throws {
        try self.init(backend, name, ()) { try $0.work(NullaryProcedureBox(body)) }
    }

    /// Starts a child that runs an asynchronous closure without a result.
    ///
    /// - Parameters:
    ///   - backend: Whether it is a process or a thread, and what surrounds the process.
    ///   - name: What it is called: `ps` and `top` show the name of its process, up to 60 and 15 bytes of it.
    ///   - body: The work; for a process it has to be portable.
    /// - Throws: ``PoolError/Code/notPortable`` when the work or the input cannot be sent to a process, and what
    ///   ``Pool/init(_:workers:configuration:)`` throws for a backend that cannot be.
    public convenience init(
        _ backend: any Backend = .processes,
        name: String? = nil,
        _ body: @escaping @Sendable () async throws -> Void
    ) throws {
        try self.init(backend, name, ()) { try $0.work(AsyncNullaryProcedureBox(body)) }
    }

    /// Starts a child that runs a closure without a result with its input.
    ///
    /// - Parameters:
    ///   - backend: Whether it is a process or a thread, and what surrounds the process.
    ///   - input: What the closure is called with; for a process it has to be `Codable`.
    ///   - name: What it is called: `ps` and `top` show the name of its process, up to 60 and 15 bytes of it.
    ///   - body: The work; for a process it has to be portable. A literal without `await` is taken as synchronous.
    /// - Throws: ``PoolError/Code/notPortable`` when the work or the input cannot be sent to a process, and what
    ///   ``Pool/init(_:workers:configuration:)`` throws for a backend that cannot be.
    public convenience init<Input: Sendable>(
        _ backend: any Backend,
        _ input: Input,
        name: String? = nil,
        _ body: @escaping @Sendable (Input) throws -> Void
    ) throws {
        try self.init(backend, name, input) { try $0.work(ProcedureBox(body)) }
    }

    /// Starts a child that runs an asynchronous closure without a result with its input.
    ///
    /// - Parameters:
    ///   - backend: Whether it is a process or a thread, and what surrounds the process.
    ///   - input: What the closure is called with; for a process it has to be `Codable`.
    ///   - name: What it is called: `ps` and `top` show the name of its process, up to 60 and 15 bytes of it.
    ///   - body: The work; for a process it has to be portable.
    /// - Throws: ``PoolError/Code/notPortable`` when the work or the input cannot be sent to a process, and what
    ///   ``Pool/init(_:workers:configuration:)`` throws for a backend that cannot be.
    public convenience init<Input: Sendable>(
        _ backend: any Backend,
        _ input: Input,
        name: String? = nil,
        _ body: @escaping @Sendable (Input) async throws -> Void
    ) throws {
        try self.init(backend, name, input) { try $0.work(AsyncProcedureBox(body)) }
    }
}

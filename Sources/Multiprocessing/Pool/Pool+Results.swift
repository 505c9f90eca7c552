import MultiprocessingRuntime

/// Many items, each with a result that is read as they come.
extension Pool {
    // MARK: Over a sequence

    /// Calls a closure with each input and gives one result for each.
    ///
    /// Nothing starts until the first result is asked for. A failure is a result like any other. <doc:Calls> has the
    /// rules of all calls.
    ///
    /// - Parameters:
    ///   - inputs: The inputs.
    ///   - chunkSize: How many items are a chunk, which a worker begins together; 1 if left out. Quick chunks travel in groups.
    ///   - order: Whether results come in the order of the inputs or as items end.
    ///   - buffer: How many inputs are taken ahead of the results at most; by default 4 chunks or groups a worker.
    ///   - options: Limits, retries, label and progress of this call; what it leaves out, the pool's defaults say.
    ///   - body: The work; on worker processes it has to be portable.
    @inlinable
    public func results<S: Sequence, Output: Sendable>(
        _ inputs: S,
        chunkSize: Int? = nil,
        order: StreamOrder = .input,
        buffer: Int? = nil,
        options: WorkOptions = WorkOptions(),
        _ body: @escaping @Sendable (S.Element) throws -> Output
    ) -> ResultStream<Output> where S.Element: Sendable {
        let plan = plan(false, chunkSize, order, buffer, options) { try core.work(body, loop: ItemLoop(body)) }
        return outcomes(plan) { StreamIntake(inputs) }
    }

    /// Calls an asynchronous closure with each input and gives one result for each.
    ///
    /// - Parameters:
    ///   - inputs: The inputs.
    ///   - chunkSize: How many items are a chunk, which a worker begins together; 1 if left out. Quick chunks travel in groups.
    ///   - order: Whether results come in the order of the inputs or as items end.
    ///   - buffer: How many inputs are taken ahead of the results at most; by default 4 chunks or groups a worker.
    ///   - options: Limits, retries, label and progress of this call; what it leaves out, the pool's defaults say.
    ///   - body: The work; on worker processes it has to be portable.
    @inlinable
    public func results<S: Sequence, Output: Sendable>(
        _ inputs: S,
        chunkSize: Int? = nil,
        order: StreamOrder = .input,
        buffer: Int? = nil,
        options: WorkOptions = WorkOptions(),
        _ body: @escaping @Sendable (S.Element) async throws -> Output
    ) -> ResultStream<Output> where S.Element: Sendable {
        let plan = plan(false, chunkSize, order, buffer, options) { try core.work(suspending: body) }
        return outcomes(plan) { StreamIntake(inputs) }
    }

    /// Calls a closure with both halves of each input and gives one result for each.
    ///
    /// - Parameters:
    ///   - inputs: The inputs in pairs.
    ///   - chunkSize: How many items are a chunk, which a worker begins together; 1 if left out. Quick chunks travel in groups.
    ///   - order: Whether results come in the order of the inputs or as items end.
    ///   - buffer: How many inputs are taken ahead of the results at most; by default 4 chunks or groups a worker.
    ///   - options: Limits, retries, label and progress of this call; what it leaves out, the pool's defaults say.
    ///   - body: The work; on worker processes it has to be portable.
    @inlinable
    public func results<S: Sequence, A: Sendable, B: Sendable, Output: Sendable>(
        _ inputs: S,
        chunkSize: Int? = nil,
        order: StreamOrder = .input,
        buffer: Int? = nil,
        options: WorkOptions = WorkOptions(),
        _ body: @escaping @Sendable (A, B) throws -> Output
    ) -> ResultStream<Output> where S.Element == (A, B) {
        let plan = plan(false, chunkSize, order, buffer, options) {
            try core.work(pairs: body, loop: ItemLoop { try body($0.0, $0.1) })
        }
        return outcomes(plan) { StreamIntake(inputs) }
    }

    /// Calls an asynchronous closure with both halves of each input and gives one result for each.
    ///
    /// - Parameters:
    ///   - inputs: The inputs in pairs.
    ///   - chunkSize: How many items are a chunk, which a worker begins together; 1 if left out. Quick chunks travel in groups.
    ///   - order: Whether results come in the order of the inputs or as items end.
    ///   - buffer: How many inputs are taken ahead of the results at most; by default 4 chunks or groups a worker.
    ///   - options: Limits, retries, label and progress of this call; what it leaves out, the pool's defaults say.
    ///   - body: The work; on worker processes it has to be portable.
    @inlinable
    public func results<S: Sequence, A: Sendable, B: Sendable, Output: Sendable>(
        _ inputs: S,
        chunkSize: Int? = nil,
        order: StreamOrder = .input,
        buffer: Int? = nil,
        options: WorkOptions = WorkOptions(),
        _ body: @escaping @Sendable (A, B) async throws -> Output
    ) -> ResultStream<Output> where S.Element == (A, B) {
        let plan = plan(false, chunkSize, order, buffer, options) { try core.work(suspendingPairs: body) }
        return outcomes(plan) { StreamIntake(inputs) }
    }

    /// Runs jobs on the workers and gives one result for each.
    ///
    /// Nothing starts until the first result is asked for. A failure is a result like any other. <doc:Calls> has the
    /// rules of all calls.
    ///
    /// - Parameters:
    ///   - jobs: The jobs.
    ///   - chunkSize: How many items are a chunk, which a worker begins together; 1 if left out. Quick chunks travel in groups.
    ///   - order: Whether results come in the order of the inputs or as items end.
    ///   - buffer: How many inputs are taken ahead of the results at most; by default 4 chunks or groups a worker.
    ///   - options: Limits, retries, label and progress of this call; what it leaves out, the pool's defaults say.
    @inlinable
    public func results<S: Sequence>(
        _ jobs: S,
        chunkSize: Int? = nil,
        order: StreamOrder = .input,
        buffer: Int? = nil,
        options: WorkOptions = WorkOptions()
    ) -> ResultStream<S.Element.Output> where S.Element: Job {
        let plan = plan(false, chunkSize, order, buffer, options) { try core.work(S.Element.self) }
        return outcomes(plan) { StreamIntake(jobs) }
    }

    // MARK: Over an asynchronous sequence

    /// Calls a closure with each input of an asynchronous sequence and gives one result for each.
    ///
    /// Nothing starts until the first result is asked for. A failure is a result like any other. <doc:Calls> has the
    /// rules of all calls.
    ///
    /// - Parameters:
    ///   - inputs: The inputs, awaited by a task of the stream's own.
    ///   - chunkSize: How many items travel together; 1 if left out. Quick inputs that are there travel in groups.
    ///   - order: Whether results come in the order of the inputs or as items end.
    ///   - buffer: How many inputs are taken ahead of the results at most; by default 4 chunks or groups a worker.
    ///   - options: Limits, retries, label and progress of this call; what it leaves out, the pool's defaults say.
    ///   - body: The work; on worker processes it has to be portable.
    @inlinable
    public func results<S: AsyncSequence & Sendable, Output: Sendable>(
        _ inputs: S,
        chunkSize: Int? = nil,
        order: StreamOrder = .input,
        buffer: Int? = nil,
        options: WorkOptions = WorkOptions(),
        _ body: @escaping @Sendable (S.Element) throws -> Output
    ) -> ResultStream<Output> where S.Element: Sendable {
        let plan = plan(false, chunkSize, order, buffer, options) { try core.work(body, loop: ItemLoop(body)) }
        return outcomes(plan, of: inputs)
    }

    /// Calls an asynchronous closure with each input of an asynchronous sequence and gives one result for each.
    ///
    /// - Parameters:
    ///   - inputs: The inputs, awaited by a task of the stream's own.
    ///   - chunkSize: How many items travel together; 1 if left out. Quick inputs that are there travel in groups.
    ///   - order: Whether results come in the order of the inputs or as items end.
    ///   - buffer: How many inputs are taken ahead of the results at most; by default 4 chunks or groups a worker.
    ///   - options: Limits, retries, label and progress of this call; what it leaves out, the pool's defaults say.
    ///   - body: The work; on worker processes it has to be portable.
    @inlinable
    public func results<S: AsyncSequence & Sendable, Output: Sendable>(
        _ inputs: S,
        chunkSize: Int? = nil,
        order: StreamOrder = .input,
        buffer: Int? = nil,
        options: WorkOptions = WorkOptions(),
        _ body: @escaping @Sendable (S.Element) async throws -> Output
    ) -> ResultStream<Output> where S.Element: Sendable {
        let plan = plan(false, chunkSize, order, buffer, options) { try core.work(suspending: body) }
        return outcomes(plan, of: inputs)
    }

    /// Calls a closure with both halves of each input of an asynchronous sequence and gives one result for each.
    ///
    /// - Parameters:
    ///   - inputs: The inputs in pairs, awaited by a task of the stream's own.
    ///   - chunkSize: How many items travel together; 1 if left out. Quick inputs that are there travel in groups.
    ///   - order: Whether results come in the order of the inputs or as items end.
    ///   - buffer: How many inputs are taken ahead of the results at most; by default 4 chunks or groups a worker.
    ///   - options: Limits, retries, label and progress of this call; what it leaves out, the pool's defaults say.
    ///   - body: The work; on worker processes it has to be portable.
    @inlinable
    public func results<S: AsyncSequence & Sendable, A: Sendable, B: Sendable, Output: Sendable>(
        _ inputs: S,
        chunkSize: Int? = nil,
        order: StreamOrder = .input,
        buffer: Int? = nil,
        options: WorkOptions = WorkOptions(),
        _ body: @escaping @Sendable (A, B) throws -> Output
    ) -> ResultStream<Output> where S.Element == (A, B) {
        let plan = plan(false, chunkSize, order, buffer, options) {
            try core.work(pairs: body, loop: ItemLoop { try body($0.0, $0.1) })
        }
        return outcomes(plan, of: inputs)
    }

    /// Calls an asynchronous closure with both halves of each input of an asynchronous sequence and gives one result
    /// for each.
    ///
    /// - Parameters:
    ///   - inputs: The inputs in pairs, awaited by a task of the stream's own.
    ///   - chunkSize: How many items travel together; 1 if left out. Quick inputs that are there travel in groups.
    ///   - order: Whether results come in the order of the inputs or as items end.
    ///   - buffer: How many inputs are taken ahead of the results at most; by default 4 chunks or groups a worker.
    ///   - options: Limits, retries, label and progress of this call; what it leaves out, the pool's defaults say.
    ///   - body: The work; on worker processes it has to be portable.
    @inlinable
    public func results<S: AsyncSequence & Sendable, A: Sendable, B: Sendable, Output: Sendable>(
        _ inputs: S,
        chunkSize: Int? = nil,
        order: StreamOrder = .input,
        buffer: Int? = nil,
        options: WorkOptions = WorkOptions(),
        _ body: @escaping @Sendable (A, B) async throws -> Output
    ) -> ResultStream<Output> where S.Element == (A, B) {
        let plan = plan(false, chunkSize, order, buffer, options) { try core.work(suspendingPairs: body) }
        return outcomes(plan, of: inputs)
    }

    /// Runs jobs of an asynchronous sequence on the workers and gives one result for each.
    ///
    /// - Parameters:
    ///   - jobs: The jobs, awaited by a task of the stream's own.
    ///   - chunkSize: How many items travel together; 1 if left out. Quick inputs that are there travel in groups.
    ///   - order: Whether results come in the order of the inputs or as items end.
    ///   - buffer: How many inputs are taken ahead of the results at most; by default 4 chunks or groups a worker.
    ///   - options: Limits, retries, label and progress of this call; what it leaves out, the pool's defaults say.
    @inlinable
    public func results<S: AsyncSequence & Sendable>(
        _ jobs: S,
        chunkSize: Int? = nil,
        order: StreamOrder = .input,
        buffer: Int? = nil,
        options: WorkOptions = WorkOptions()
    ) -> ResultStream<S.Element.Output> where S.Element: Job {
        let plan = plan(false, chunkSize, order, buffer, options) { try core.work(S.Element.self) }
        return outcomes(plan, of: jobs)
    }
}

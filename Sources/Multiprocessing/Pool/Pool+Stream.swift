import MultiprocessingRuntime

/// Many items, whose values are read as they come.
extension Pool {
    // MARK: Over a sequence

    /// Calls a closure with each input and gives the values as a stream.
    ///
    /// Nothing starts until the first value is asked for. Throws at the first failure, and then stops. <doc:Calls>
    /// has the rules of all calls.
    ///
    /// - Parameters:
    ///   - inputs: The inputs.
    ///   - chunkSize: How many items are a chunk, which a worker begins together; 1 if left out. Quick chunks travel in groups.
    ///   - order: Whether results come in the order of the inputs or as items end.
    ///   - buffer: How many inputs are taken ahead of the results at most; by default 4 chunks or groups a worker.
    ///   - options: Limits, retries, label and progress of this call; what it leaves out, the pool's defaults say.
    ///   - body: The work; on worker processes it has to be portable.
    @inlinable
    public func stream<S: Sequence, Output: Sendable>(
        _ inputs: S,
        chunkSize: Int? = nil,
        order: StreamOrder = .input,
        buffer: Int? = nil,
        options: WorkOptions = WorkOptions(),
        _ body: @escaping @Sendable (S.Element) throws -> Output
    ) -> ValueStream<Output> where S.Element: Sendable {
        let plan = plan(true, chunkSize, order, buffer, options) { try core.work(body, loop: ItemLoop(body)) }
        return values(plan) { StreamIntake(inputs) }
    }

    /// Calls an asynchronous closure with each input and gives the values as a stream.
    ///
    /// - Parameters:
    ///   - inputs: The inputs.
    ///   - chunkSize: How many items are a chunk, which a worker begins together; 1 if left out. Quick chunks travel in groups.
    ///   - order: Whether results come in the order of the inputs or as items end.
    ///   - buffer: How many inputs are taken ahead of the results at most; by default 4 chunks or groups a worker.
    ///   - options: Limits, retries, label and progress of this call; what it leaves out, the pool's defaults say.
    ///   - body: The work; on worker processes it has to be portable.
    @inlinable
    public func stream<S: Sequence, Output: Sendable>(
        _ inputs: S,
        chunkSize: Int? = nil,
        order: StreamOrder = .input,
        buffer: Int? = nil,
        options: WorkOptions = WorkOptions(),
        _ body: @escaping @Sendable (S.Element) async throws -> Output
    ) -> ValueStream<Output> where S.Element: Sendable {
        let plan = plan(true, chunkSize, order, buffer, options) { try core.work(suspending: body) }
        return values(plan) { StreamIntake(inputs) }
    }

    /// Calls a closure with both halves of each input and gives the values as a stream.
    ///
    /// - Parameters:
    ///   - inputs: The inputs in pairs.
    ///   - chunkSize: How many items are a chunk, which a worker begins together; 1 if left out. Quick chunks travel in groups.
    ///   - order: Whether results come in the order of the inputs or as items end.
    ///   - buffer: How many inputs are taken ahead of the results at most; by default 4 chunks or groups a worker.
    ///   - options: Limits, retries, label and progress of this call; what it leaves out, the pool's defaults say.
    ///   - body: The work; on worker processes it has to be portable.
    @inlinable
    public func stream<S: Sequence, A: Sendable, B: Sendable, Output: Sendable>(
        _ inputs: S,
        chunkSize: Int? = nil,
        order: StreamOrder = .input,
        buffer: Int? = nil,
        options: WorkOptions = WorkOptions(),
        _ body: @escaping @Sendable (A, B) throws -> Output
    ) -> ValueStream<Output> where S.Element == (A, B) {
        let plan = plan(true, chunkSize, order, buffer, options) {
            try core.work(pairs: body, loop: ItemLoop { try body($0.0, $0.1) })
        }
        return values(plan) { StreamIntake(inputs) }
    }

    /// Calls an asynchronous closure with both halves of each input and gives the values as a stream.
    ///
    /// - Parameters:
    ///   - inputs: The inputs in pairs.
    ///   - chunkSize: How many items are a chunk, which a worker begins together; 1 if left out. Quick chunks travel in groups.
    ///   - order: Whether results come in the order of the inputs or as items end.
    ///   - buffer: How many inputs are taken ahead of the results at most; by default 4 chunks or groups a worker.
    ///   - options: Limits, retries, label and progress of this call; what it leaves out, the pool's defaults say.
    ///   - body: The work; on worker processes it has to be portable.
    @inlinable
    public func stream<S: Sequence, A: Sendable, B: Sendable, Output: Sendable>(
        _ inputs: S,
        chunkSize: Int? = nil,
        order: StreamOrder = .input,
        buffer: Int? = nil,
        options: WorkOptions = WorkOptions(),
        _ body: @escaping @Sendable (A, B) async throws -> Output
    ) -> ValueStream<Output> where S.Element == (A, B) {
        let plan = plan(true, chunkSize, order, buffer, options) { try core.work(suspendingPairs: body) }
        return values(plan) { StreamIntake(inputs) }
    }

    /// Runs jobs on the workers and gives the values as a stream.
    ///
    /// Nothing starts until the first value is asked for. Throws at the first failure, and then stops. <doc:Calls>
    /// has the rules of all calls.
    ///
    /// - Parameters:
    ///   - jobs: The jobs.
    ///   - chunkSize: How many items are a chunk, which a worker begins together; 1 if left out. Quick chunks travel in groups.
    ///   - order: Whether results come in the order of the inputs or as items end.
    ///   - buffer: How many inputs are taken ahead of the results at most; by default 4 chunks or groups a worker.
    ///   - options: Limits, retries, label and progress of this call; what it leaves out, the pool's defaults say.
    @inlinable
    public func stream<S: Sequence>(
        _ jobs: S,
        chunkSize: Int? = nil,
        order: StreamOrder = .input,
        buffer: Int? = nil,
        options: WorkOptions = WorkOptions()
    ) -> ValueStream<S.Element.Output> where S.Element: Job {
        let plan = plan(true, chunkSize, order, buffer, options) { try core.work(S.Element.self) }
        return values(plan) { StreamIntake(jobs) }
    }

    // MARK: Over an asynchronous sequence

    /// Calls a closure with each input of an asynchronous sequence and gives the values as a stream.
    ///
    /// Nothing starts until the first value is asked for. Throws at the first failure, and then stops. <doc:Calls>
    /// has the rules of all calls.
    ///
    /// - Parameters:
    ///   - inputs: The inputs, awaited by a task of the stream's own.
    ///   - chunkSize: How many items travel together; 1 if left out. Quick inputs that are there travel in groups.
    ///   - order: Whether results come in the order of the inputs or as items end.
    ///   - buffer: How many inputs are taken ahead of the results at most; by default 4 chunks or groups a worker.
    ///   - options: Limits, retries, label and progress of this call; what it leaves out, the pool's defaults say.
    ///   - body: The work; on worker processes it has to be portable.
    @inlinable
    public func stream<S: AsyncSequence & Sendable, Output: Sendable>(
        _ inputs: S,
        chunkSize: Int? = nil,
        order: StreamOrder = .input,
        buffer: Int? = nil,
        options: WorkOptions = WorkOptions(),
        _ body: @escaping @Sendable (S.Element) throws -> Output
    ) -> ValueStream<Output> where S.Element: Sendable {
        let plan = plan(true, chunkSize, order, buffer, options) { try core.work(body, loop: ItemLoop(body)) }
        return values(plan, of: inputs)
    }

    /// Calls an asynchronous closure with each input of an asynchronous sequence and gives the values as a stream.
    ///
    /// - Parameters:
    ///   - inputs: The inputs, awaited by a task of the stream's own.
    ///   - chunkSize: How many items travel together; 1 if left out. Quick inputs that are there travel in groups.
    ///   - order: Whether results come in the order of the inputs or as items end.
    ///   - buffer: How many inputs are taken ahead of the results at most; by default 4 chunks or groups a worker.
    ///   - options: Limits, retries, label and progress of this call; what it leaves out, the pool's defaults say.
    ///   - body: The work; on worker processes it has to be portable.
    @inlinable
    public func stream<S: AsyncSequence & Sendable, Output: Sendable>(
        _ inputs: S,
        chunkSize: Int? = nil,
        order: StreamOrder = .input,
        buffer: Int? = nil,
        options: WorkOptions = WorkOptions(),
        _ body: @escaping @Sendable (S.Element) async throws -> Output
    ) -> ValueStream<Output> where S.Element: Sendable {
        let plan = plan(true, chunkSize, order, buffer, options) { try core.work(suspending: body) }
        return values(plan, of: inputs)
    }

    /// Calls a closure with both halves of each input of an asynchronous sequence and gives the values as a stream.
    ///
    /// - Parameters:
    ///   - inputs: The inputs in pairs, awaited by a task of the stream's own.
    ///   - chunkSize: How many items travel together; 1 if left out. Quick inputs that are there travel in groups.
    ///   - order: Whether results come in the order of the inputs or as items end.
    ///   - buffer: How many inputs are taken ahead of the results at most; by default 4 chunks or groups a worker.
    ///   - options: Limits, retries, label and progress of this call; what it leaves out, the pool's defaults say.
    ///   - body: The work; on worker processes it has to be portable.
    @inlinable
    public func stream<S: AsyncSequence & Sendable, A: Sendable, B: Sendable, Output: Sendable>(
        _ inputs: S,
        chunkSize: Int? = nil,
        order: StreamOrder = .input,
        buffer: Int? = nil,
        options: WorkOptions = WorkOptions(),
        _ body: @escaping @Sendable (A, B) throws -> Output
    ) -> ValueStream<Output> where S.Element == (A, B) {
        let plan = plan(true, chunkSize, order, buffer, options) {
            try core.work(pairs: body, loop: ItemLoop { try body($0.0, $0.1) })
        }
        return values(plan, of: inputs)
    }

    /// Calls an asynchronous closure with both halves of each input of an asynchronous sequence and gives the values
    /// as a stream.
    ///
    /// - Parameters:
    ///   - inputs: The inputs in pairs, awaited by a task of the stream's own.
    ///   - chunkSize: How many items travel together; 1 if left out. Quick inputs that are there travel in groups.
    ///   - order: Whether results come in the order of the inputs or as items end.
    ///   - buffer: How many inputs are taken ahead of the results at most; by default 4 chunks or groups a worker.
    ///   - options: Limits, retries, label and progress of this call; what it leaves out, the pool's defaults say.
    ///   - body: The work; on worker processes it has to be portable.
    @inlinable
    public func stream<S: AsyncSequence & Sendable, A: Sendable, B: Sendable, Output: Sendable>(
        _ inputs: S,
        chunkSize: Int? = nil,
        order: StreamOrder = .input,
        buffer: Int? = nil,
        options: WorkOptions = WorkOptions(),
        _ body: @escaping @Sendable (A, B) async throws -> Output
    ) -> ValueStream<Output> where S.Element == (A, B) {
        let plan = plan(true, chunkSize, order, buffer, options) { try core.work(suspendingPairs: body) }
        return values(plan, of: inputs)
    }

    /// Runs jobs of an asynchronous sequence on the workers and gives the values as a stream.
    ///
    /// - Parameters:
    ///   - jobs: The jobs, awaited by a task of the stream's own.
    ///   - chunkSize: How many items travel together; 1 if left out. Quick inputs that are there travel in groups.
    ///   - order: Whether results come in the order of the inputs or as items end.
    ///   - buffer: How many inputs are taken ahead of the results at most; by default 4 chunks or groups a worker.
    ///   - options: Limits, retries, label and progress of this call; what it leaves out, the pool's defaults say.
    @inlinable
    public func stream<S: AsyncSequence & Sendable>(
        _ jobs: S,
        chunkSize: Int? = nil,
        order: StreamOrder = .input,
        buffer: Int? = nil,
        options: WorkOptions = WorkOptions()
    ) -> ValueStream<S.Element.Output> where S.Element: Job {
        let plan = plan(true, chunkSize, order, buffer, options) { try core.work(S.Element.self) }
        return values(plan, of: jobs)
    }

    /// What a stream is to do, or why it cannot.
    @usableFromInline
    func plan<Input: Sendable, Output: Sendable>(
        _ stopsAtFailure: Bool,
        _ chunkSize: Int?,
        _ order: StreamOrder,
        _ buffer: Int?,
        _ options: WorkOptions,
        work: () throws -> ItemFunction<Input, Output>
    ) -> Result<StreamPlan<Input, Output>, any Error> {
        Result {
            try StreamPlan(
                core: core, keeping: self, work: work(), chunkSize: chunkSize, buffer: buffer, order: order,
                stopsAtFailure: stopsAtFailure, options: core.call(options))
        }
    }
}

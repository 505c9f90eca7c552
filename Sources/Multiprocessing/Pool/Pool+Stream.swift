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
    ///   - chunkSize: How many items travel together; 1 if left out.
    ///   - order: Whether results come in the order of the inputs or as items end.
    ///   - buffer: How many inputs are taken ahead of the results at most; by default 4 chunks a worker.
    ///   - options: Limits, retries, label and progress of this call; what it leaves out, the pool's defaults say.
    ///   - body: The work; on worker processes it has to be portable.
    public func stream<S: Sequence, Output: Sendable>(
        _ inputs: S,
        chunkSize: Int? = nil,
        order: StreamOrder = .input,
        buffer: Int? = nil,
        options: WorkOptions = WorkOptions(),
        _ body: @escaping @Sendable (S.Element) throws -> Output
    ) -> some AsyncSequence<Output, any Error> where S.Element: Sendable {
        let plan = plan(true, chunkSize, order, buffer, options) { try core.work(FunctionBox(body)) }
        return ValueStream { PlannedEngine { try SequenceEngine(inputs, plan.get()) } }
    }

    /// Calls an asynchronous closure with each input and gives the values as a stream.
    ///
    /// - Parameters:
    ///   - inputs: The inputs.
    ///   - chunkSize: How many items travel together; 1 if left out.
    ///   - order: Whether results come in the order of the inputs or as items end.
    ///   - buffer: How many inputs are taken ahead of the results at most; by default 4 chunks a worker.
    ///   - options: Limits, retries, label and progress of this call; what it leaves out, the pool's defaults say.
    ///   - body: The work; on worker processes it has to be portable.
    public func stream<S: Sequence, Output: Sendable>(
        _ inputs: S,
        chunkSize: Int? = nil,
        order: StreamOrder = .input,
        buffer: Int? = nil,
        options: WorkOptions = WorkOptions(),
        _ body: @escaping @Sendable (S.Element) async throws -> Output
    ) -> some AsyncSequence<Output, any Error> where S.Element: Sendable {
        let plan = plan(true, chunkSize, order, buffer, options) { try core.work(AsyncFunctionBox(body)) }
        return ValueStream { PlannedEngine { try SequenceEngine(inputs, plan.get()) } }
    }

    /// Calls a closure with both halves of each input and gives the values as a stream.
    ///
    /// - Parameters:
    ///   - inputs: The inputs in pairs.
    ///   - chunkSize: How many items travel together; 1 if left out.
    ///   - order: Whether results come in the order of the inputs or as items end.
    ///   - buffer: How many inputs are taken ahead of the results at most; by default 4 chunks a worker.
    ///   - options: Limits, retries, label and progress of this call; what it leaves out, the pool's defaults say.
    ///   - body: The work; on worker processes it has to be portable.
    public func stream<S: Sequence, A: Sendable, B: Sendable, Output: Sendable>(
        _ inputs: S,
        chunkSize: Int? = nil,
        order: StreamOrder = .input,
        buffer: Int? = nil,
        options: WorkOptions = WorkOptions(),
        _ body: @escaping @Sendable (A, B) throws -> Output
    ) -> some AsyncSequence<Output, any Error> where S.Element == (A, B) {
        let plan = plan(true, chunkSize, order, buffer, options) { try core.work(BinaryFunctionBox(body)) }
        return ValueStream { PlannedEngine { try SequenceEngine(inputs, plan.get()) } }
    }

    /// Calls an asynchronous closure with both halves of each input and gives the values as a stream.
    ///
    /// - Parameters:
    ///   - inputs: The inputs in pairs.
    ///   - chunkSize: How many items travel together; 1 if left out.
    ///   - order: Whether results come in the order of the inputs or as items end.
    ///   - buffer: How many inputs are taken ahead of the results at most; by default 4 chunks a worker.
    ///   - options: Limits, retries, label and progress of this call; what it leaves out, the pool's defaults say.
    ///   - body: The work; on worker processes it has to be portable.
    public func stream<S: Sequence, A: Sendable, B: Sendable, Output: Sendable>(
        _ inputs: S,
        chunkSize: Int? = nil,
        order: StreamOrder = .input,
        buffer: Int? = nil,
        options: WorkOptions = WorkOptions(),
        _ body: @escaping @Sendable (A, B) async throws -> Output
    ) -> some AsyncSequence<Output, any Error> where S.Element == (A, B) {
        let plan = plan(true, chunkSize, order, buffer, options) { try core.work(AsyncBinaryFunctionBox(body)) }
        return ValueStream { PlannedEngine { try SequenceEngine(inputs, plan.get()) } }
    }

    /// Runs jobs on the workers and gives the values as a stream.
    ///
    /// Nothing starts until the first value is asked for. Throws at the first failure, and then stops. <doc:Calls>
    /// has the rules of all calls.
    ///
    /// - Parameters:
    ///   - jobs: The jobs.
    ///   - chunkSize: How many items travel together; 1 if left out.
    ///   - order: Whether results come in the order of the inputs or as items end.
    ///   - buffer: How many inputs are taken ahead of the results at most; by default 4 chunks a worker.
    ///   - options: Limits, retries, label and progress of this call; what it leaves out, the pool's defaults say.
    public func stream<S: Sequence>(
        _ jobs: S,
        chunkSize: Int? = nil,
        order: StreamOrder = .input,
        buffer: Int? = nil,
        options: WorkOptions = WorkOptions()
    ) -> some AsyncSequence<S.Element.Output, any Error> where S.Element: Job {
        let plan = plan(true, chunkSize, order, buffer, options) { try core.work(S.Element.self) }
        return ValueStream { PlannedEngine { try SequenceEngine(jobs, plan.get()) } }
    }

    // MARK: Over an asynchronous sequence

    /// Calls a closure with each input of an asynchronous sequence and gives the values as a stream.
    ///
    /// Nothing starts until the first value is asked for. Throws at the first failure, and then stops. <doc:Calls>
    /// has the rules of all calls.
    ///
    /// - Parameters:
    ///   - inputs: The inputs, awaited by a task of the stream's own.
    ///   - chunkSize: How many items travel together; 1 if left out.
    ///   - order: Whether results come in the order of the inputs or as items end.
    ///   - buffer: How many inputs are taken ahead of the results at most; by default 4 chunks a worker.
    ///   - options: Limits, retries, label and progress of this call; what it leaves out, the pool's defaults say.
    ///   - body: The work; on worker processes it has to be portable.
    public func stream<S: AsyncSequence & Sendable, Output: Sendable>(
        _ inputs: S,
        chunkSize: Int? = nil,
        order: StreamOrder = .input,
        buffer: Int? = nil,
        options: WorkOptions = WorkOptions(),
        _ body: @escaping @Sendable (S.Element) throws -> Output
    ) -> some AsyncSequence<Output, any Error> where S.Element: Sendable {
        let plan = plan(true, chunkSize, order, buffer, options) { try core.work(FunctionBox(body)) }
        return ValueStream { PlannedEngine { try AsyncSequenceEngine(inputs, plan.get()) } }
    }

    /// Calls an asynchronous closure with each input of an asynchronous sequence and gives the values as a stream.
    ///
    /// - Parameters:
    ///   - inputs: The inputs, awaited by a task of the stream's own.
    ///   - chunkSize: How many items travel together; 1 if left out.
    ///   - order: Whether results come in the order of the inputs or as items end.
    ///   - buffer: How many inputs are taken ahead of the results at most; by default 4 chunks a worker.
    ///   - options: Limits, retries, label and progress of this call; what it leaves out, the pool's defaults say.
    ///   - body: The work; on worker processes it has to be portable.
    public func stream<S: AsyncSequence & Sendable, Output: Sendable>(
        _ inputs: S,
        chunkSize: Int? = nil,
        order: StreamOrder = .input,
        buffer: Int? = nil,
        options: WorkOptions = WorkOptions(),
        _ body: @escaping @Sendable (S.Element) async throws -> Output
    ) -> some AsyncSequence<Output, any Error> where S.Element: Sendable {
        let plan = plan(true, chunkSize, order, buffer, options) { try core.work(AsyncFunctionBox(body)) }
        return ValueStream { PlannedEngine { try AsyncSequenceEngine(inputs, plan.get()) } }
    }

    /// Calls a closure with both halves of each input of an asynchronous sequence and gives the values as a stream.
    ///
    /// - Parameters:
    ///   - inputs: The inputs in pairs, awaited by a task of the stream's own.
    ///   - chunkSize: How many items travel together; 1 if left out.
    ///   - order: Whether results come in the order of the inputs or as items end.
    ///   - buffer: How many inputs are taken ahead of the results at most; by default 4 chunks a worker.
    ///   - options: Limits, retries, label and progress of this call; what it leaves out, the pool's defaults say.
    ///   - body: The work; on worker processes it has to be portable.
    public func stream<S: AsyncSequence & Sendable, A: Sendable, B: Sendable, Output: Sendable>(
        _ inputs: S,
        chunkSize: Int? = nil,
        order: StreamOrder = .input,
        buffer: Int? = nil,
        options: WorkOptions = WorkOptions(),
        _ body: @escaping @Sendable (A, B) throws -> Output
    ) -> some AsyncSequence<Output, any Error> where S.Element == (A, B) {
        let plan = plan(true, chunkSize, order, buffer, options) { try core.work(BinaryFunctionBox(body)) }
        return ValueStream { PlannedEngine { try AsyncSequenceEngine(inputs, plan.get()) } }
    }

    /// Calls an asynchronous closure with both halves of each input of an asynchronous sequence and gives the values
    /// as a stream.
    ///
    /// - Parameters:
    ///   - inputs: The inputs in pairs, awaited by a task of the stream's own.
    ///   - chunkSize: How many items travel together; 1 if left out.
    ///   - order: Whether results come in the order of the inputs or as items end.
    ///   - buffer: How many inputs are taken ahead of the results at most; by default 4 chunks a worker.
    ///   - options: Limits, retries, label and progress of this call; what it leaves out, the pool's defaults say.
    ///   - body: The work; on worker processes it has to be portable.
    public func stream<S: AsyncSequence & Sendable, A: Sendable, B: Sendable, Output: Sendable>(
        _ inputs: S,
        chunkSize: Int? = nil,
        order: StreamOrder = .input,
        buffer: Int? = nil,
        options: WorkOptions = WorkOptions(),
        _ body: @escaping @Sendable (A, B) async throws -> Output
    ) -> some AsyncSequence<Output, any Error> where S.Element == (A, B) {
        let plan = plan(true, chunkSize, order, buffer, options) { try core.work(AsyncBinaryFunctionBox(body)) }
        return ValueStream { PlannedEngine { try AsyncSequenceEngine(inputs, plan.get()) } }
    }

    /// Runs jobs of an asynchronous sequence on the workers and gives the values as a stream.
    ///
    /// - Parameters:
    ///   - jobs: The jobs, awaited by a task of the stream's own.
    ///   - chunkSize: How many items travel together; 1 if left out.
    ///   - order: Whether results come in the order of the inputs or as items end.
    ///   - buffer: How many inputs are taken ahead of the results at most; by default 4 chunks a worker.
    ///   - options: Limits, retries, label and progress of this call; what it leaves out, the pool's defaults say.
    public func stream<S: AsyncSequence & Sendable>(
        _ jobs: S,
        chunkSize: Int? = nil,
        order: StreamOrder = .input,
        buffer: Int? = nil,
        options: WorkOptions = WorkOptions()
    ) -> some AsyncSequence<S.Element.Output, any Error> where S.Element: Job {
        let plan = plan(true, chunkSize, order, buffer, options) { try core.work(S.Element.self) }
        return ValueStream { PlannedEngine { try AsyncSequenceEngine(jobs, plan.get()) } }
    }

    /// What a stream is to do, or why it cannot.
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

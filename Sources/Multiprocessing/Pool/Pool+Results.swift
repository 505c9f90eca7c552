extension Pool {
    // MARK: Over a sequence

    /// Calls a closure with each input on the workers, as results are taken, and gives one result for each.
    ///
    /// Nothing happens until the first result is asked for. Inputs are taken only as fast as
    /// results are, so an endless sequence will do. A failure is a result like any other, and
    /// the stream goes on; letting go of the iterator stops it, and cancels what runs.
    ///
    /// - Parameters:
    ///   - inputs: The inputs.
    ///   - chunkSize: How many items travel together; 1 if left out.
    ///   - order: Whether results come in the order of the inputs or as items end.
    ///   - buffer: How many inputs are taken ahead of the results at most; by default 4 chunks a worker.
    ///   - body: The work; on worker processes it has to be portable.
    public func results<S: Sequence, Output: Sendable>(
        _ inputs: S,
        chunkSize: Int? = nil,
        order: StreamOrder = .input,
        buffer: Int? = nil,
        options: WorkOptions = WorkOptions(),
        _ body: @escaping @Sendable (S.Element) throws -> Output
    ) -> some AsyncSequence<Result<Output, any Error>, Never> where S.Element: Sendable {
        let plan = plan(false, chunkSize, order, buffer, options) { try core.work(body) }
        return ResultStream { PlannedEngine { try SequenceEngine(inputs, plan.get()) } }
    }

    /// Calls a closure with each input on the workers, as results are taken, and gives one result for each.
    ///
    /// Nothing happens until the first result is asked for. Inputs are taken only as fast as
    /// results are, so an endless sequence will do. A failure is a result like any other, and
    /// the stream goes on; letting go of the iterator stops it, and cancels what runs.
    ///
    /// - Parameters:
    ///   - inputs: The inputs.
    ///   - chunkSize: How many items travel together; 1 if left out.
    ///   - order: Whether results come in the order of the inputs or as items end.
    ///   - buffer: How many inputs are taken ahead of the results at most; by default 4 chunks a worker.
    ///   - body: The work; on worker processes it has to be portable.
    public func results<S: Sequence, Output: Sendable>(
        _ inputs: S,
        chunkSize: Int? = nil,
        order: StreamOrder = .input,
        buffer: Int? = nil,
        options: WorkOptions = WorkOptions(),
        _ body: @escaping @Sendable (S.Element) async throws -> Output
    ) -> some AsyncSequence<Result<Output, any Error>, Never> where S.Element: Sendable {
        let plan = plan(false, chunkSize, order, buffer, options) { try core.work(body) }
        return ResultStream { PlannedEngine { try SequenceEngine(inputs, plan.get()) } }
    }

    /// Calls a closure with each input on the workers, as results are taken, and gives one result for each.
    ///
    /// Nothing happens until the first result is asked for. Inputs are taken only as fast as
    /// results are, so an endless sequence will do. A failure is a result like any other, and
    /// the stream goes on; letting go of the iterator stops it, and cancels what runs.
    ///
    /// - Parameters:
    ///   - inputs: The inputs, in pairs.
    ///   - chunkSize: How many items travel together; 1 if left out.
    ///   - order: Whether results come in the order of the inputs or as items end.
    ///   - buffer: How many inputs are taken ahead of the results at most; by default 4 chunks a worker.
    ///   - body: The work; on worker processes it has to be portable.
    public func results<S: Sequence, A: Sendable, B: Sendable, Output: Sendable>(
        _ inputs: S,
        chunkSize: Int? = nil,
        order: StreamOrder = .input,
        buffer: Int? = nil,
        options: WorkOptions = WorkOptions(),
        _ body: @escaping @Sendable (A, B) throws -> Output
    ) -> some AsyncSequence<Result<Output, any Error>, Never> where S.Element == (A, B) {
        let plan = plan(false, chunkSize, order, buffer, options) { try core.work(pairs: body) }
        return ResultStream { PlannedEngine { try SequenceEngine(inputs, plan.get()) } }
    }

    /// Calls a closure with each input on the workers, as results are taken, and gives one result for each.
    ///
    /// Nothing happens until the first result is asked for. Inputs are taken only as fast as
    /// results are, so an endless sequence will do. A failure is a result like any other, and
    /// the stream goes on; letting go of the iterator stops it, and cancels what runs.
    ///
    /// - Parameters:
    ///   - inputs: The inputs, in pairs.
    ///   - chunkSize: How many items travel together; 1 if left out.
    ///   - order: Whether results come in the order of the inputs or as items end.
    ///   - buffer: How many inputs are taken ahead of the results at most; by default 4 chunks a worker.
    ///   - body: The work; on worker processes it has to be portable.
    public func results<S: Sequence, A: Sendable, B: Sendable, Output: Sendable>(
        _ inputs: S,
        chunkSize: Int? = nil,
        order: StreamOrder = .input,
        buffer: Int? = nil,
        options: WorkOptions = WorkOptions(),
        _ body: @escaping @Sendable (A, B) async throws -> Output
    ) -> some AsyncSequence<Result<Output, any Error>, Never> where S.Element == (A, B) {
        let plan = plan(false, chunkSize, order, buffer, options) { try core.work(pairs: body) }
        return ResultStream { PlannedEngine { try SequenceEngine(inputs, plan.get()) } }
    }

    /// Runs jobs on the workers, as results are taken, and gives one result for each.
    ///
    /// Nothing happens until the first result is asked for. Inputs are taken only as fast as
    /// results are, so an endless sequence will do. A failure is a result like any other, and
    /// the stream goes on; letting go of the iterator stops it, and cancels what runs.
    ///
    /// - Parameters:
    ///   - jobs: The jobs.
    ///   - chunkSize: How many items travel together; 1 if left out.
    ///   - order: Whether results come in the order of the inputs or as items end.
    ///   - buffer: How many inputs are taken ahead of the results at most; by default 4 chunks a worker.
    public func results<S: Sequence>(
        _ jobs: S,
        chunkSize: Int? = nil,
        order: StreamOrder = .input,
        buffer: Int? = nil,
        options: WorkOptions = WorkOptions()
    ) -> some AsyncSequence<Result<S.Element.Output, any Error>, Never> where S.Element: Job {
        let plan = plan(false, chunkSize, order, buffer, options) { try core.work(S.Element.self) }
        return ResultStream { PlannedEngine { try SequenceEngine(jobs, plan.get()) } }
    }

    // MARK: Over an asynchronous sequence

    /// Calls a closure with each input on the workers, as results are taken, and gives one result for each.
    ///
    /// Nothing happens until the first result is asked for. Inputs are taken only as fast as
    /// results are, so an endless sequence will do. A failure is a result like any other, and
    /// the stream goes on; letting go of the iterator stops it, and cancels what runs.
    ///
    /// - Parameters:
    ///   - inputs: The inputs, awaited by a task of the stream's own.
    ///   - chunkSize: How many items travel together; 1 if left out.
    ///   - order: Whether results come in the order of the inputs or as items end.
    ///   - buffer: How many inputs are taken ahead of the results at most; by default 4 chunks a worker.
    ///   - body: The work; on worker processes it has to be portable.
    public func results<S: AsyncSequence & Sendable, Output: Sendable>(
        _ inputs: S,
        chunkSize: Int? = nil,
        order: StreamOrder = .input,
        buffer: Int? = nil,
        options: WorkOptions = WorkOptions(),
        _ body: @escaping @Sendable (S.Element) throws -> Output
    ) -> some AsyncSequence<Result<Output, any Error>, Never> where S.Element: Sendable {
        let plan = plan(false, chunkSize, order, buffer, options) { try core.work(body) }
        return ResultStream { PlannedEngine { try AsyncSequenceEngine(inputs, plan.get()) } }
    }

    /// Calls a closure with each input on the workers, as results are taken, and gives one result for each.
    ///
    /// Nothing happens until the first result is asked for. Inputs are taken only as fast as
    /// results are, so an endless sequence will do. A failure is a result like any other, and
    /// the stream goes on; letting go of the iterator stops it, and cancels what runs.
    ///
    /// - Parameters:
    ///   - inputs: The inputs, awaited by a task of the stream's own.
    ///   - chunkSize: How many items travel together; 1 if left out.
    ///   - order: Whether results come in the order of the inputs or as items end.
    ///   - buffer: How many inputs are taken ahead of the results at most; by default 4 chunks a worker.
    ///   - body: The work; on worker processes it has to be portable.
    public func results<S: AsyncSequence & Sendable, Output: Sendable>(
        _ inputs: S,
        chunkSize: Int? = nil,
        order: StreamOrder = .input,
        buffer: Int? = nil,
        options: WorkOptions = WorkOptions(),
        _ body: @escaping @Sendable (S.Element) async throws -> Output
    ) -> some AsyncSequence<Result<Output, any Error>, Never> where S.Element: Sendable {
        let plan = plan(false, chunkSize, order, buffer, options) { try core.work(body) }
        return ResultStream { PlannedEngine { try AsyncSequenceEngine(inputs, plan.get()) } }
    }

    /// Calls a closure with each input on the workers, as results are taken, and gives one result for each.
    ///
    /// Nothing happens until the first result is asked for. Inputs are taken only as fast as
    /// results are, so an endless sequence will do. A failure is a result like any other, and
    /// the stream goes on; letting go of the iterator stops it, and cancels what runs.
    ///
    /// - Parameters:
    ///   - inputs: The inputs, in pairs, awaited by a task of the stream's own.
    ///   - chunkSize: How many items travel together; 1 if left out.
    ///   - order: Whether results come in the order of the inputs or as items end.
    ///   - buffer: How many inputs are taken ahead of the results at most; by default 4 chunks a worker.
    ///   - body: The work; on worker processes it has to be portable.
    public func results<S: AsyncSequence & Sendable, A: Sendable, B: Sendable, Output: Sendable>(
        _ inputs: S,
        chunkSize: Int? = nil,
        order: StreamOrder = .input,
        buffer: Int? = nil,
        options: WorkOptions = WorkOptions(),
        _ body: @escaping @Sendable (A, B) throws -> Output
    ) -> some AsyncSequence<Result<Output, any Error>, Never> where S.Element == (A, B) {
        let plan = plan(false, chunkSize, order, buffer, options) { try core.work(pairs: body) }
        return ResultStream { PlannedEngine { try AsyncSequenceEngine(inputs, plan.get()) } }
    }

    /// Calls a closure with each input on the workers, as results are taken, and gives one result for each.
    ///
    /// Nothing happens until the first result is asked for. Inputs are taken only as fast as
    /// results are, so an endless sequence will do. A failure is a result like any other, and
    /// the stream goes on; letting go of the iterator stops it, and cancels what runs.
    ///
    /// - Parameters:
    ///   - inputs: The inputs, in pairs, awaited by a task of the stream's own.
    ///   - chunkSize: How many items travel together; 1 if left out.
    ///   - order: Whether results come in the order of the inputs or as items end.
    ///   - buffer: How many inputs are taken ahead of the results at most; by default 4 chunks a worker.
    ///   - body: The work; on worker processes it has to be portable.
    public func results<S: AsyncSequence & Sendable, A: Sendable, B: Sendable, Output: Sendable>(
        _ inputs: S,
        chunkSize: Int? = nil,
        order: StreamOrder = .input,
        buffer: Int? = nil,
        options: WorkOptions = WorkOptions(),
        _ body: @escaping @Sendable (A, B) async throws -> Output
    ) -> some AsyncSequence<Result<Output, any Error>, Never> where S.Element == (A, B) {
        let plan = plan(false, chunkSize, order, buffer, options) { try core.work(pairs: body) }
        return ResultStream { PlannedEngine { try AsyncSequenceEngine(inputs, plan.get()) } }
    }

    /// Runs jobs on the workers, as results are taken, and gives one result for each.
    ///
    /// Nothing happens until the first result is asked for. Inputs are taken only as fast as
    /// results are, so an endless sequence will do. A failure is a result like any other, and
    /// the stream goes on; letting go of the iterator stops it, and cancels what runs.
    ///
    /// - Parameters:
    ///   - jobs: The jobs, awaited by a task of the stream's own.
    ///   - chunkSize: How many items travel together; 1 if left out.
    ///   - order: Whether results come in the order of the inputs or as items end.
    ///   - buffer: How many inputs are taken ahead of the results at most; by default 4 chunks a worker.
    public func results<S: AsyncSequence & Sendable>(
        _ jobs: S,
        chunkSize: Int? = nil,
        order: StreamOrder = .input,
        buffer: Int? = nil,
        options: WorkOptions = WorkOptions()
    ) -> some AsyncSequence<Result<S.Element.Output, any Error>, Never> where S.Element: Job {
        let plan = plan(false, chunkSize, order, buffer, options) { try core.work(S.Element.self) }
        return ResultStream { PlannedEngine { try AsyncSequenceEngine(jobs, plan.get()) } }
    }
}

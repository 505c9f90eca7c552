import MultiprocessingRuntime

/// Many items without a result.
extension Pool {
    // MARK: Jobs

    /// Runs jobs without a result on the workers and waits for all.
    ///
    /// Suspends until all have ended, and fails fast. <doc:Calls> has the rules of all calls.
    ///
    /// - Parameters:
    ///   - jobs: The jobs.
    ///   - chunkSize: How many jobs travel together; if left out, as many as run for about a millisecond.
    ///   - options: Limits, retries, label and progress of this call; what it leaves out, the pool's defaults say.
    /// - Throws: What the first job in order that failed threw, `CancellationError`, or ``PoolError``.
    nonisolated(nonsending) public func forEach<S: Sequence>(
        _ jobs: S,
        chunkSize: Int? = nil,
        options: WorkOptions = WorkOptions()
    ) async throws where S.Element: VoidJob {
        _ = try await core.map(Intake(jobs), core.work(S.Element.self), chunkSize: chunkSize, options: options)
    }

    // MARK: Closures

    /// Calls a closure with each input and waits for all.
    ///
    /// Suspends until all have ended, and fails fast. <doc:Calls> has the rules of all calls.
    ///
    /// - Parameters:
    ///   - inputs: The inputs.
    ///   - chunkSize: How many items travel together; if left out, as many as run for about a millisecond.
    ///   - options: Limits, retries, label and progress of this call; what it leaves out, the pool's defaults say.
    ///   - body: The work; on worker processes it has to be portable.
    /// - Throws: What the closure threw for the first input in order that failed, `CancellationError`, or
    ///   ``PoolError``.
    @inlinable
    nonisolated(nonsending) public func forEach<S: Sequence>(
        _ inputs: S,
        chunkSize: Int? = nil,
        options: WorkOptions = WorkOptions(),
        _ body: @escaping @Sendable (S.Element) throws -> Void
    ) async throws where S.Element: Sendable {
        _ = try await core.map(
            Intake(inputs), core.work(procedure: body), loop: ItemLoop(body), chunkSize: chunkSize, options: options)
    }

    /// Calls an asynchronous closure with each input and waits for all.
    ///
    /// Suspends until all have ended, and fails fast. <doc:Calls> has the rules of all calls.
    ///
    /// - Parameters:
    ///   - inputs: The inputs.
    ///   - chunkSize: How many items travel together; if left out, as many as run for about a millisecond.
    ///   - options: Limits, retries, label and progress of this call; what it leaves out, the pool's defaults say.
    ///   - body: The work; on worker processes it has to be portable.
    /// - Throws: What the closure threw for the first input in order that failed, `CancellationError`, or
    ///   ``PoolError``.
    nonisolated(nonsending) public func forEach<S: Sequence>(
        _ inputs: S,
        chunkSize: Int? = nil,
        options: WorkOptions = WorkOptions(),
        _ body: @escaping @Sendable (S.Element) async throws -> Void
    ) async throws where S.Element: Sendable {
        _ = try await core.map(
            Intake(inputs), core.work(AsyncProcedureBox(body)), chunkSize: chunkSize, options: options)
    }

    /// Calls a closure with both halves of each input and waits for all.
    ///
    /// - Parameters:
    ///   - inputs: The inputs in pairs, as `zip` makes them.
    ///   - chunkSize: How many items travel together; if left out, as many as run for about a millisecond.
    ///   - options: Limits, retries, label and progress of this call; what it leaves out, the pool's defaults say.
    ///   - body: The work; on worker processes it has to be portable.
    /// - Throws: What the closure threw for the first input in order that failed, `CancellationError`, or
    ///   ``PoolError``.
    @inlinable
    nonisolated(nonsending) public func forEach<S: Sequence, A: Sendable, B: Sendable>(
        _ inputs: S,
        chunkSize: Int? = nil,
        options: WorkOptions = WorkOptions(),
        _ body: @escaping @Sendable (A, B) throws -> Void
    ) async throws where S.Element == (A, B) {
        _ = try await core.map(
            Intake(inputs), core.work(pairProcedure: body), loop: ItemLoop { try body($0.0, $0.1) },
            chunkSize: chunkSize, options: options)
    }

    /// Calls an asynchronous closure with both halves of each input and waits for all.
    ///
    /// - Parameters:
    ///   - inputs: The inputs in pairs, as `zip` makes them.
    ///   - chunkSize: How many items travel together; if left out, as many as run for about a millisecond.
    ///   - options: Limits, retries, label and progress of this call; what it leaves out, the pool's defaults say.
    ///   - body: The work; on worker processes it has to be portable.
    /// - Throws: What the closure threw for the first input in order that failed, `CancellationError`, or
    ///   ``PoolError``.
    nonisolated(nonsending) public func forEach<S: Sequence, A: Sendable, B: Sendable>(
        _ inputs: S,
        chunkSize: Int? = nil,
        options: WorkOptions = WorkOptions(),
        _ body: @escaping @Sendable (A, B) async throws -> Void
    ) async throws where S.Element == (A, B) {
        _ = try await core.map(
            Intake(inputs), core.work(AsyncBinaryProcedureBox(body)), chunkSize: chunkSize, options: options)
    }

    /// Calls a closure with each input and a shared value and waits for all.
    ///
    /// - Parameters:
    ///   - inputs: The inputs.
    ///   - shared: The second argument for all items, sent to each worker once.
    ///   - chunkSize: How many items travel together; if left out, as many as run for about a millisecond.
    ///   - options: Limits, retries, label and progress of this call; what it leaves out, the pool's defaults say.
    ///   - body: The work; on worker processes it has to be portable.
    /// - Throws: What the closure threw for the first input in order that failed, `CancellationError`, or
    ///   ``PoolError``.
    @inlinable
    nonisolated(nonsending) public func forEach<S: Sequence, C: Sendable>(
        _ inputs: S,
        with shared: C,
        chunkSize: Int? = nil,
        options: WorkOptions = WorkOptions(),
        _ body: @escaping @Sendable (S.Element, C) throws -> Void
    ) async throws where S.Element: Sendable {
        _ = try await core.map(
            Intake(inputs), core.work(sharing: shared, procedure: body), loop: ItemLoop { try body($0, shared) },
            chunkSize: chunkSize, options: options)
    }

    /// Calls an asynchronous closure with each input and a shared value and waits for all.
    ///
    /// - Parameters:
    ///   - inputs: The inputs.
    ///   - shared: The second argument for all items, sent to each worker once.
    ///   - chunkSize: How many items travel together; if left out, as many as run for about a millisecond.
    ///   - options: Limits, retries, label and progress of this call; what it leaves out, the pool's defaults say.
    ///   - body: The work; on worker processes it has to be portable.
    /// - Throws: What the closure threw for the first input in order that failed, `CancellationError`, or
    ///   ``PoolError``.
    nonisolated(nonsending) public func forEach<S: Sequence, C: Sendable>(
        _ inputs: S,
        with shared: C,
        chunkSize: Int? = nil,
        options: WorkOptions = WorkOptions(),
        _ body: @escaping @Sendable (S.Element, C) async throws -> Void
    ) async throws where S.Element: Sendable {
        _ = try await core.map(
            Intake(inputs), core.work(AsyncBinaryProcedureBox(body), sharing: shared),
            chunkSize: chunkSize, options: options)
    }
}

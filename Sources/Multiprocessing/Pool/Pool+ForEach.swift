extension Pool {
    // MARK: Jobs

    /// Runs jobs without a result on the workers and waits for all.
    ///
    /// Fails fast and is cancelled as `map` is.
    ///
    /// - Parameters:
    ///   - jobs: The jobs; taken in the caller's own calls, a few chunks ahead of the workers.
    ///   - chunkSize: How many jobs travel together; chosen by the time that they take if left out.
    /// - Throws: What a job threw, `CancellationError`, or ``PoolError``.
    nonisolated(nonsending) public func forEach<S: Sequence>(
        _ jobs: S,
        chunkSize: Int? = nil,
        options: WorkOptions = WorkOptions()
    ) async throws where S.Element: VoidJob {
        _ = try await core.map(Intake(jobs), core.work(S.Element.self), chunkSize: chunkSize, options: options)
    }

    // MARK: Closures

    /// Calls a closure with each input on the workers and waits for all.
    ///
    /// Suspends until all have ended. Fails fast: at the first failure no further chunk starts,
    /// what runs is cancelled, and the error of the first item in order that failed is thrown.
    /// When the task is cancelled this throws `CancellationError` at once.
    ///
    /// - Parameters:
    ///   - inputs: The inputs; taken in the caller's own calls, a few chunks ahead of the workers.
    ///   - chunkSize: How many items travel together. By default a chunk grows until it runs for
    ///     about a millisecond, which makes the cost of sending it small.
    ///   - body: The work; on worker processes it has to be portable.
    /// - Throws: What the closure threw, `CancellationError`, or ``PoolError``.
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

    /// Calls a closure with each input on the workers and waits for all.
    ///
    /// Suspends until all have ended. Fails fast: at the first failure no further chunk starts,
    /// what runs is cancelled, and the error of the first item in order that failed is thrown.
    /// When the task is cancelled this throws `CancellationError` at once.
    ///
    /// - Parameters:
    ///   - inputs: The inputs; taken in the caller's own calls, a few chunks ahead of the workers.
    ///   - chunkSize: How many items travel together. By default a chunk grows until it runs for
    ///     about a millisecond, which makes the cost of sending it small.
    ///   - body: The work; on worker processes it has to be portable.
    /// - Throws: What the closure threw, `CancellationError`, or ``PoolError``.
    nonisolated(nonsending) public func forEach<S: Sequence>(
        _ inputs: S,
        chunkSize: Int? = nil,
        options: WorkOptions = WorkOptions(),
        _ body: @escaping @Sendable (S.Element) async throws -> Void
    ) async throws where S.Element: Sendable {
        _ = try await core.map(Intake(inputs), core.work(procedure: body), chunkSize: chunkSize, options: options)
    }

    /// Calls a closure with each input on the workers and waits for all.
    ///
    /// Suspends until all have ended. Fails fast: at the first failure no further chunk starts,
    /// what runs is cancelled, and the error of the first item in order that failed is thrown.
    /// When the task is cancelled this throws `CancellationError` at once.
    ///
    /// - Parameters:
    ///   - inputs: The inputs, in pairs, as `zip` makes them; taken in the caller's own calls, a few chunks ahead of the workers.
    ///   - chunkSize: How many items travel together. By default a chunk grows until it runs for
    ///     about a millisecond, which makes the cost of sending it small.
    ///   - body: The work; on worker processes it has to be portable.
    /// - Throws: What the closure threw, `CancellationError`, or ``PoolError``.
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

    /// Calls a closure with each input on the workers and waits for all.
    ///
    /// Suspends until all have ended. Fails fast: at the first failure no further chunk starts,
    /// what runs is cancelled, and the error of the first item in order that failed is thrown.
    /// When the task is cancelled this throws `CancellationError` at once.
    ///
    /// - Parameters:
    ///   - inputs: The inputs, in pairs, as `zip` makes them; taken in the caller's own calls, a few chunks ahead of the workers.
    ///   - chunkSize: How many items travel together. By default a chunk grows until it runs for
    ///     about a millisecond, which makes the cost of sending it small.
    ///   - body: The work; on worker processes it has to be portable.
    /// - Throws: What the closure threw, `CancellationError`, or ``PoolError``.
    nonisolated(nonsending) public func forEach<S: Sequence, A: Sendable, B: Sendable>(
        _ inputs: S,
        chunkSize: Int? = nil,
        options: WorkOptions = WorkOptions(),
        _ body: @escaping @Sendable (A, B) async throws -> Void
    ) async throws where S.Element == (A, B) {
        _ = try await core.map(Intake(inputs), core.work(pairProcedure: body), chunkSize: chunkSize, options: options)
    }

    /// Calls a closure with each input on the workers and waits for all.
    ///
    /// Suspends until all have ended. Fails fast: at the first failure no further chunk starts,
    /// what runs is cancelled, and the error of the first item in order that failed is thrown.
    /// When the task is cancelled this throws `CancellationError` at once.
    ///
    /// - Parameters:
    ///   - inputs: The inputs; taken in the caller's own calls, a few chunks ahead of the workers.
    ///   - shared: A value for all items, sent to each worker once.
    ///   - chunkSize: How many items travel together. By default a chunk grows until it runs for
    ///     about a millisecond, which makes the cost of sending it small.
    ///   - body: The work; on worker processes it has to be portable.
    /// - Throws: What the closure threw, `CancellationError`, or ``PoolError``.
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

    /// Calls a closure with each input on the workers and waits for all.
    ///
    /// Suspends until all have ended. Fails fast: at the first failure no further chunk starts,
    /// what runs is cancelled, and the error of the first item in order that failed is thrown.
    /// When the task is cancelled this throws `CancellationError` at once.
    ///
    /// - Parameters:
    ///   - inputs: The inputs; taken in the caller's own calls, a few chunks ahead of the workers.
    ///   - shared: A value for all items, sent to each worker once.
    ///   - chunkSize: How many items travel together. By default a chunk grows until it runs for
    ///     about a millisecond, which makes the cost of sending it small.
    ///   - body: The work; on worker processes it has to be portable.
    /// - Throws: What the closure threw, `CancellationError`, or ``PoolError``.
    nonisolated(nonsending) public func forEach<S: Sequence, C: Sendable>(
        _ inputs: S,
        with shared: C,
        chunkSize: Int? = nil,
        options: WorkOptions = WorkOptions(),
        _ body: @escaping @Sendable (S.Element, C) async throws -> Void
    ) async throws where S.Element: Sendable {
        _ = try await core.map(
            Intake(inputs), core.work(sharing: shared, procedure: body), chunkSize: chunkSize, options: options)
    }
}

extension Pool {
    // MARK: Jobs

    /// Runs jobs on the workers and returns their outputs in order.
    ///
    /// Suspends until all have ended. Fails fast: at the first failure no further chunk starts,
    /// what runs is cancelled, and the error of the first job in order that failed is thrown.
    /// When the task is cancelled this throws `CancellationError` at once.
    ///
    /// - Parameters:
    ///   - jobs: The jobs; taken in the caller's own calls, a few chunks ahead of the workers.
    ///   - chunkSize: How many jobs travel together. By default a chunk grows until it runs for
    ///     about a millisecond, which makes the cost of sending it small.
    /// - Throws: What a job threw, `CancellationError`, or ``PoolError``.
    nonisolated(nonsending) public func map<S: Sequence>(
        _ jobs: S,
        chunkSize: Int? = nil,
        options: WorkOptions = WorkOptions()
    ) async throws -> [S.Element.Output] where S.Element: Job {
        try await core.map(Intake(jobs), core.work(S.Element.self), chunkSize: chunkSize, options: options)
    }

    // MARK: Closures

    /// Calls a closure with each input on the workers and returns the values in input order.
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
    nonisolated(nonsending) public func map<S: Sequence, Output: Sendable>(
        _ inputs: S,
        chunkSize: Int? = nil,
        options: WorkOptions = WorkOptions(),
        _ body: @escaping @Sendable (S.Element) throws -> Output
    ) async throws -> [Output] where S.Element: Sendable {
        try await core.map(
            Intake(inputs), core.work(body), loop: ItemLoop(body), chunkSize: chunkSize, options: options)
    }

    /// Calls a closure with each input on the workers and returns the values in input order.
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
    nonisolated(nonsending) public func map<S: Sequence, Output: Sendable>(
        _ inputs: S,
        chunkSize: Int? = nil,
        options: WorkOptions = WorkOptions(),
        _ body: @escaping @Sendable (S.Element) async throws -> Output
    ) async throws -> [Output] where S.Element: Sendable {
        try await core.map(Intake(inputs), core.work(body), chunkSize: chunkSize, options: options)
    }

    /// Calls a closure with each input on the workers and returns the values in input order.
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
    nonisolated(nonsending) public func map<S: Sequence, A: Sendable, B: Sendable, Output: Sendable>(
        _ inputs: S,
        chunkSize: Int? = nil,
        options: WorkOptions = WorkOptions(),
        _ body: @escaping @Sendable (A, B) throws -> Output
    ) async throws -> [Output] where S.Element == (A, B) {
        try await core.map(
            Intake(inputs), core.work(pairs: body), loop: ItemLoop { try body($0.0, $0.1) }, chunkSize: chunkSize,
            options: options)
    }

    /// Calls a closure with each input on the workers and returns the values in input order.
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
    nonisolated(nonsending) public func map<S: Sequence, A: Sendable, B: Sendable, Output: Sendable>(
        _ inputs: S,
        chunkSize: Int? = nil,
        options: WorkOptions = WorkOptions(),
        _ body: @escaping @Sendable (A, B) async throws -> Output
    ) async throws -> [Output] where S.Element == (A, B) {
        try await core.map(Intake(inputs), core.work(pairs: body), chunkSize: chunkSize, options: options)
    }

    /// Calls a closure with each input on the workers and returns the values in input order.
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
    nonisolated(nonsending) public func map<S: Sequence, C: Sendable, Output: Sendable>(
        _ inputs: S,
        with shared: C,
        chunkSize: Int? = nil,
        options: WorkOptions = WorkOptions(),
        _ body: @escaping @Sendable (S.Element, C) throws -> Output
    ) async throws -> [Output] where S.Element: Sendable {
        try await core.map(
            Intake(inputs), core.work(sharing: shared, body), loop: ItemLoop { try body($0, shared) },
            chunkSize: chunkSize, options: options)
    }

    /// Calls a closure with each input on the workers and returns the values in input order.
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
    nonisolated(nonsending) public func map<S: Sequence, C: Sendable, Output: Sendable>(
        _ inputs: S,
        with shared: C,
        chunkSize: Int? = nil,
        options: WorkOptions = WorkOptions(),
        _ body: @escaping @Sendable (S.Element, C) async throws -> Output
    ) async throws -> [Output] where S.Element: Sendable {
        try await core.map(Intake(inputs), core.work(sharing: shared, body), chunkSize: chunkSize, options: options)
    }
}

/// `map` with more than one shared value.
///
/// The values travel as one tuple. On worker processes the closure is a capture of the library's own closure, so
/// with `MULTIPROCESSING_CAPTURES=off` share one tuple instead.
extension Pool {
    /// Calls a closure with each input and 2 shared values and returns the values in input order.
    ///
    /// - Parameters:
    ///   - inputs: The inputs.
    ///   - first: The second argument for all items, sent to each worker once.
    ///   - second: The third argument for all items, sent to each worker once.
    ///   - chunkSize: How many items travel together; if left out, as many as run for about a millisecond.
    ///   - options: Limits, retries, label and progress of this call; what it leaves out, the pool's defaults say.
    ///   - body: The work; on worker processes it has to be portable.
    /// - Throws: What the closure threw for the first input in order that failed, `CancellationError`, or
    ///   ``PoolError``.
    nonisolated(nonsending) public func map<S: Sequence, C: Sendable, D: Sendable, Output: Sendable>(
        _ inputs: S,
        with first: C,
        _ second: D,
        chunkSize: Int? = nil,
        options: WorkOptions = WorkOptions(),
        _ body: @escaping @Sendable (S.Element, C, D) throws -> Output
    ) async throws -> [Output] where S.Element: Sendable {
        try await map(inputs, with: (first, second), chunkSize: chunkSize, options: options) {
            try body($0, $1.0, $1.1)
        }
    }

    /// Calls an asynchronous closure with each input and 2 shared values and returns the values in input order.
    ///
    /// - Parameters:
    ///   - inputs: The inputs.
    ///   - first: The second argument for all items, sent to each worker once.
    ///   - second: The third argument for all items, sent to each worker once.
    ///   - chunkSize: How many items travel together; if left out, as many as run for about a millisecond.
    ///   - options: Limits, retries, label and progress of this call; what it leaves out, the pool's defaults say.
    ///   - body: The work; on worker processes it has to be portable.
    /// - Throws: What the closure threw for the first input in order that failed, `CancellationError`, or
    ///   ``PoolError``.
    nonisolated(nonsending) public func map<S: Sequence, C: Sendable, D: Sendable, Output: Sendable>(
        _ inputs: S,
        with first: C,
        _ second: D,
        chunkSize: Int? = nil,
        options: WorkOptions = WorkOptions(),
        _ body: @escaping @Sendable (S.Element, C, D) async throws -> Output
    ) async throws -> [Output] where S.Element: Sendable {
        try await map(inputs, with: (first, second), chunkSize: chunkSize, options: options) {
            try await body($0, $1.0, $1.1)
        }
    }

    /// Calls a closure with each input and 3 shared values and returns the values in input order.
    ///
    /// - Parameters:
    ///   - inputs: The inputs.
    ///   - first: The second argument for all items, sent to each worker once.
    ///   - second: The third argument for all items, sent to each worker once.
    ///   - third: The fourth argument for all items, sent to each worker once.
    ///   - chunkSize: How many items travel together; if left out, as many as run for about a millisecond.
    ///   - options: Limits, retries, label and progress of this call; what it leaves out, the pool's defaults say.
    ///   - body: The work; on worker processes it has to be portable.
    /// - Throws: What the closure threw for the first input in order that failed, `CancellationError`, or
    ///   ``PoolError``.
    nonisolated(nonsending) public func map<S: Sequence, C: Sendable, D: Sendable, E: Sendable, Output: Sendable>(
        _ inputs: S,
        with first: C,
        _ second: D,
        _ third: E,
        chunkSize: Int? = nil,
        options: WorkOptions = WorkOptions(),
        _ body: @escaping @Sendable (S.Element, C, D, E) throws -> Output
    ) async throws -> [Output] where S.Element: Sendable {
        try await map(inputs, with: (first, second, third), chunkSize: chunkSize, options: options) {
            try body($0, $1.0, $1.1, $1.2)
        }
    }

    /// Calls an asynchronous closure with each input and 3 shared values and returns the values in input order.
    ///
    /// - Parameters:
    ///   - inputs: The inputs.
    ///   - first: The second argument for all items, sent to each worker once.
    ///   - second: The third argument for all items, sent to each worker once.
    ///   - third: The fourth argument for all items, sent to each worker once.
    ///   - chunkSize: How many items travel together; if left out, as many as run for about a millisecond.
    ///   - options: Limits, retries, label and progress of this call; what it leaves out, the pool's defaults say.
    ///   - body: The work; on worker processes it has to be portable.
    /// - Throws: What the closure threw for the first input in order that failed, `CancellationError`, or
    ///   ``PoolError``.
    nonisolated(nonsending) public func map<S: Sequence, C: Sendable, D: Sendable, E: Sendable, Output: Sendable>(
        _ inputs: S,
        with first: C,
        _ second: D,
        _ third: E,
        chunkSize: Int? = nil,
        options: WorkOptions = WorkOptions(),
        _ body: @escaping @Sendable (S.Element, C, D, E) async throws -> Output
    ) async throws -> [Output] where S.Element: Sendable {
        try await map(inputs, with: (first, second, third), chunkSize: chunkSize, options: options) {
            try await body($0, $1.0, $1.1, $1.2)
        }
    }
}

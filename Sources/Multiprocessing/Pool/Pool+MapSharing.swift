/// `map` with more than one shared value.
extension Pool {
    /// Calls a closure with each input and 2 shared values, and returns the values in input order.
    ///
    /// As `map` with one shared value: each is sent to each worker once. On worker processes the closure
    /// travels as a capture of the library's own, so with `MULTIPROCESSING_CAPTURES=off` share one tuple instead.
    ///
    /// - Throws: What the closure threw, `CancellationError`, or ``PoolError``.
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

    /// Calls a closure with each input and 2 shared values, and returns the values in input order.
    ///
    /// As `map` with one shared value: each is sent to each worker once. On worker processes the closure
    /// travels as a capture of the library's own, so with `MULTIPROCESSING_CAPTURES=off` share one tuple instead.
    ///
    /// - Throws: What the closure threw, `CancellationError`, or ``PoolError``.
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

    /// Calls a closure with each input and 3 shared values, and returns the values in input order.
    ///
    /// As `map` with one shared value: each is sent to each worker once. On worker processes the closure
    /// travels as a capture of the library's own, so with `MULTIPROCESSING_CAPTURES=off` share one tuple instead.
    ///
    /// - Throws: What the closure threw, `CancellationError`, or ``PoolError``.
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

    /// Calls a closure with each input and 3 shared values, and returns the values in input order.
    ///
    /// As `map` with one shared value: each is sent to each worker once. On worker processes the closure
    /// travels as a capture of the library's own, so with `MULTIPROCESSING_CAPTURES=off` share one tuple instead.
    ///
    /// - Throws: What the closure threw, `CancellationError`, or ``PoolError``.
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

/// Makes a pool for the length of `body`, and leaves no worker behind.
///
/// When `body` returns, the pool finishes what was submitted and shuts down. When it throws,
/// the pool is terminated and the error rethrown. Either way this suspends until the workers
/// are gone.
///
/// ```swift
/// let counts = try await withPool(.processes) { pool in
///     try await pool.map(files) { try countWords($0) }
/// }
/// ```
///
/// - Parameters:
///   - backend: Where the workers run.
///   - workers: How many work items run at the same time; by default one per usable core.
///   - configuration: How the pool works beyond that.
///   - body: Uses the pool; runs where the caller runs.
/// - Returns: What `body` returns.
/// - Throws: What `body` throws, or ``PoolError`` when the pool cannot be made.
nonisolated(nonsending) public func withPool<Value>(
    _ backend: any Backend = .processes,
    workers: Int? = nil,
    configuration: Pool.Configuration = Pool.Configuration(),
    _ body: nonisolated(nonsending) (Pool) async throws -> Value
) async throws -> Value {
    let pool = try Pool(backend, workers: workers, configuration: configuration)
    do {
        let value = try await body(pool)
        await pool.shutDown()
        return value
    } catch {
        await pool.terminate()
        throw error
    }
}

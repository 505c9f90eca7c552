package import Multiprocessing
package import Testing

/// The backends that every behavior of the pool is tested on.
package enum TestBackend: CaseIterable, CustomTestStringConvertible, Sendable {
    case threads
    case processes

    package var backend: any Backend {
        switch self {
        case .threads: .threads
        case .processes: .processes
        }
    }

    package var testDescription: String { "\(self)" }

    package func pool(workers: Int = 2) throws -> Pool {
        try Pool(backend, workers: workers)
    }

    /// Runs `body` with a pool that is terminated afterwards, all of it within a limit.
    package func withPool<Result: Sendable>(
        workers: Int = 2,
        limit: Duration = .seconds(600),
        sourceLocation: SourceLocation = #_sourceLocation,
        _ body: @escaping @Sendable (Pool) async throws -> Result
    ) async throws -> Result {
        try await withLimit(limit, sourceLocation: sourceLocation) {
            let pool = try pool(workers: workers)
            do {
                let result = try await body(pool)
                await pool.terminate()
                return result
            } catch {
                await pool.terminate()
                throw error
            }
        }
    }
}

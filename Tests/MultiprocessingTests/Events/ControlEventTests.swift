import Glibc
import Multiprocessing
import TestSupport
import Testing

@Suite("Events of what a pool decides on its work and workers", .admitted)
struct ControlEventTests {
    /// Runs `body` with a pool; returns what its events tell, and its numbers at the end.
    private func events(
        _ backend: TestBackend, workers: Int = 1, configuration: Pool.Configuration = Pool.Configuration(),
        _ body: @escaping @Sendable (Pool) async throws -> Void
    ) async throws -> ([PoolEvent], PoolStatistics) {
        try await withLimit {
            let pool = try Pool(backend.backend, workers: workers, configuration: configuration)
            let reader = Task { [events = pool.events] in
                var all: [PoolEvent] = []
                for await event in events { all.append(event) }
                return all
            }
            try await body(pool)
            await pool.shutDown()
            return (await reader.value, pool.statistics)
        }
    }

    @Test("A passed deadline is told, with the label", arguments: TestBackend.allCases)
    func timeOutIsTold(backend: TestBackend) async throws {
        let (events, numbers) = try await events(backend) { pool in
            let result = await pool.submit(options: .timeout(.milliseconds(50)).label("slow")) {
                while !Task.isCancelled { usleep(1_000) }
            }.result
            #expect(throws: PoolError.self) { try result.get() }
        }
        let late = events.compactMap { event in
            if case .itemsTimedOut(let work, _) = event.kind { work } else { nil }
        }
        #expect(late.count == 1 && late.first?.label == "slow" && late.first?.items == 1)
        #expect(numbers.timedOut == 1 && numbers.submitted == 1 && numbers.queued == 0 && numbers.running == 0)
    }

    @Test("A further attempt is told, with its number", arguments: TestBackend.allCases)
    func retryIsTold(backend: TestBackend) async throws {
        struct Refused: Error, Codable {}
        let policy = RetryPolicy.attempts(3, where: { $0 is Refused })
        let (events, numbers) = try await events(backend) { pool in
            let result = await pool.submit(options: .retry(policy)) { () -> Int in throw Refused() }.result
            #expect(throws: Refused.self) { try result.get() }
        }
        let attempts = events.compactMap { event in
            if case .itemsRetried(let work) = event.kind { work.attempt } else { nil }
        }
        #expect(attempts == [2, 3])
        #expect(numbers.retried == 2 && numbers.submitted == 3 && numbers.failed == 3)
    }

    @Test("Recycling and another size are told", arguments: TestBackend.allCases)
    func workersAreTold(backend: TestBackend) async throws {
        var configuration = Pool.Configuration()
        configuration.recycling.items = 2
        let (events, numbers) = try await events(backend, configuration: configuration) { pool in
            for number in 0..<6 { _ = try await pool.run(number) { $0 } }
            try pool.resize(to: 3)
        }
        let recycled = events.count { if case .workerRecycled = $0.kind { true } else { false } }
        let replaced = events.count { if case .workerReplaced = $0.kind { true } else { false } }
        #expect(recycled >= 2 && replaced >= 2)
        #expect(numbers.workersRecycled == recycled && numbers.workersCrashed == 0)
        #expect(events.contains { if case .poolResized(from: 1, to: 3) = $0.kind { true } else { false } })
    }
}

import MultiprocessingSystem
import TestSupport
import Testing

@testable import Multiprocessing

extension Lifetime {
    @Suite("Alarms of a pool", .ownProcess)
    struct AlarmTests {
        @Test("A pool has one alarm at a time, however often it is to be woken", arguments: TestBackend.allCases)
        func alarms(_ backend: TestBackend) async {
            await #expect(processExitsWith: .success) { [isThreads = (backend == .threads) as Bool] in
                let backend = isThreads ? TestBackend.threads : .processes
                try await backend.withPool(workers: 2) { pool async throws in
                    var most = 0
                    for try await number in pool.stream(0..<200_000, { $0 }) where number % 1_000 == 0 {
                        most = max(most, AlarmClock.shared.pendingCount)
                    }
                    let options = WorkOptions.timeout(.seconds(100))
                    for _ in 0..<50 {
                        _ = try await pool.map(0..<1_000, options: options) { $0 }
                        most = max(most, AlarmClock.shared.pendingCount)
                    }
                    // One that is replaced can still be there for a moment.
                    #expect(most <= 4)
                }
            }
        }
    }
}

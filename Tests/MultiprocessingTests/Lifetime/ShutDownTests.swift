import Glibc
import Multiprocessing
import Synchronization
import TestSupport
import Testing

extension Lifetime {
    @Suite("Shutting down")
    struct ShutDownTests {
        @Test("It finishes what was submitted, and refuses what comes later", arguments: TestBackend.allCases)
        func finishesWork(_ backend: TestBackend) async throws {
            try await withLimit {
                let pool = try backend.pool()
                let futures = (0..<50).map { index in
                    pool.submit(index) { index -> Int in
                        usleep(1_000)
                        return index
                    }
                }
                await pool.shutDown()
                #expect(!futures.contains { !$0.isFinished })
                let numbers = try await values(of: futures)
                #expect(numbers == Array(0..<50))

                let late = await pool.submit { 1 }.result
                #expect((late.failure as? PoolError)?.code == .shutDown)
                await #expect(throws: PoolError.self) { try await pool.map(0..<3) { $0 } }
            }
        }

        @Test("Pitfall 7: a worker that dies while the pool shuts down is replaced for the work that waits")
        func replacesWorkers() async throws {
            try await withLimit {
                let pool = try Pool(.processes, workers: 2)
                let futures = (0..<20).map { index in
                    pool.submit(index) { index -> Int in
                        if index < 10 { Crash.killed.happen() }
                        return index
                    }
                }
                await pool.shutDown()
                for (index, future) in futures.enumerated() {
                    let result = await future.result
                    if index < 10 { Crash.killed.expect(result.failure) } else { #expect(result.success == index) }
                }
            }
        }

        @Test(
            "Pitfall 17: it ends after items were cancelled, and after a worker crashed",
            arguments: TestBackend.allCases)
        func afterCancelling(_ backend: TestBackend) async throws {
            try await withLimit {
                let pool = try backend.pool()
                let futures = (0..<20).map { _ in pool.submit { try await Task.sleep(for: .seconds(1_000)) } }
                for future in futures { future.cancel() }
                if backend == .processes { _ = pool.submit { Crash.killed.happen() } }
                let last = pool.submit { 5 }
                await pool.shutDown()
                #expect(last.isFinished)
                for future in futures {
                    let error = await future.result.failure
                    #expect(error is CancellationError)
                }
            }
        }

        @Test("An idle, an unused and an already shut down pool shut down at once", arguments: TestBackend.allCases)
        func withoutWork(_ backend: TestBackend) async throws {
            try await withLimit(.seconds(10)) {
                let unused = try backend.pool()
                await unused.shutDown()
                let used = try backend.pool()
                _ = try await used.run { 1 }
                await used.shutDown()
                await used.shutDown()
                await used.terminate()
            }
        }

        @Test("From many tasks at the same time, with submits in between", arguments: TestBackend.allCases)
        func concurrently(_ backend: TestBackend) async throws {
            try await withLimit {
                let pool = try backend.pool()
                await withTaskGroup(of: Void.self) { group in
                    for index in 0..<200 {
                        group.addTask {
                            if index % 20 == 19 { return await pool.shutDown() }
                            let result = await pool.submit(index) { $0 }.result
                            if let error = result.failure {
                                #expect((error as? PoolError)?.code == .shutDown)
                            } else {
                                #expect(result.success == index)
                            }
                        }
                    }
                }
            }
        }
    }
}

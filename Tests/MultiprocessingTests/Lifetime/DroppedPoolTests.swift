import Glibc
import Multiprocessing
import TestSupport
import Testing

extension Lifetime {
    // Each in a process of its own, so that nothing but the pool can add to what is counted.
    @Suite("A pool that is dropped", .ownProcess)
    struct DroppedPoolTests {
        @Test(
            "Pitfalls 25, 29, 35: pools that shut down or terminate leave nothing behind",
            arguments: TestBackend.allCases)
        func ended(_ backend: TestBackend) async {
            await #expect(processExitsWith: .success) { [isThreads = (backend == .threads) as Bool] in
                let backend = isThreads ? TestBackend.threads : .processes
                try await Usage.expectNoGrowth {
                    let pool = try backend.pool(workers: 4)
                    let numbers = try await pool.map(0..<100) { $0 }
                    #expect(numbers.count == 100)
                    await pool.shutDown()
                    let other = try backend.pool(workers: 4)
                    _ = other.submit { try await Task.sleep(for: .seconds(1_000)) }
                    await other.terminate()
                }
            }
        }

        @Test("Pitfall 15: dropped while idle, or never used", arguments: TestBackend.allCases)
        func idle(_ backend: TestBackend) async {
            await #expect(processExitsWith: .success) { [isThreads = (backend == .threads) as Bool] in
                let backend = isThreads ? TestBackend.threads : .processes
                try await Usage.expectNoGrowth {
                    _ = try backend.pool()
                    let pool = try backend.pool()
                    let numbers = try await pool.map(0..<10) { $0 }
                    #expect(numbers.count == 10)
                }
            }
        }

        @Test("Dropped with running and queued work whose futures nobody holds", arguments: TestBackend.allCases)
        func busy(_ backend: TestBackend) async {
            await #expect(processExitsWith: .success) { [isThreads = (backend == .threads) as Bool] in
                let backend = isThreads ? TestBackend.threads : .processes
                try await Usage.expectNoGrowth {
                    let pool = try backend.pool()
                    for _ in 0..<10 { pool.submit { try await Task.sleep(for: .seconds(1_000)) } }
                }
            }
        }

        @Test("Dropped with workers in endless loops")
        func endless() async {
            await #expect(processExitsWith: .success) {
                try await Usage.expectNoGrowth {
                    let notebook = try Notebook()
                    defer { notebook.remove() }
                    let pool = try Pool(.processes, workers: 2)
                    for _ in 0..<4 {
                        pool.submit(notebook) { notebook in
                            notebook.write("running")
                            while true {}
                        }
                    }
                    await expectSoon { notebook.lines.count == 2 }
                }
            }
        }

        @Test("Futures that are held still get their values", arguments: TestBackend.allCases)
        func heldFutures(_ backend: TestBackend) async {
            await #expect(processExitsWith: .success) { [isThreads = (backend == .threads) as Bool] in
                let backend = isThreads ? TestBackend.threads : .processes
                try await Usage.expectNoGrowth {
                    let futures = try Self.submitted(backend, count: 20)
                    let numbers = try await values(of: futures)
                    #expect(numbers == Array(0..<20))
                }
            }
        }

        @Test("A completion handler is still called", arguments: TestBackend.allCases)
        func completionHandler(_ backend: TestBackend) async {
            await #expect(processExitsWith: .success) { [isThreads = (backend == .threads) as Bool] in
                let backend = isThreads ? TestBackend.threads : .processes
                try await Usage.expectNoGrowth {
                    let number = await withCheckedContinuation { continuation in
                        do {
                            try Self.submitted(backend, count: 1)[0].onCompletion {
                                continuation.resume(returning: $0.success)
                            }
                        } catch {
                            continuation.resume(returning: nil)
                        }
                    }
                    #expect(number == 0)
                }
            }
        }

        @Test("A stream that is given up leaves nothing behind", arguments: TestBackend.allCases)
        func streams(_ backend: TestBackend) async {
            await #expect(processExitsWith: .success) { [isThreads = (backend == .threads) as Bool] in
                let backend = isThreads ? TestBackend.threads : .processes
                try await Usage.expectNoGrowth {
                    var sum = 0
                    for try await number in try backend.pool().stream(1..., { $0 }) {
                        sum += number
                        if number == 20 { break }
                    }
                    #expect(sum == 210)
                }
            }
        }

        @Test("A pool that crashed many times leaves nothing behind")
        func crashes() async {
            await #expect(processExitsWith: .success) {
                try await Usage.expectNoGrowth(times: 3) {
                    let pool = try Pool(.processes, workers: 2)
                    for _ in 0..<5 {
                        let error = await pool.submit { Crash.killed.happen() }.result.failure
                        Crash.killed.expect(error)
                    }
                }
            }
        }

        /// Futures of a pool that is dropped when this returns.
        private static func submitted(_ backend: TestBackend, count: Int) throws -> [Future<Int>] {
            let pool = try backend.pool()
            return (0..<count).map { index in
                pool.submit(index) { index -> Int in
                    usleep(500)
                    return index
                }
            }
        }
    }
}

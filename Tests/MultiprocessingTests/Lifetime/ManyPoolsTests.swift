import Glibc
import Multiprocessing
import TestSupport
import Testing

extension Lifetime {
    @Suite("Many pools and many users")
    struct ManyPoolsTests {
        @Test("Pools one after another", arguments: TestBackend.allCases)
        func inSequence(_ backend: TestBackend) async throws {
            try await withLimit(.seconds(60)) {
                for round in 0..<20 {
                    let pool = try backend.pool()
                    let sum = try await pool.map(0..<10) { $0 }.reduce(round, +)
                    #expect(sum == 45 + round)
                    await pool.shutDown()
                }
            }
        }

        @Test("Pools at the same time", arguments: TestBackend.allCases)
        func atTheSameTime(_ backend: TestBackend) async throws {
            try await withLimit(.seconds(60)) {
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for round in 0..<12 {
                        group.addTask {
                            let pool = try backend.pool()
                            let sum = try await pool.map(0..<10) { $0 }.reduce(round, +)
                            #expect(sum == 45 + round)
                            if round.isMultiple(of: 2) { await pool.shutDown() } else { await pool.terminate() }
                        }
                    }
                    try await group.waitForAll()
                }
            }
        }

        @Test("One pool, used from many tasks", arguments: TestBackend.allCases)
        func manyTasks(_ backend: TestBackend) async throws {
            try await backend.withPool { pool in
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for task in 0..<100 {
                        group.addTask {
                            if task.isMultiple(of: 3) {
                                let numbers = try await pool.map(task..<task + 20) { $0 * 2 }
                                #expect(numbers == (task..<task + 20).map { $0 * 2 })
                            } else {
                                let number = try await pool.run(task) { $0 + 1 }
                                #expect(number == task + 1)
                            }
                        }
                    }
                    try await group.waitForAll()
                }
            }
        }

        // Dispatch has 255 threads at most for all the queues of a process, and other tests need some.
        @Test("Hundreds of workers", arguments: [(TestBackend.threads, 128), (.processes, 256)])
        func manyWorkers(_ backend: TestBackend, _ count: Int) async throws {
            let notebook = try Notebook()
            defer { notebook.remove() }
            try await backend.withPool(workers: count, limit: .seconds(60)) { pool in
                // Each waits for all, so all run at the same time.
                let futures = (0..<count).map { _ in
                    pool.submit(Meeting(notebook: notebook, size: count))
                }
                let workers = try await values(of: futures)
                #expect(Set(workers) == Set(0..<count))
            }
        }

        @Test(
            "A worker opens a pool of its own, on either backend", arguments: TestBackend.allCases, TestBackend.allCases
        )
        func nested(_ outer: TestBackend, _ inner: TestBackend) async throws {
            try await outer.withPool(workers: 2) { pool in
                let sums = try await pool.map([10, 20], chunkSize: 1) { [isThreads = inner == .threads] count -> Int in
                    let pool = try (isThreads ? TestBackend.threads : .processes).pool(workers: 2)
                    let sum = try await pool.map(0..<count) { $0 }.reduce(0, +)
                    await pool.shutDown()
                    return sum
                }
                #expect(sums == [45, 190])
            }
        }
    }
}

/// Waits until as many items run as there are to be, and gives the number of its worker.
private struct Meeting: Job {
    let notebook: Notebook
    let size: Int

    func run() throws -> Int {
        notebook.write("here")
        // With hundreds of workers on few cores the looking itself is work, so it is cheap and rare.
        while notebook.size < size * 5 { usleep(20_000) }
        return Worker.current?.index ?? -1
    }
}

import Glibc
import Multiprocessing
import MultiprocessingSystem
import TestSupport
import Testing

extension Lifetime {
    @Suite("The threads of a pool")
    struct ThreadTests {
        @Test(
            "Pitfall 36: work that blocks has one thread a worker, however long and however much of it there is",
            .ownProcess)
        func threadsOfBlockingWork() async {
            await #expect(processExitsWith: .success) {
                let notebook = try Notebook()
                defer { notebook.remove() }
                // Whatever the test runner and Dispatch use is in use by now.
                let warm = try Pool(.threads, workers: 2)
                _ = try await warm.map(0..<10) { $0 }
                await warm.shutDown()
                let before = Usage.current.threads

                let pool = try Pool(.threads, workers: 16)
                let futures = (0..<200).map { _ in
                    pool.submit {
                        notebook.write("begun")
                        try notebook.wait(for: "go on")
                    }
                }
                await expectSoon { notebook.lines.count == 16 }
                var most = 0
                // Dispatch would add about one thread a second to a queue that it shares.
                let end = ContinuousClock.now + .seconds(4)
                while ContinuousClock.now < end {
                    most = max(most, Usage.current.threads)
                    try await Task.sleep(for: .milliseconds(20))
                }
                #expect(most <= before + 16 + 4)
                #expect(notebook.lines.count == 16)
                notebook.write("go on")
                _ = try await values(of: futures)
                await pool.shutDown()
            }
        }

        @Test("Blocking work on threads does not starve Swift's own")
        func cooperativeThreads() async throws {
            let notebook = try Notebook()
            defer { notebook.remove() }
            try await TestBackend.threads.withPool(workers: 64) { pool in
                let futures = (0..<64).map { _ in
                    pool.submit {
                        notebook.write("begun")
                        try notebook.wait(for: "go on")
                    }
                }
                await expectSoon { notebook.lines.count == 64 }
                let sum = await withTaskGroup(of: Int.self) { group in
                    for index in 0..<100 { group.addTask { await Task.detached { index }.value } }
                    return await group.reduce(0, +)
                }
                #expect(sum == 4_950)
                notebook.write("go on")
                _ = try await values(of: futures)
            }
        }

        @Test("Pitfall 33: the default number of workers is that of the cores that may be used", .ownProcess)
        func defaultWorkerCount() async throws {
            #expect(try Pool(.threads).workerCount == Cores.usable())
            #expect(try Pool(.processes).workerCount == Cores.usable())
            await #expect(processExitsWith: .success) {
                // A child of one core, as `taskset` makes it; the pool looks at the process's own mask.
                let output = try #require(popen("nproc", "re"))
                var buffer = [UInt8](repeating: 0, count: 16)
                let text = String(decoding: buffer[..<fread(&buffer, 1, buffer.count, output)], as: UTF8.self)
                pclose(output)
                let cores = Int(text.trimmingPrefix { !$0.isNumber }.prefix { $0.isNumber }) ?? 0
                #expect(try Pool(.processes).workerCount <= cores)
            }
        }
    }
}

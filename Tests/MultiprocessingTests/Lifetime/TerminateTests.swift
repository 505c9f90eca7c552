import Glibc
import Multiprocessing
import Synchronization
import TestSupport
import Testing

extension Lifetime {
    @Suite("Terminating")
    struct TerminateTests {
        @Test("Pitfall 16: it is prompt although the workers are in endless loops, and leaves no process")
        func endlessLoops() async throws {
            try await withLimit {
                let pool = try Pool(.processes, workers: 3)
                let notebook = try Notebook()
                defer { notebook.remove() }
                let futures = (0..<10).map { _ in
                    pool.submit(notebook) { notebook in
                        notebook.write("\(getpid())")
                        while true {}
                    }
                }
                await expectSoon { notebook.lines.count == 3 }
                let start = ContinuousClock.now
                await pool.terminate()
                #expect(ContinuousClock.now - start < .seconds(5))
                #expect(!notebook.numbers.contains { ProcessTable.entry(Int32($0))?.parent == getpid() })
                for future in futures {
                    #expect(future.isFinished)
                    let error = await future.result.failure as? PoolError
                    #expect(error?.code == .shutDown)
                }
            }
        }

        @Test("It does not wait for a thread whose item is deaf to cancellation")
        func deafThreads() async throws {
            let notebook = try Notebook()
            defer { notebook.remove() }
            try await withLimit {
                let pool = try Pool(.threads, workers: 2)
                let future = pool.submit { try notebook.wait(for: "go on") }
                let queued = (0..<4).map { _ in pool.submit { try notebook.wait(for: "go on") } }
                await pool.terminate()
                for future in [future] + queued {
                    let error = await future.result.failure as? PoolError
                    #expect(error?.code == .shutDown)
                }
                notebook.write("go on")
            }
        }

        @Test("Pitfall 16: from a task that a completion handler starts", arguments: TestBackend.allCases)
        func fromCompletionHandler(_ backend: TestBackend) async throws {
            try await withLimit {
                let pool = try backend.pool()
                let blocked = pool.submit { try await Task.sleep(for: .seconds(1_000)) }
                await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
                    pool.submit { 1 }.onCompletion { _ in
                        Task {
                            await pool.terminate()
                            continuation.resume()
                        }
                    }
                }
                let error = await blocked.result.failure as? PoolError
                #expect(error?.code == .shutDown)
            }
        }

        @Test("Pitfall 16: while a completion handler blocks", arguments: TestBackend.allCases)
        func whileHandlerBlocks(_ backend: TestBackend) async throws {
            let notebook = try Notebook()
            defer { notebook.remove() }
            try await withLimit {
                let pool = try backend.pool()
                // Not before the handler is there: then it would run, and block, here.
                let first = pool.submit(notebook) { notebook -> Int in
                    try notebook.wait(for: "registered")
                    return 1
                }
                first.onCompletion { _ in
                    notebook.write("in handler")
                    try? notebook.wait(for: "go on")
                }
                notebook.write("registered")
                _ = try await first.value
                await expectSoon { notebook.lines.contains("in handler") }
                await pool.terminate()
                notebook.write("go on")
            }
        }

        @Test("Twice, at the same time, with shutDown and with submits", arguments: TestBackend.allCases)
        func concurrently(_ backend: TestBackend) async throws {
            try await withLimit(.seconds(60)) {
                for round in 0..<10 {
                    let pool = try backend.pool(workers: 3)
                    await withTaskGroup(of: Void.self) { group in
                        for index in 0..<60 {
                            group.addTask {
                                switch index {
                                case 20 + round, 40 + round: await pool.terminate()
                                case 30 + round: await pool.shutDown()
                                default:
                                    let result = await pool.submit(index) { $0 }.result
                                    let code = (result.failure as? PoolError)?.code
                                    #expect(result.success == index || code == .shutDown)
                                }
                            }
                        }
                    }
                }
            }
        }

        @Test(
            "A shutDown that waits for endless work ends when the pool is terminated", arguments: TestBackend.allCases)
        func endsShutDown(_ backend: TestBackend) async throws {
            try await withLimit {
                let pool = try backend.pool()
                let blocked = pool.submit { try await Task.sleep(for: .seconds(1_000)) }
                async let down: Void = pool.shutDown()
                let refused = await pool.submit { 1 }.result
                _ = refused
                await pool.terminate()
                await down
                let error = await blocked.result.failure as? PoolError
                #expect(error?.code == .shutDown)
            }
        }

        @Test("A pool whose workers are just being started is terminated too")
        func whileStarting() async throws {
            try await withLimit {
                for _ in 0..<20 {
                    let pool = try Pool(.processes, workers: 4)
                    let futures = (0..<4).map { pool.submit($0) { $0 } }
                    await pool.terminate()
                    for future in futures {
                        let error = await future.result.failure as? PoolError
                        #expect(error == nil || error?.code == .shutDown)
                    }
                }
            }
        }

        @Test("Streams and maps that are under way fail", arguments: TestBackend.allCases)
        func streamsAndMaps(_ backend: TestBackend) async throws {
            try await withLimit {
                let pool = try backend.pool()
                let map = Task {
                    try await pool.map(0..<1_000, chunkSize: 1) { _ in try await Task.sleep(for: .seconds(1_000)) }
                }
                let stream = Task {
                    for try await _ in pool.stream(
                        0...,
                        { _ in
                            try await Task.sleep(for: .seconds(1_000))
                            return 1
                        })
                    {}
                }
                _ = stream
                let started = pool.submit { 1 }
                _ = started
                await pool.terminate()
                let error = await map.result.failure as? PoolError
                #expect(error?.code == .shutDown)
                let streamError = await stream.result.failure as? PoolError
                #expect(streamError?.code == .shutDown)
            }
        }
    }
}

import Glibc
import Multiprocessing
import MultiprocessingSystem
import TestSupport
import Testing

extension Pool.Configuration {
    fileprivate static func with(_ change: (inout Pool.Configuration) -> Void) -> Pool.Configuration {
        var configuration = Pool.Configuration()
        change(&configuration)
        return configuration
    }
}

extension TestBackend {
    /// A pool that ends with the body, made with a configuration.
    fileprivate func withPool<Result: Sendable>(
        workers: Int,
        _ configuration: Pool.Configuration,
        _ body: @escaping @Sendable (Pool) async throws -> Result
    ) async throws -> Result {
        try await withLimit {
            try await Multiprocessing.withPool(backend, workers: workers, configuration: configuration, body)
        }
    }
}

extension Control {
    @Suite("Stopping what does not end")
    struct StopTests {
        private static let limit = Duration.milliseconds(100)

        // How late the error comes, the benchmarks say. A thread's item in a tight loop is with the tests of limits.
        @Test("An item in a worker process fails at its deadline, whatever it does")
        func deadlines() async throws {
            let notebook = try Notebook()
            defer { notebook.remove() }
            try await TestBackend.processes.withPool(workers: 1, .with { $0.gracePeriod = .zero }) {
                pool async throws in
                for hang in [FaultItem.Hang.tightLoop, .blockingCall, .deaf] {
                    for index in 0..<4 {
                        try await pool.run {}
                        let item = FaultItem(index: index, deed: .hang(hang), notebook: notebook)
                        let start = ContinuousClock.now
                        // Would never end by itself.
                        let error = await #expect(throws: PoolError.self) {
                            try await pool.run(item, options: .timeout(Self.limit))
                        }
                        #expect(ContinuousClock.now - start >= Self.limit, "\(hang)")
                        #expect(error?.code == .timedOut && error?.limit == Self.limit)
                    }
                }
            }
        }

        @Test(
            "Pitfall 28: what an item has started does not outlive it, however it was stopped",
            arguments: ["timeout", "cancel", "terminate"])
        func withChild(_ end: String) async throws {
            let notebook = try Notebook()
            defer { notebook.remove() }
            @Sendable func children() -> [Int32] {
                notebook.lines.filter { $0.hasPrefix("child ") }.compactMap { Int32($0.dropFirst(6)) }
            }
            try await TestBackend.processes.withPool(workers: 1, .with { $0.gracePeriod = .zero }) {
                pool async throws in
                let item = FaultItem(index: 0, deed: .hang(.withChild), notebook: notebook)
                var limit = Self.limit
                switch end {
                case "timeout":
                    // On a busy machine a limit may come before the item has started its child.
                    while children().isEmpty, limit < .seconds(100) {
                        await #expect(throws: PoolError.self) { try await pool.run(item, options: .timeout(limit)) }
                        limit *= 2
                    }
                default:
                    let future = pool.submit(item)
                    await expectSoon("the item starts no child") { !children().isEmpty }
                    #expect(children().allSatisfy { ProcessFacts.isRunning($0) })
                    if end == "cancel" { future.cancel() } else { await pool.terminate() }
                    #expect(await future.result.failure != nil)
                }
                #expect(children().count == 1)
                await expectSoon("children are left") { children().allSatisfy { !ProcessFacts.isRunning($0) } }
            }
        }

        @Test("A worker that is told to go dies with what the cancelled item has started")
        func cancelledWithChild() async throws {
            let notebook = try Notebook()
            defer { notebook.remove() }
            try await TestBackend.processes.withPool(workers: 1, .with { $0.gracePeriod = .milliseconds(20) }) {
                pool async throws in
                let future = pool.submit(FaultItem(index: 0, deed: .hang(.withChild), notebook: notebook))
                try await onBlockableThread { try notebook.wait { $0.contains { $0.hasPrefix("child ") } } }
                let child = try #require(notebook.lines.last.flatMap { Int32($0.dropFirst(6)) })
                #expect(ProcessFacts.isRunning(child))
                future.cancel()
                await #expect(throws: CancellationError.self) { try await future.value }
                #expect(try await pool.run { 5 } == 5)
                await expectSoon("the child is left") { !ProcessFacts.isRunning(child) }
            }
        }

        @Test(
            "celery revoke: what has ended is not stopped in the place of what its worker runs now",
            arguments: TestBackend.allCases)
        func cancelledTooLate(_ backend: TestBackend) async throws {
            let rendezvous = try Rendezvous()
            let ticket = rendezvous.ticket
            try await backend.withPool(workers: 1, .with { $0.gracePeriod = .zero }) { pool async throws in
                for round in 1...20 {
                    let first = pool.submit(1) { $0 }
                    let second = pool.submit {
                        ticket.arrive()
                        ticket.wait()
                        return Task.isCancelled
                    }
                    await rendezvous.expectArrivals(round)
                    // It has ended, and the only worker is at another.
                    first.cancel()
                    #expect(try await first.value == 1)
                    rendezvous.letThrough()
                    #expect(try await second.value == false)
                }
                #expect(pool.statistics.workersStarted == 1 && pool.statistics.workersKilled == 0)
            }
        }

        @Test("Completion handlers cancel others, and what has ended already", arguments: TestBackend.allCases)
        func cancelFromHandler(_ backend: TestBackend) async throws {
            try await backend.withPool(workers: 3, .with { $0.gracePeriod = .milliseconds(10) }) { pool async throws in
                // Each cancels the one after it when it ends, of which some wait, some run and some have ended.
                let futures = (0..<300).map { number in
                    pool.submit(number) { number in
                        usleep(UInt32(number % 5) * 100)
                        return number
                    }
                }
                for (future, next) in zip(futures, futures.dropFirst()) {
                    future.onCompletion { _ in
                        future.cancel()
                        next.cancel()
                        next.cancel()
                    }
                }
                for (number, future) in futures.enumerated() {
                    switch await future.result {
                    case .success(let value): #expect(value == number)
                    case .failure(let error): #expect(error is CancellationError && number > 0)
                    }
                }
                #expect(try await pool.map(0..<50) { $0 } == Array(0..<50))
            }
        }
    }

    @Suite("Replacing workers")
    struct ReplacementTests {
        @Test(
            "Pitfalls 7, 8, 227, 228 max_tasks: one that is replaced after each item loses nothing, nor at the pool's end"
        )
        func afterEachItem() async throws {
            let configuration = Pool.Configuration.with { $0.recycling.items = 1 }
            try await TestBackend.processes.withPool(workers: 3, configuration) { pool async throws in
                #expect(try await pool.map(0..<30, chunkSize: 1) { $0 * 2 } == (0..<30).map { $0 * 2 })
                // A result larger than any buffer is read to its end before its worker is gone.
                let large = try await pool.map(0..<6, chunkSize: 1) { [UInt8](repeating: UInt8($0), count: 3 << 20) }
                for (number, bytes) in large.enumerated() {
                    #expect(bytes.consists(of: UInt8(number), count: 3 << 20))
                }
                let before = pool.statistics.workersStarted
                let futures = (0..<20).map { number in pool.submit(number) { $0 + 1 } }
                await pool.shutDown()
                for (number, future) in futures.enumerated() { #expect(try await future.value == number + 1) }
                // Three may have been there. Items of one map are handed over together, and count less exactly.
                #expect(pool.statistics.workersStarted - before >= 17)
                #expect(pool.statistics.workersCrashed == 0)
            }
        }

        @Test(
            "Pitfall 9, billiard max_memory_per_child: a worker that has grown is replaced after its item, which counts",
            arguments: [nil, Duration.seconds(3_600)])
        func afterGrowth(age: Duration?) async throws {
            let configuration = Pool.Configuration.with {
                $0.recycling.memoryGrowth = 32 << 20
                // Another rule that does not strike takes nothing from this one.
                $0.recycling.age = age
            }
            try await TestBackend.processes.withPool(workers: 1, configuration) { pool async throws in
                var workers: [Int32] = []
                for number in 0..<6 {
                    let worker = try await pool.run(number) { number in
                        // Every other one leaks; those between take as much and give it back.
                        let memory = UnsafeMutableRawPointer.allocate(byteCount: 64 << 20, alignment: 16)
                        memset(memory, 1, 64 << 20)
                        if number % 2 == 0 { memory.deallocate() }
                        return getpid()
                    }
                    workers.append(worker)
                }
                #expect(workers[0] == workers[1] && workers[2] == workers[3] && workers[4] == workers[5])
                #expect(Set(workers).count == 3)
                await expectSoon("the last is not replaced") { pool.statistics.workersRecycled == 3 }
            }
        }

        @Test("Pitfall 9: memory that workers share with the program does not count")
        func sharedMemory() async throws {
            try await TestBackend.processes.withPool(workers: 1, .with { $0.recycling.memoryGrowth = 24 << 20 }) {
                pool async throws in
                var workers: Set<Int32> = []
                for _ in 0..<4 {
                    let worker = try await pool.run { () -> Int32 in
                        let size = 64 << 20
                        let memory = mmap(nil, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0)
                        memset(memory!, 1, size)
                        return getpid()
                    }
                    workers.insert(worker)
                }
                #expect(workers.count == 1)
            }
        }

        @Test("Growth, shrinking to one and idleness, again and again", arguments: TestBackend.allCases)
        func sizes(_ backend: TestBackend) async throws {
            try await backend.withPool(workers: 4, .with { $0.idleTimeout = .milliseconds(5) }) { pool async throws in
                for round in 0..<15 {
                    try pool.resize(to: round % 3 == 0 ? 1 : 1 + round % 5)
                    let numbers = try await pool.map(0..<40, chunkSize: 3) { number in
                        usleep(200)
                        return number
                    }
                    #expect(numbers == Array(0..<40))
                    if round % 4 == 0 {
                        await expectSoon("idle workers stay") { pool.statistics.idleWorkers == 0 }
                    }
                }
            }
        }
    }
}

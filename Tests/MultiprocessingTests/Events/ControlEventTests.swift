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
        try await events(of: backend.backend, workers: workers, configuration: configuration, body)
    }

    private func events(
        of backend: any Backend, workers: Int = 1, configuration: Pool.Configuration = Pool.Configuration(),
        _ body: @escaping @Sendable (Pool) async throws -> Void
    ) async throws -> ([PoolEvent], PoolStatistics) {
        try await withLimit {
            let pool = try Pool(backend, workers: workers, configuration: configuration)
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

    @Test("A worker that used more than it may was killed, and has not crashed")
    func limitIsTold() async throws {
        let limits = ResourceLimits(cpuTime: .milliseconds(300))
        let (events, numbers) = try await events(of: .processes(limits: limits)) { pool in
            let error = await pool.submit { () -> Int in while true {} }.result.failure as? PoolError
            #expect(error?.code == .timedOut)
            let one = try await pool.run { 1 }
            #expect(one == 1)
        }
        #expect(events.count { if case .workerKilled = $0.kind { true } else { false } } == 1)
        #expect(!events.contains { if case .workerCrashed = $0.kind { true } else { false } })
        #expect(events.contains { if case .workerReplaced = $0.kind { true } else { false } })
        #expect(numbers.workersKilled == 1 && numbers.workersCrashed == 0)
        #expect(numbers.workers.first?.crashed == 0)
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

    @Test(
        "A worker that does not come back is killed, or given up, and replaced, in this order",
        arguments: TestBackend.allCases)
    func killIsTold(backend: TestBackend) async throws {
        let rendezvous = try Rendezvous()
        let ticket = rendezvous.ticket
        var configuration = Pool.Configuration()
        configuration.gracePeriod = .milliseconds(10)
        let (events, numbers) = try await events(backend, configuration: configuration) { pool in
            let future = pool.submit(options: .label("deaf")) {
                ticket.arrive()
                ticket.wait()
            }
            await rendezvous.expectArrivals(1)
            future.cancel()
            await #expect(throws: CancellationError.self) { try await future.value }
            // The only worker: what replaces it.
            let next = try await pool.run { 1 }
            #expect(next == 1)
            rendezvous.letThrough()
        }
        let story = events.compactMap { event -> String? in
            switch event.kind {
            case .itemsCancelled(let work, let worker):
                "cancelled \(work.label ?? "") \(work.items) \(worker?.index ?? -1)"
            case .workerKilled(let worker): "killed \(worker.index).\(worker.generation) \(worker.processID != nil)"
            case .workerGivenUp(let worker): "given up \(worker.index).\(worker.generation) \(worker.processID != nil)"
            case .workerReplaced(let worker): "replaced \(worker.index).\(worker.generation)"
            case .workerCrashed, .workerRecycled, .itemsFailed, .itemsTimedOut: "\(event)"
            default: nil
            }
        }
        let end = backend == .threads ? "given up 0.1 false" : "killed 0.1 true"
        #expect(story == ["cancelled deaf 1 \(backend == .threads ? -1 : 0)", end, "replaced 0.2"])
        #expect(numbers.workersKilled == (backend == .threads ? 0 : 1))
        #expect(numbers.cancelled == 1 && numbers.finished == 1 && numbers.workersCrashed == 0)
    }

    @Test("What is cancelled in the queue is told of, and was on no worker", arguments: TestBackend.allCases)
    func cancellationInQueueIsTold(backend: TestBackend) async throws {
        let rendezvous = try Rendezvous()
        let ticket = rendezvous.ticket
        let (events, numbers) = try await events(backend) { pool in
            let first = pool.submit {
                ticket.arrive()
                ticket.wait()
            }
            await rendezvous.expectArrivals(1)
            // Two that wait in a worker's socket are as good as queued.
            let waiting = (0..<10).map { number in
                pool.submit(number, options: .label("unwanted")) { number in ticket.arrive(number) }
            }
            for future in waiting { future.cancel() }
            for future in waiting { await #expect(throws: CancellationError.self) { try await future.value } }
            rendezvous.letThrough()
            try await first.value
        }
        #expect(rendezvous.arrivals.count == 1)
        var cancelled = 0
        for event in events {
            guard case .itemsCancelled(let work, let worker) = event.kind else { continue }
            #expect(work.label == "unwanted" && worker == nil && work.ran == nil, "\(event)")
            cancelled += work.items
        }
        #expect(cancelled == 10)
        #expect(numbers.cancelled == 10 && numbers.finished == 1 && numbers.submitted == 11)
    }

    @Test("A worker that cannot be started is told of, each time that it is tried")
    func startFailureIsTold() async throws {
        var template = Array("/tmp/multiprocessing-folder-XXXXXX".utf8CString)
        let path = String(cString: try #require(mkdtemp(&template)))
        let (events, numbers) = try await events(of: ProcessBackend(workingDirectory: path)) { pool in
            // Was there when the pool was made.
            rmdir(path)
            let error = await #expect(throws: PoolError.self) { try await pool.run { 1 } }
            #expect(error?.code == .workerStartFailed && error?.attempts == 3)
        }
        var again: [Bool] = []
        var failed = 0
        for event in events {
            switch event.kind {
            case .workerStartFailed(let worker, let error, let triesAgain):
                #expect(error.code == .workerStartFailed && error.message.contains(path), "\(event)")
                #expect(worker.index == 0 && worker.processID == nil)
                #expect(event.error is PoolError && event.worker == worker)
                again.append(triesAgain)
            case .itemsFailed(let work, let worker, let error):
                #expect((error as? PoolError)?.code == .workerStartFailed && worker == nil)
                failed += work.items
            case .workerReady, .workerCrashed, .itemsStarted, .itemsFinished: Issue.record("\(event)")
            default: break
            }
        }
        #expect(again == [true, true, false])
        #expect(failed == 1)
        #expect(numbers.failed == 1 && numbers.submitted == 1 && numbers.workersStarted == 0)
    }
}

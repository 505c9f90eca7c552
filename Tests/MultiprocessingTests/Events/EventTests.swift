import Multiprocessing
import TestSupport
import Testing

@Suite("Events of a pool", .admitted)
struct EventTests {
    /// Reads a pool's events until its end.
    private func collect(_ events: PoolEvents) -> Task<[PoolEvent], Never> {
        Task {
            var all: [PoolEvent] = []
            for await event in events { all.append(event) }
            return all
        }
    }

    @Test("A map's items are queued, started and finished, each once, in this order", arguments: TestBackend.allCases)
    func mapIsTold(backend: TestBackend) async throws {
        let events = try await withLimit {
            let pool = try backend.pool()
            let reader = collect(pool.events)
            let sum = try await pool.map(0..<1_000, chunkSize: 10) { $0 }.reduce(0, +)
            #expect(sum == 499_500)
            await pool.shutDown()
            return await reader.value
        }
        var places: [Int: [String]] = [:]
        var finished = 0
        for event in events {
            guard let work = event.work else { continue }
            switch event.kind {
            case .itemsQueued: places[work.number, default: []].append("queued")
            case .itemsStarted: places[work.number, default: []].append("started")
            case .itemsFinished(let work, let worker):
                places[work.number, default: []].append("finished")
                finished += work.items
                #expect((worker.processID == nil) == (backend == .threads))
                #expect(work.ran != nil)
            default: Issue.record("unexpected: \(event)")
            }
        }
        #expect(finished == 1_000)
        // A chunk may be handed over, taken back and handed to another; a part that was split off was never queued.
        for (number, story) in places {
            #expect(story.last == "finished" && story.count { $0 == "finished" } == 1, "\(number): \(story)")
            #expect(story.count >= 2 && story[story.count - 2] == "started", "\(number): \(story)")
        }
        #expect(zip(events, events.dropFirst()).allSatisfy { $0.time <= $1.time })
        guard case .poolEnded = events.last?.kind else {
            Issue.record("the last: \(events.last as Any)")
            return
        }
        var (starting, ready, stopped): (Set<[Int]>, Set<[Int]>, Set<[Int]>) = ([], [], [])
        for event in events {
            switch event.kind {
            case .workerStarting(let worker): starting.insert([worker.index, worker.generation])
            case .workerReady(let worker, after: _): ready.insert([worker.index, worker.generation])
            case .workerStopped(let worker): stopped.insert([worker.index, worker.generation])
            default: break
            }
        }
        // One that is still starting when the pool is shut down is killed, and so has ended too.
        #expect(!ready.isEmpty && ready.isSubset(of: starting) && stopped == starting)
    }

    @Test("A worker's crash, its loss and its replacement are told")
    func crashIsTold() async throws {
        let events = try await withLimit {
            let pool = try TestBackend.processes.pool(workers: 1)
            let reader = collect(pool.events)
            _ = try await pool.run { 1 }
            await #expect(throws: PoolError.self) { try await pool.run { () -> Int in fatalError("on purpose") } }
            _ = try await pool.run { 2 }
            await pool.shutDown()
            return await reader.value
        }
        let names = events.map { event in
            switch event.kind {
            case .workerStarting: "starting"
            case .workerReady: "ready"
            case .workerReplaced: "replaced"
            case .workerCrashed: "crashed"
            case .workerStopped: "stopped"
            case .itemsQueued: "queued"
            case .itemsStarted: "started"
            case .itemsFinished: "finished"
            case .itemsFailed: "failed"
            case .poolEnded: "ended"
            default: "\(event.kind)"
            }
        }
        #expect(
            names.filter { $0 != "queued" && $0 != "replaced" } == [
                "starting", "ready", "started", "finished", "started", "failed", "crashed", "ready", "started",
                "finished", "stopped", "ended",
            ], "\(names)")
        #expect(names.count { $0 == "replaced" } == 1)
        #expect(names.count { $0 == "queued" } == 3)
        for event in events {
            guard case .workerCrashed(let worker, let error) = event.kind else { continue }
            #expect(error.code == .workerCrashed)
            #expect(worker.processID == error.processID)
        }
    }

    @Test("Failures, cancellations and the end are told of as what they are", arguments: TestBackend.allCases)
    func failuresAreTold(backend: TestBackend) async throws {
        struct Refused: Error, Codable {}
        let (events, statistics) = try await withLimit {
            let pool = try backend.pool()
            let reader = collect(pool.events)
            let results = pool.results(0..<20, chunkSize: 5) { number in
                if number % 4 == 0 { throw Refused() }
                return number
            }
            var failures = 0
            for try await result in results {
                if case .failure = result { failures += 1 }
            }
            #expect(failures == 5)
            await pool.shutDown()
            return (await reader.value, pool.statistics)
        }
        var failed = 0
        var finished = 0
        for event in events {
            switch event.kind {
            case .itemsFailed(let work, _, let error):
                failed += work.items
                #expect(error is Refused)
            case .itemsFinished(let work, _): finished += work.items
            default: break
            }
        }
        #expect(failed == 5)
        #expect(finished == 15)
        #expect(statistics.submitted == 20)
        #expect(statistics.finished == 15)
        #expect(statistics.failed == 5)
        #expect(statistics.queued == 0 && statistics.running == 0)
    }

    @Test("A slow reader loses the oldest events and is told how many", arguments: TestBackend.allCases)
    func slowReaderIsTold(backend: TestBackend) async throws {
        try await withLimit {
            let pool = try backend.pool()
            var slow = pool.events.makeAsyncIterator()
            let first = Task { [events = pool.events] in await events.first { _ in true } }
            let count = 5_000
            for _ in 0..<count / 100 {
                let futures = (0..<100).map { number in pool.submit(number) { $0 } }
                for future in futures { _ = try await future.value }
            }
            await pool.shutDown()
            #expect(await first.value != nil)
            guard case .missed(let missed)? = await slow.next()?.kind else {
                Issue.record("nothing was missed")
                return
            }
            var rest = 0
            var last: PoolEvent?
            while let event = await slow.next() {
                rest += 1
                last = event
            }
            #expect(rest == 8_192)
            // Each item is queued, handed over at least once, and finished.
            #expect(missed + rest >= 3 * count)
            guard case .poolEnded? = last?.kind else {
                Issue.record("the last: \(last as Any)")
                return
            }
        }
    }

    @Test("Readers of pools that end, and cancelled ones, end too", arguments: TestBackend.allCases)
    func readersEnd(backend: TestBackend) async throws {
        try await withLimit {
            let pool = try backend.pool()
            let waiting = Task { [events = pool.events] in
                var count = 0
                for await _ in events { count += 1 }
                return count
            }
            waiting.cancel()
            _ = await waiting.value
            let other = collect(pool.events)
            await pool.terminate()
            _ = await other.value
            // One that comes too late.
            #expect(await collect(pool.events).value.isEmpty)
        }
    }

    @Test("A dropped pool's reader gets its end, for it does not keep the pool", arguments: TestBackend.allCases)
    func droppedPoolEnds(backend: TestBackend) async throws {
        try await withLimit {
            var pool: Pool? = try backend.pool()
            let reader = try #require(pool.map { collect($0.events) })
            _ = try await pool?.run { 1 }
            pool = nil
            guard case .poolEnded? = await reader.value.last?.kind else {
                Issue.record("no end")
                return
            }
        }
    }

    @Test("Events read well in a log", arguments: TestBackend.allCases)
    func descriptionsReadWell(backend: TestBackend) async throws {
        let lines = try await withLimit {
            let pool = try backend.pool(workers: 1)
            let reader = collect(pool.events)
            _ = try await pool.run { 1 }
            await pool.shutDown()
            return await reader.value.map(\.description)
        }
        #expect(lines.allSatisfy { $0.hasPrefix("+") })
        #expect(lines.contains { $0.hasSuffix("item 1 queued") })
        #expect(lines.contains { $0.contains("item 1 finished on worker 0") })
        #expect(lines.last?.hasSuffix("the pool has ended") == true)
    }
}

import Multiprocessing
import TestSupport
import Testing

private struct Refusal: Error {}

/// The end of a pool as its users see it.
@Suite(.admitted)
struct PoolEndTests {
    private func expectShutDown<Output: Sendable>(
        _ future: Future<Output>,
        sourceLocation: SourceLocation = #_sourceLocation
    ) async {
        let error = await #expect(throws: PoolError.self, sourceLocation: sourceLocation) { try await future.value }
        #expect(error?.code == .shutDown, sourceLocation: sourceLocation)
    }

    @Test(
        "172 make_pool, 219 default_workers: a pool has as many workers as asked for", arguments: TestBackend.allCases)
    func workerCount(_ backend: TestBackend) async throws {
        let pool = try backend.pool(workers: 3)
        #expect(pool.workerCount == 3)
        #expect(try Pool(backend.backend).workerCount >= 1)
        #expect(try Pool().workerCount >= 1)
        await pool.shutDown()
    }

    @Test("219, 225 saturation: no more workers run than there are", arguments: TestBackend.allCases)
    func saturation(_ backend: TestBackend) async throws {
        let rendezvous = try Rendezvous()
        let ticket = rendezvous.ticket
        try await backend.withPool(workers: 3) { pool async throws in
            let futures = (0..<45).map { _ in
                pool.submit(ticket) { ticket -> Int in
                    ticket.arrive(Worker.current?.index ?? -1)
                    ticket.wait()
                    return Worker.current?.index ?? -1
                }
            }
            await rendezvous.expectArrivals(3)
            #expect(rendezvous.arrivals.sorted() == [0, 1, 2])
            rendezvous.letThrough(45)
            #expect(Set(try await Future.all(of: futures)).isSubset(of: [0, 1, 2]))
        }
    }

    @Test(
        "219 idle_thread_reuse, 225 idle_process_reuse_one: one worker does one thing after another",
        arguments: TestBackend.allCases)
    func idleReuse(_ backend: TestBackend) async throws {
        try await backend.withPool(workers: 4) { pool async throws in
            var processes: Set<Int32?> = []
            for _ in 0..<50 {
                let (index, process) = try await pool.run { (Worker.current?.index, Worker.current?.processID) }
                #expect(index == 0)
                processes.insert(process)
            }
            #expect(processes.count == 1)
        }
    }

    @Test(
        "175 context, 242 context_manager_shutdown: withPool finishes the work and ends the pool",
        arguments: TestBackend.allCases)
    func scoped(_ backend: TestBackend) async throws {
        let backend = backend.backend
        try await withLimit {
            let marks = try Rendezvous()
            let ticket = marks.ticket
            let (pool, future) = try await withPool(backend, workers: 2) { pool in
                for number in 0..<20 {
                    pool.submit(Numbered(number: number, ticket: ticket)) { $0.ticket.arrive($0.number) }
                }
                return (pool, pool.submit { 42 })
            }
            #expect(future.isFinished)
            #expect(try await future.value == 42)
            #expect(marks.arrivals.sorted() == Array(0..<20))
            await self.expectShutDown(pool.submit { 1 })
        }
    }

    @Test("175 context: withPool ends the pool at once when its body throws", arguments: TestBackend.allCases)
    func scopedThrows(_ backend: TestBackend) async throws {
        let backend = backend.backend
        try await withLimit {
            let rendezvous = try Rendezvous()
            let ticket = rendezvous.ticket
            let box = Box<Future<Void>>()
            await #expect(throws: Refusal.self) {
                try await withPool(backend, workers: 1) { pool in
                    box.value = pool.submit(ticket) { ticket in
                        ticket.arrive()
                        ticket.wait()
                    }
                    await rendezvous.expectArrivals(1)
                    throw Refusal()
                }
            }
            await self.expectShutDown(try #require(box.value))
        }
    }

    @Test(
        "214 shutdown_race_issue12456, 238 hang_issue12364: what was submitted is finished",
        arguments: TestBackend.allCases)
    func finishes(_ backend: TestBackend) async throws {
        try await backend.withPool { pool async throws in
            let futures = (0..<50).map { pool.submit($0) { $0 } }
            await pool.shutDown()
            #expect(futures.allSatisfy { $0.isFinished })
            #expect(try await Future.all(of: futures) == Array(0..<50))
        }
    }

    @Test("214 shutdown_race_issue12456: a pool is shut down while a map runs", arguments: TestBackend.allCases)
    func mapDuringShutDown(_ backend: TestBackend) async throws {
        let rendezvous = try Rendezvous()
        let ticket = rendezvous.ticket
        try await backend.withPool(workers: 1) { pool async throws in
            let task = Task {
                try await pool.map(0..<100_000, with: ticket, chunkSize: 1) { number, ticket in
                    if number == 0 {
                        ticket.arrive()
                        ticket.wait()
                    }
                    return number
                }
            }
            await rendezvous.expectArrivals(1)
            async let end: Void = pool.shutDown()
            await expectSoon { pool.submit { 0 }.isFinished }
            rendezvous.letThrough()
            await end
            // What it had not submitted yet is refused, so it fails; it does not hang.
            let error = await #expect(throws: PoolError.self) { try await task.value }
            #expect(error?.code == .shutDown)
        }
    }

    @Test("180 enter, 235 run_after_shutdown: work that comes later is refused", arguments: TestBackend.allCases)
    func refusesLater(_ backend: TestBackend) async throws {
        try await backend.withPool { pool async throws in
            #expect(try await pool.run { 1 } == 1)
            await pool.shutDown()
            await expectShutDown(pool.submit { 1 })
            let error = await #expect(throws: PoolError.self) { try await pool.run { 1 } }
            #expect(error?.code == .shutDown)
            #expect(error?.message.contains("make a new pool") == true)
            let mapError = await #expect(throws: PoolError.self) { try await pool.map(0..<3) { $0 } }
            #expect(mapError?.code == .shutDown)
            let streamError = await #expect(throws: PoolError.self) {
                for try await _ in pool.stream(0..<3, { $0 }) {}
            }
            #expect(streamError?.code == .shutDown)
            var count = 0
            for await result in pool.results(0..<3, { $0 }) {
                let error = #expect(throws: PoolError.self) { try result.get() }
                #expect(error?.code == .shutDown)
                count += 1
            }
            #expect(count == 3)
            let log = Counter()
            pool.submit { 1 }.onCompletion { _ in log.increment() }
            #expect(log.count == 1)
        }
    }

    @Test("A pool that never worked ends at once", arguments: TestBackend.allCases)
    func unused(_ backend: TestBackend) async throws {
        try await withLimit {
            try await backend.pool().shutDown()
            try await backend.pool().terminate()
        }
    }

    @Test(
        "173 terminate, 231 terminate_workers: ten thousand items in the queue and one that runs",
        arguments: TestBackend.allCases)
    func terminate(_ backend: TestBackend) async throws {
        let rendezvous = try Rendezvous()
        let ticket = rendezvous.ticket
        try await backend.withPool(workers: 2) { pool async throws in
            let futures = (0..<10_000).map { _ in
                pool.submit(ticket) { ticket in
                    ticket.arrive()
                    ticket.wait()
                }
            }
            await rendezvous.expectArrivals(2)
            await pool.terminate()
            #expect(futures.allSatisfy { $0.isFinished })
            for future in futures.prefix(5) + futures.suffix(5) { await expectShutDown(future) }
            #expect(rendezvous.arrivals.count == 2)
            await expectShutDown(pool.submit { 1 })
        }
    }

    @Test("173 terminate: a map, a stream and a waiting thread are told", arguments: TestBackend.allCases)
    func terminateTellsAll(_ backend: TestBackend) async throws {
        let rendezvous = try Rendezvous()
        let ticket = rendezvous.ticket
        try await backend.withPool(workers: 4) { pool async throws in
            let map = Task {
                try await pool.map([ticket, ticket], chunkSize: 1) { ticket in
                    ticket.arrive()
                    ticket.wait()
                }
            }
            let stream = Task {
                for try await _ in pool.stream(
                    [ticket],
                    { ticket in
                        ticket.arrive()
                        ticket.wait()
                    })
                {}
            }
            let future = pool.submit(ticket) { ticket in
                ticket.arrive()
                ticket.wait()
            }
            let thread = Task { try await onBlockableThread { try future.wait() } }
            await rendezvous.expectArrivals(4)
            await pool.terminate()
            for task in [Task { _ = try await map.value }, stream, thread] {
                let error = await #expect(throws: PoolError.self) { try await task.value }
                #expect(error?.code == .shutDown)
            }
        }
    }

    @Test("173 terminate: on threads the item that runs is cancelled")
    func terminateCancelsThreads() async throws {
        let (started, told) = (try Rendezvous(), try Rendezvous())
        try await TestBackend.threads.withPool(workers: 1) { pool async throws in
            let future = pool.submit {
                started.ticket.arrive()
                if blockUntilCancelled() { told.ticket.arrive() }
            }
            await started.expectArrivals(1)
            await pool.terminate()
            await expectShutDown(future)
            await told.expectArrivals(1)
        }
    }

    @Test(
        "250 shutdown_deadlock: a failure after shutDown began still ends its future", arguments: TestBackend.allCases)
    func failureDuringShutDown(_ backend: TestBackend) async throws {
        let rendezvous = try Rendezvous()
        let ticket = rendezvous.ticket
        try await backend.withPool(workers: 1) { pool async throws in
            let failing = pool.submit(ticket) { ticket in
                ticket.arrive()
                ticket.wait()
                throw Refusal()
            }
            let next = pool.submit { 1 }
            await rendezvous.expectArrivals(1)
            async let end: Void = pool.shutDown()
            rendezvous.letThrough()
            let error = await #expect(throws: PoolError.self) { try await failing.value }
            #expect(error?.code == .remote)
            #expect(try await next.value == 1)
            await end
        }
    }

    @Test(
        "Submitting, shutting down and terminating at the same time ends every item once",
        arguments: TestBackend.allCases)
    func race(_ backend: TestBackend) async throws {
        try await withLimit(.seconds(240)) {
            for round in 0..<(backend == .threads ? 100 : 15) {
                let pool = try backend.pool(workers: 3)
                let outcomes = await withTaskGroup(of: [Result<Int, any Error>].self) { group in
                    for task in 0..<4 {
                        group.addTask {
                            let futures = (0..<20).map { pool.submit(task * 20 + $0) { $0 } }
                            var results: [Result<Int, any Error>] = []
                            for future in futures { results.append(await future.result) }
                            return results
                        }
                    }
                    group.addTask {
                        for _ in 0..<round % 10 { await Task.yield() }
                        if round % 3 == 0 { await pool.shutDown() }
                        await pool.terminate()
                        return []
                    }
                    return await group.reduce(into: []) { $0 += $1 }
                }
                #expect(outcomes.count == 80)
                for case .failure(let error) in outcomes { #expect((error as? PoolError)?.code == .shutDown) }
            }
        }
    }
}

/// A place for a value that a closure leaves behind; for one task.
private final class Box<Value: Sendable>: @unchecked Sendable {
    // Safe: written and read by one task, one after another.
    var value: Value?
}

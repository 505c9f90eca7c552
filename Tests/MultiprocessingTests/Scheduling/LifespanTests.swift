import Glibc
import Multiprocessing
import TestSupport
import Testing

/// What tells one worker from another on both backends.
private enum Kept {
    static let identity = WorkerLocal { UInt64.random(in: 0 ... .max) }
}

@Suite(.admitted)
struct LifespanTests {
    @Test(arguments: TestBackend.allCases)
    func `A pool grows and shrinks while it works, and loses nothing`(backend: TestBackend) async throws {
        try await backend.withStrictPool(workers: 2) { pool in
            let futures = (0..<400).map { number in
                pool.submit(number) { number in
                    usleep(500)
                    return number
                }
            }
            var random = RandomSource(seed: 3)
            for _ in 0..<20 {
                let count = Int.random(in: 1...6, using: &random)
                try pool.resize(to: count)
                #expect(pool.workerCount == count)
                try await Task.sleep(for: .milliseconds(2))
            }
            for (number, future) in futures.enumerated() { #expect(try await future.value == number) }
            let error = #expect(throws: PoolError.self) { try pool.resize(to: 0) }
            #expect(error?.code == .invalidArgument)
            await pool.shutDown()
            let refusal = #expect(throws: PoolError.self) { try pool.resize(to: 3) }
            #expect(refusal?.code == .shutDown)
        }
    }

    @Test(arguments: TestBackend.allCases)
    func `A pool that has grown runs as much at a time, and one that has shrunk no more`(
        backend: TestBackend
    ) async throws {
        let rendezvous = try Rendezvous()
        let ticket = rendezvous.ticket
        try await backend.withStrictPool(workers: 1) { pool in
            let futures = (0..<6).map { number in
                pool.submit(number) { number in
                    ticket.arrive(number)
                    ticket.wait()
                }
            }
            await rendezvous.expectArrivals(1)
            try pool.resize(to: 3)
            await rendezvous.expectArrivals(3)
            try pool.resize(to: 1)
            rendezvous.letThrough(1)
            // Which of the three was let through is not known; one of the places that stay takes the next.
            for left in stride(from: 5, through: 1, by: -1) {
                await expectSoon("items do not end") { futures.count { !$0.isFinished } <= left }
                rendezvous.letThrough(1)
            }
            for future in futures { try await future.value }
            #expect(rendezvous.arrivals.sorted() == Array(0..<6))
        }
    }

    @Test(arguments: TestBackend.allCases, [false, true])
    func `226 max_tasks_per_child, pebble max_tasks: a worker is replaced after so many items, or when it is old`(
        backend: TestBackend, byAge: Bool
    ) async throws {
        let change: @Sendable (inout Pool.Configuration) -> Void = { configuration in
            if byAge {
                configuration.recycling.age = .milliseconds(1)
            } else {
                configuration.recycling.items = 3
            }
        }
        try await backend.withStrictPool(workers: 1, change) { pool in
            var workers: [UInt64] = []
            for _ in 0..<7 {
                let worker = try await pool.run {
                    usleep(2_000)
                    return try Kept.identity.value
                }
                workers.append(worker)
            }
            #expect(Set(workers).count == (byAge ? 7 : 3), "\(workers)")
            if !byAge { #expect(Set(workers[0..<3]).count == 1 && Set(workers[3..<6]).count == 1) }
            // The last one's place may not be taken yet.
            await expectSoon { pool.statistics.workersRecycled == (byAge ? 7 : 2) }
            #expect(pool.statistics.workersCrashed == 0 && pool.statistics.workersKilled == 0)
        }
    }

    @Test(arguments: TestBackend.allCases)
    func `mpire worker_lifespan: of one chunk a worker runs all, also beyond its span`(
        backend: TestBackend
    ) async throws {
        let change: @Sendable (inout Pool.Configuration) -> Void = { $0.recycling.items = 2 }
        try await backend.withStrictPool(workers: 1, change) { pool in
            let workers = try await pool.map(0..<12, chunkSize: 4) { _ in try Kept.identity.value }
            for start in stride(from: 0, to: 12, by: 4) {
                #expect(Set(workers[start..<start + 4]).count == 1, "\(workers)")
            }
            #expect(Set(workers).count == 3, "\(workers)")
        }
    }

    @Test(arguments: TestBackend.allCases)
    func `A worker that was idle for long goes, and another comes when there is work`(
        backend: TestBackend
    ) async throws {
        let change: @Sendable (inout Pool.Configuration) -> Void = { $0.idleTimeout = .milliseconds(50) }
        try await backend.withStrictPool(workers: 2, change) { pool in
            var workers: Set<UInt64> = []
            for round in 1...3 {
                let (worker, process) = try await pool.run { (try Kept.identity.value, Worker.current?.processID ?? 0) }
                #expect(workers.insert(worker).inserted, "the worker of before")
                await expectSoon("the worker stays") { pool.statistics.idleWorkers == 0 }
                if backend == .processes { await expectSoon("the process stays") { kill(process, 0) != 0 } }
                #expect(pool.statistics.workersStarted == round)
            }
            // One that has something to do is not idle, however long it takes.
            let long = try await pool.run {
                let worker = try Kept.identity.value
                usleep(200_000)
                return [worker, try Kept.identity.value]
            }
            #expect(long[0] == long[1])
            #expect(pool.statistics.workersCrashed == 0 && pool.statistics.workersKilled == 0)
        }
    }
}

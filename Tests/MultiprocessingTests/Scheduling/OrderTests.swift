import Dispatch
import Glibc
import Multiprocessing
import Synchronization
import TestSupport
import Testing

/// Workers that note when two threads tell them something at the same time.
private struct WatchfulBackend: WorkerBackend {
    final class Notes: Sendable {
        let isBusy = Atomic(false)
        let overlaps = Counter()
        let calls = Counter()

        func during<R>(_ body: () -> R) -> R {
            if isBusy.exchange(true, ordering: .acquiringAndReleasing) { overlaps.increment() }
            calls.increment()
            // Long enough that another thread would come in.
            usleep(20)
            defer { isBusy.store(false, ordering: .releasing) }
            return body()
        }
    }

    let base: any WorkerBackend
    let notes = Notes()

    var needsPortableWork: Bool { base.needsPortableWork }

    func makeWorkers(count: Int, reportingTo events: WorkerEvents) throws -> any WorkerGroup {
        WatchfulWorkers(base: try base.makeWorkers(count: count, reportingTo: events), notes: notes)
    }
}

private final class WatchfulWorkers: WorkerGroup {
    private let base: any WorkerGroup
    private let notes: WatchfulBackend.Notes

    init(base: any WorkerGroup, notes: WatchfulBackend.Notes) {
        self.base = base
        self.notes = notes
    }

    func start(_ worker: WorkerID) { notes.during { base.start(worker) } }

    func assign(_ chunk: Chunk, then others: [Chunk], to worker: WorkerID) {
        notes.during { base.assign(chunk, then: others, to: worker) }
    }

    func reclaim(from worker: WorkerID) { notes.during { base.reclaim(from: worker) } }
    func inquire(_ worker: WorkerID) { notes.during { base.inquire(worker) } }
    func inspect(_ worker: WorkerID) { notes.during { base.inspect(worker) } }
    func interrupt(_ worker: WorkerID, running chunk: Chunk, item: Int?) {
        notes.during { base.interrupt(worker, running: chunk, item: item) }
    }
    func watch(_ worker: WorkerID) -> (any WorkerWatch)? { base.watch(worker) }
    func processID(of worker: WorkerID) -> Int32? { base.processID(of: worker) }
    func watchActor(_ actor: UInt64, on worker: WorkerID) { notes.during { base.watchActor(actor, on: worker) } }
    func cancel(_ chunk: Chunk, on worker: WorkerID) { notes.during { base.cancel(chunk, on: worker) } }
    func stop(_ worker: WorkerID) { notes.during { base.stop(worker) } }
    func kill(_ worker: WorkerID) { notes.during { base.kill(worker) } }
    func close(_ completion: @escaping @Sendable () -> Void) { base.close(completion) }
}

/// An object that uses the pool when it goes.
private final class Parting: Codable, Sendable {
    static let pools = Mutex<[Int: Pool]>([:])

    let pool: Int

    init(pool: Int) {
        self.pool = pool
    }

    deinit {
        guard let pool = Self.pools.withLock({ $0[pool] }) else { return }
        pool.submit { _ = 1 }
    }
}

@Suite(.admitted)
struct OrderTests {
    @Test("Workers are told one thing at a time, whichever threads decide", arguments: TestBackend.allCases)
    func oneAtATime(_ backend: TestBackend) async throws {
        let watchful = WatchfulBackend(base: try #require(backend.backend as? any WorkerBackend))
        try await withLimit {
            let pool = try Pool(watchful, workers: 3)
            await withTaskGroup { group in
                for _ in 0..<4 {
                    group.addTask {
                        let futures = (0..<100).map { number in pool.submit(number) { $0 } }
                        for (number, future) in futures.enumerated() where number % 7 == 0 { future.cancel() }
                        for future in futures { _ = await future.result }
                    }
                }
            }
            _ = try await pool.map(0..<1_000) { $0 }
            await pool.shutDown()
        }
        #expect(watchful.notes.calls.count > 0)
        #expect(watchful.notes.overlaps.count == 0)
    }

    @Test("A value may use the pool when it goes, however it goes", arguments: TestBackend.allCases)
    func valuesThatUseThePool(_ backend: TestBackend) async throws {
        let key = backend == .threads ? 1 : 2
        try await backend.withPool { pool in
            Parting.pools.withLock { $0[key] = pool }
            for _ in 0..<20 {
                // Nobody wants the values, nor what waits when it is cancelled, nor the results of the map.
                for _ in 0..<50 { _ = pool.submit(key) { Parting(pool: $0) } }
                for _ in 0..<50 { pool.submit(Parting(pool: key)) { _ in }.cancel() }
                let map = Task { try await pool.map(0..<50, chunkSize: 1) { _ in Parting(pool: 0) } }
                map.cancel()
                _ = await map.result
            }
            // Those that use the pool at its end are refused.
            await pool.shutDown()
            Parting.pools.withLock { $0[key] = nil }
        }
    }

    @Test("When shutDown returns every future has ended", arguments: TestBackend.allCases)
    func shutDownComesLast(_ backend: TestBackend) async throws {
        try await withLimit {
            for _ in 0..<(backend == .threads ? 300 : 30) {
                let pool = try backend.pool()
                let futures = (0..<60).map { number in
                    pool.submit(number) { number in
                        if number % 16 == 3 { usleep(300) }
                    }
                }
                await pool.shutDown()
                #expect(futures.allSatisfy { $0.isFinished })
            }
        }
    }

    @Test("Items on threads may wait for items that were submitted behind them")
    func waitingForLaterItems() async throws {
        try await TestBackend.threads.withPool { pool in
            for future in (0..<500).map({ pool.submit($0) { $0 } }) { _ = try await future.value }
            let pairs = (0..<100).map { _ in DispatchSemaphore(value: 0) }
            let futures = pairs.flatMap { pair in
                [pool.submit { pair.wait() }, pool.submit { _ = pair.signal() }]
            }
            for future in futures { try await future.value }
        }
    }
}

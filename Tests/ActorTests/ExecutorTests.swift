import Dispatch
import Glibc
import MultiprocessingSystem
import Synchronization
import TestSupport
import Testing

@testable import Multiprocessing

/// Notes what happens, in order.
private final class Record<Element: Sendable>: Sendable {
    private let state = Mutex([Element]())

    var elements: [Element] { state.withLock { $0 } }

    func note(_ element: Element) { state.withLock { $0.append(element) } }
}

/// Lives on a pool's threads.
private actor Ledger {
    private let executor: PoolSerialExecutor
    nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    private(set) var notes: [Int] = []
    private var isInside = false

    init(on pool: Pool) throws { executor = try pool.makeSerialExecutor() }

    func note(_ number: Int) { notes.append(number) }

    func block(on ticket: Rendezvous.Ticket) {
        ticket.arrive()
        ticket.wait()
        note(-1)
    }

    /// Enqueues one job for each number, in order.
    func noteLater(
        _ numbers: Range<Int>, in record: Record<Int>, spinning microseconds: UInt64 = 0
    ) -> [Task<Void, Never>] {
        numbers.map { number in
            Task {
                let start = MonotonicTime.now().nanoseconds
                while MonotonicTime.now().nanoseconds < start + 1_000 * microseconds {}
                self.note(number)
                record.note(number)
            }
        }
    }

    /// Whether another job ran in the middle of this one.
    func wasAlone() -> Bool {
        defer { isInside = false }
        if isInside { return false }
        isInside = true
        usleep(50)
        return isInside
    }

    /// What a function finds that knows nothing of the actor but is called on it.
    func findsItself() -> Bool {
        func synchronous() -> Int { assumeIsolated { $0.notes.count } }
        preconditionIsolated()
        return synchronous() == notes.count && executor.isIsolatingCurrentContext() == true
    }

    nonisolated func isIsolating() -> Bool? { executor.isIsolatingCurrentContext() }
}

private struct Failure: Error, Codable {}

@Suite("A pool's threads as executors", .admitted)
struct ExecutorTests {
    /// Blocks the only worker of a pool, in an item.
    private func blockWorker(of pool: Pool, _ rendezvous: Rendezvous) async -> Future<Void> {
        let ticket = rendezvous.ticket
        let item = pool.submit {
            ticket.arrive()
            ticket.wait()
        }
        await rendezvous.expectArrivals(1)
        return item
    }

    @Test("A job waits in the queue of the pool's items, in turn")
    func jobsWaitInTurn() async throws {
        let rendezvous = try Rendezvous()
        try await withLimit {
            let pool = try Pool(.threads, workers: 1)
            let first = await self.blockWorker(of: pool, rendezvous)
            let record = Record<String>()
            let executor = try pool.taskExecutor
            let task = Task(executorPreference: executor) {
                let isOnPool = withUnsafeCurrentTask {
                    $0?.unownedTaskExecutor == executor.asUnownedTaskExecutor()
                }
                record.note(isOnPool ? "job" : "job elsewhere")
            }
            let second = pool.submit { record.note("item") }
            rendezvous.letThrough()
            try await first.value
            await task.value
            try await second.value
            #expect(record.elements == ["job", "item"])
            #expect(try pool.taskExecutor === executor)
            await pool.shutDown()
            #expect(pool.statistics.finished == 3)
        }
    }

    @Test("Tasks that block all workers block none of Swift's threads")
    func blockedTasks() async throws {
        let rendezvous = try Rendezvous()
        let ticket = rendezvous.ticket
        try await withLimit {
            // More than Swift has threads.
            let count = Cores.usableHere + 3
            let pool = try Pool(.threads, workers: count)
            let executor = try pool.taskExecutor
            let blocked = (0..<count).map { number in
                Task(executorPreference: executor) {
                    ticket.arrive()
                    ticket.wait()
                    return number
                }
            }
            await rendezvous.expectArrivals(count)
            let sum = await withTaskGroup(of: Int.self) { group in
                for number in 0..<1_000 {
                    group.addTask {
                        await Task.yield()
                        return number
                    }
                }
                return await group.reduce(0, +)
            }
            #expect(sum == 499_500)
            rendezvous.letThrough(count)
            var values: [Int] = []
            for task in blocked { values.append(await task.value) }
            #expect(values == Array(0..<count))
            await pool.shutDown()
        }
    }

    @Test("A preference holds for a block, and calls in it that are isolated to nothing")
    func preferenceForBlock() async throws {
        @concurrent @Sendable func isPreferred(_ executor: PoolTaskExecutor) async -> Bool {
            await Task.yield()
            return withUnsafeCurrentTask { $0?.unownedTaskExecutor == executor.asUnownedTaskExecutor() }
        }
        try await withLimit {
            let pool = try Pool(.threads, workers: 2)
            let executor = try pool.taskExecutor
            let (inside, child) = await withTaskExecutorPreference(executor) {
                async let child = isPreferred(executor)
                return (await isPreferred(executor), await child)
            }
            #expect(inside && child)
            let outside = await isPreferred(executor)
            #expect(!outside)
            await pool.shutDown()
            #expect(pool.statistics.finished > 2)
        }
    }

    @Test("A task on the only worker can wait for an item, and for tasks, of the same pool")
    func waitingFreesTheWorker() async throws {
        try await withLimit {
            let pool = try Pool(.threads, workers: 1)
            let executor = try pool.taskExecutor
            let task = Task(executorPreference: executor) {
                let sum = try await pool.map(1...10) { $0 * $0 }.reduce(0, +)
                let product = try await pool.run { 6 * 7 }
                let child = await Task(executorPreference: executor) { 1 }.value
                return sum + product + child
            }
            let value = try await task.value
            #expect(value == 385 + 42 + 1)
            await pool.shutDown()
        }
    }

    @Test("An actor's jobs run one at a time and in order, on as many workers as there are")
    func actorInOrder() async throws {
        try await withLimit {
            let pool = try Pool(.threads, workers: 4)
            let ledger = try Ledger(on: pool)
            let record = Record<Int>()
            let tasks = await ledger.noteLater(0..<1_000, in: record)
            for task in tasks { await task.value }
            let notes = await ledger.notes
            #expect(notes == Array(0..<1_000))
            let wereAlone = await withTaskGroup(of: Bool.self) { group in
                for _ in 0..<500 { group.addTask { await ledger.wasAlone() } }
                return await group.reduce(true) { $0 && $1 }
            }
            #expect(wereAlone)
            let foundItself = await ledger.findsItself()
            #expect(foundItself)
            #expect(ledger.isIsolating() == false)
            await pool.shutDown()
            #expect(pool.statistics.finished > 0)
        }
    }

    @Test("Actors that block occupy workers and none of Swift's threads, and others of the pool go on")
    func blockedActors() async throws {
        let rendezvous = try Rendezvous()
        let ticket = rendezvous.ticket
        try await withLimit {
            let count = Cores.usableHere + 1
            let pool = try Pool(.threads, workers: count + 1)
            let ledgers = try (0..<count).map { _ in try Ledger(on: pool) }
            let blocked = ledgers.map { ledger in Task { await ledger.block(on: ticket) } }
            await rendezvous.expectArrivals(count)
            let another = try Ledger(on: pool)
            await another.note(1)
            let value = try await pool.run { 5 }
            #expect(value == 5)
            rendezvous.letThrough(count)
            for task in blocked { await task.value }
            let notes = await another.notes
            #expect(notes == [1])
            await pool.shutDown()
        }
    }

    @Test("An item does not wait for all jobs of an actor that has many")
    func actorsTakeTurns() async throws {
        let rendezvous = try Rendezvous()
        try await withLimit {
            let pool = try Pool(.threads, workers: 1)
            let ledger = try Ledger(on: pool)
            let record = Record<Int>()
            let first = await self.blockWorker(of: pool, rendezvous)
            // Its own job comes behind the item that blocks, and enqueues the others, which take longer than a turn.
            let tasks = Task { await ledger.noteLater(0..<1_000, in: record, spinning: 50) }
            await expectSoon { pool.statistics.queued == 1 }
            let second = pool.submit { record.note(-1) }
            rendezvous.letThrough()
            try await first.value
            for task in await tasks.value { await task.value }
            try await second.value
            let place = try #require(record.elements.firstIndex(of: -1))
            #expect(place < 1_000)
            #expect(record.elements.filter { $0 >= 0 } == Array(0..<1_000))
            await pool.shutDown()
        }
    }

    @Test("Jobs are seen by those who watch the pool, and are of no limits")
    func jobsAreSeen() async throws {
        try await withLimit {
            var configuration = Pool.Configuration()
            configuration.defaults.timeout = .milliseconds(1)
            configuration.gracePeriod = .zero
            let pool = try Pool(.threads, workers: 1, configuration: configuration)
            let events = pool.events
            let executor = try pool.taskExecutor
            await Task(executorPreference: executor) { _ = usleep(50_000) }.value
            await pool.shutDown()
            var labels: [String?] = []
            var wasEnded = false
            for await event in events {
                if case .itemsFinished(let work, _) = event.kind { labels.append(work.label) }
                if case .workerGivenUp = event.kind { wasEnded = true }
            }
            #expect(labels == ["job"])
            #expect(!wasEnded)
        }
    }

    // MARK: Refusals

    @Test("A pool of processes has no executors, and says why")
    func processes() async throws {
        let pool = try Pool(.processes, workers: 1)
        await expectRefusal("another", "Pool(.threads)") { _ = try pool.taskExecutor }
        await expectRefusal("another", "Pool(.threads)") { _ = try pool.makeSerialExecutor() }
        await pool.shutDown()
    }

    @Test("A pool that has ended makes no executors")
    func ended() async throws {
        let pool = try Pool(.threads, workers: 1)
        await pool.shutDown()
        let first = #expect(throws: PoolError.self) { try pool.taskExecutor }
        #expect(first?.code == .shutDown)
        let second = #expect(throws: PoolError.self) { try pool.makeSerialExecutor() }
        #expect(second?.code == .shutDown)
    }

    // MARK: The end

    @Test("shutDown runs on the pool what was enqueued, and what comes later runs all the same")
    func shutDown() async throws {
        let rendezvous = try Rendezvous()
        try await withLimit {
            let pool = try Pool(.threads, workers: 1)
            let executor = try pool.taskExecutor
            let ledger = try Ledger(on: pool)
            let record = Record<Int>()
            let (resumptions, resume) = AsyncStream<Void>.makeStream()
            let suspended = Task(executorPreference: executor) {
                record.note(-2)
                for await _ in resumptions {}
                return 7
            }
            await expectSoon { record.elements == [-2] }
            let first = await self.blockWorker(of: pool, rendezvous)
            for number in 0..<20 { Task(executorPreference: executor) { record.note(number) } }
            let spinning = Task { await ledger.noteLater(100..<140, in: record, spinning: 50) }
            await expectSoon { pool.statistics.queued == 21 }
            let end = Task {
                await pool.shutDown()
                return record.elements
            }
            await expectSoon { pool.core.refusal != nil }
            rendezvous.letThrough()
            try await first.value
            let atEnd = await end.value
            #expect(Array(atEnd.prefix(21)) == [-2] + Array(0..<20))
            for task in await spinning.value { await task.value }
            #expect(record.elements.filter { $0 >= 100 } == Array(100..<140))
            // Twenty jobs, that of the suspended task, the item, and a turn of the ledger.
            #expect(pool.statistics.finished >= 23)
            resume.finish()
            let value = await suspended.value
            #expect(value == 7)
            let late = await Task(executorPreference: executor) { 8 }.value
            #expect(late == 8)
            await ledger.note(140)
            let last = await ledger.notes.last
            #expect(last == 140)
        }
    }

    @Test("A task of the pool can shut it down and go on")
    func shutDownFromWithin() async throws {
        try await withLimit {
            let pool = try Pool(.threads, workers: 1)
            let executor = try pool.taskExecutor
            let value = await Task(executorPreference: executor) {
                await pool.shutDown()
                await pool.terminate()
                return 9
            }.value
            #expect(value == 9)
        }
    }

    @Test("terminate has Dispatch run what is enqueued, and leaves alone what runs")
    func terminate() async throws {
        let rendezvous = try Rendezvous()
        let ticket = rendezvous.ticket
        try await withLimit {
            let pool = try Pool(.threads, workers: 2)
            let executor = try pool.taskExecutor
            let running = Task(executorPreference: executor) {
                ticket.arrive()
                ticket.wait()
                return Task.isCancelled
            }
            let ledger = try Ledger(on: pool)
            let blocked = Task { await ledger.block(on: ticket) }
            await rendezvous.expectArrivals(2)
            let notes = (0..<50).map { number in Task { await ledger.note(number) } }
            let enqueued = (0..<50).map { number in Task(executorPreference: executor) { number } }
            await pool.terminate()
            for (number, task) in enqueued.enumerated() {
                let value = await task.value
                #expect(value == number)
            }
            rendezvous.letThrough(2)
            let wasCancelled = await running.value
            #expect(!wasCancelled)
            await blocked.value
            for task in notes { await task.value }
            let written = await ledger.notes
            // None of the actor's has run beside the one that did.
            #expect(written.first == -1)
            #expect(written.count == 51)
        }
    }

    @Test("A pool that is let go of runs jobs for as long as its executor lives, and ends with it")
    func droppedPool() async throws {
        try await withLimit {
            var pool: Pool? = try Pool(.threads, workers: 1)
            let events = try #require(pool).events
            var executor: PoolTaskExecutor? = try #require(pool).taskExecutor
            var ledger: Ledger? = try Ledger(on: #require(pool))
            pool = nil
            let value = await Task(executorPreference: executor) { 10 }.value
            #expect(value == 10)
            executor = nil
            await ledger?.note(1)
            ledger = nil
            // They end when the pool does.
            var finished = 0
            for await event in events {
                if case .itemsFinished = event.kind { finished += 1 }
            }
            #expect(finished >= 2)
        }
    }

    @Test("Jobs run where no worker can be set up")
    func failingSetUp() async throws {
        try await withLimit {
            var configuration = Pool.Configuration()
            configuration.setUp = { throw Failure() }
            let pool = try Pool(.threads, workers: 2, configuration: configuration)
            let executor = try pool.taskExecutor
            let value = await Task(executorPreference: executor) { 11 }.value
            #expect(value == 11)
            let ledger = try Ledger(on: pool)
            await ledger.note(1)
            let notes = await ledger.notes
            #expect(notes == [1])
            await pool.terminate()
        }
    }

    @Test("No task is left behind by a pool that ends at any moment", arguments: [true, false])
    func endsAtAnyMoment(terminating: Bool) async throws {
        try await withLimit {
            for round in 0..<100 {
                let pool = try Pool(.threads, workers: 2)
                let executor = try pool.taskExecutor
                let ledger = try Ledger(on: pool)
                let started = Counter()
                let tasks = (0..<30).map { number in
                    Task(executorPreference: executor) {
                        started.increment()
                        await Task.yield()
                        await ledger.note(number)
                        await Task.yield()
                        return number
                    }
                }
                while started.count < round % 30 { await Task.yield() }
                if terminating { await pool.terminate() } else { await pool.shutDown() }
                var sum = 0
                for task in tasks { sum += await task.value }
                #expect(sum == 435)
                let notes = await ledger.notes
                #expect(notes.sorted() == Array(0..<30))
            }
        }
    }
}

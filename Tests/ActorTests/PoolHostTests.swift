import Distributed
import Glibc
import MultiprocessingSystem
import Synchronization
import TestSupport
import Testing

@testable import Multiprocessing

/// Lives in a worker, and can end it.
private distributed actor Tenant {
    typealias ActorSystem = WorkerActorSystem
    private var count = 0
    private let ticket: Rendezvous.Ticket?

    init(_ ticket: Rendezvous.Ticket? = nil, grace: UInt64? = nil, actorSystem: WorkerActorSystem) {
        self.actorSystem = actorSystem
        self.ticket = ticket
        if let grace { actorSystem.hosted.grace.store(grace, ordering: .relaxed) }
    }

    deinit { ticket?.arrive(9) }

    distributed func add(_ number: Int) -> Int {
        count += number
        return count
    }

    distributed func process() -> Int32 { getpid() }

    distributed func crash() { abort() }

    /// Whether another call comes through while the worker's main thread runs an item.
    distributed func hang(_ ticket: Rendezvous.Ticket) async {
        ticket.arrive()
        try? await Task.sleep(for: .seconds(1_000))
    }
}

private struct Failure: Error, Codable, Equatable { let text: String }

@Suite("Actors in a pool's workers", .admitted)
struct PoolHostTests {
    @Test("An actor in a worker keeps its state, and is called from the pool's items too")
    func state() async throws {
        try await TestBackend.processes.withPool { pool in
            let tenant = try await pool.host { Tenant(actorSystem: $0) }
            let process = try await tenant.process()
            #expect(process != getpid())
            #expect(pool.statistics.workers.contains { $0.processID == process })
            try await pool.forEach(1...100) { _ = try await tenant.add($0) }
            try await expect(5_050) { try await tenant.add(0) }
            try await expect(process) { try await tenant.process() }
        }
    }

    @Test("On threads the actor lives in this process, and workers of other pools call it")
    func threads() async throws {
        try await withLimit {
            let pool = try Pool(.threads, workers: 2)
            let tenant = try await pool.host { Tenant(actorSystem: $0) }
            try await expect(getpid()) { try await tenant.process() }
            let other = try Pool(.processes, workers: 2)
            try await other.forEach(1...10) { _ = try await tenant.add($0) }
            try await expect(55) { try await tenant.add(0) }
            await pool.shutDown()
            let error = await #expect(throws: ActorCallError.self) {
                try await other.run { _ = try await tenant.add(1) }
            }
            #expect(error?.code == .noSuchActor)
            // Its own process has the actor itself.
            try await expect(55) { try await tenant.add(0) }
            let refusal = await #expect(throws: PoolError.self) { _ = try await pool.host { Tenant(actorSystem: $0) } }
            #expect(refusal?.code == .shutDown)
            await other.shutDown()
        }
    }

    @Test("Actors are spread evenly over the workers")
    func placement() async throws {
        try await TestBackend.processes.withPool(workers: 3) { pool in
            var tenants: [Tenant] = []
            for _ in 0..<9 { tenants.append(try await pool.host { Tenant(actorSystem: $0) }) }
            var counts: [Int32: Int] = [:]
            for tenant in tenants { counts[try await tenant.process(), default: 0] += 1 }
            #expect(counts.values.sorted() == [3, 3, 3])
        }
    }

    @Test("Calls reach the actor while its worker's main thread runs an item")
    func busyWorker() async throws {
        let rendezvous = try Rendezvous()
        let ticket = rendezvous.ticket
        try await TestBackend.processes.withPool(workers: 1) { pool in
            let tenant = try await pool.host { Tenant(actorSystem: $0) }
            let item = pool.submit {
                ticket.arrive()
                ticket.wait()
            }
            await rendezvous.expectArrivals(1)
            for number in 1...50 { _ = try await tenant.add(number) }
            try await expect(1_275) { try await tenant.add(0) }
            #expect(!item.isFinished)
            rendezvous.letThrough()
            try await item.value
        }
    }

    @Test("A crash ends the worker's actors, whose calls say what is known, and the pool goes on")
    func crash() async throws {
        let rendezvous = try Rendezvous()
        let ticket = rendezvous.ticket
        try await TestBackend.processes.withPool(workers: 2) { pool in
            let first = try await pool.host { Tenant(actorSystem: $0) }
            let second = try await pool.host { Tenant(actorSystem: $0) }
            let process = try await first.process()
            let waiting = Task { try await first.hang(ticket) }
            await rendezvous.expectArrivals(1)
            let crash = await #expect(throws: ActorCallError.self) { try await first.crash() }
            #expect(crash?.code == .hostGone)
            #expect(crash?.isInDoubt == true)
            let inDoubt = await #expect(throws: ActorCallError.self) { try await waiting.value }
            #expect(inDoubt?.code == .hostGone)
            #expect(inDoubt?.isInDoubt == true)
            // As long as it has not ended as a whole, it may be let in and not answered.
            await expectSoon { ProcessFacts.state(of: process) == nil }
            let late = await #expect(throws: ActorCallError.self) { _ = try await first.add(1) }
            #expect(late?.code == .hostGone)
            #expect(late?.isInDoubt == false)
            // The other is in another worker.
            try await expect(3) { try await second.add(3) }
            let sum = try await pool.map(1...100) { $0 }.reduce(0, +)
            #expect(sum == 5_050)
            // The new worker has the fewest.
            let third = try await pool.host { Tenant(actorSystem: $0) }
            let processes = (try await second.process(), try await third.process())
            #expect(processes.0 != processes.1)
        }
    }

    @Test("A worker is not recycled under its actor, and is when the actor allows it", arguments: [false, true])
    func recycling(isAllowed: Bool) async throws {
        try await withLimit {
            var configuration = Pool.Configuration()
            configuration.recycling.items = 1
            let pool = try Pool(.processes, workers: 1, configuration: configuration)
            let tenant = try await pool.host(allowsRecycling: isAllowed) { Tenant(actorSystem: $0) }
            var processes: Set<Int32> = []
            for _ in 0..<5 { processes.insert(try await pool.run { getpid() }) }
            if isAllowed {
                #expect(processes.count == 5)
                let error = await #expect(throws: ActorCallError.self) { _ = try await tenant.add(1) }
                #expect(error?.code == .hostGone)
            } else {
                try await expect(processes) { [try await tenant.process()] }
            }
            await pool.shutDown()
        }
    }

    @Test("A worker is recycled again when nobody has a reference to its actor")
    func lastReference() async throws {
        let rendezvous = try Rendezvous()
        let ticket = rendezvous.ticket
        try await withLimit {
            var configuration = Pool.Configuration()
            configuration.recycling.items = 1
            let pool = try Pool(.processes, workers: 1, configuration: configuration)
            let events = pool.events
            var tenant: Tenant? = try await pool.host { Tenant(ticket, grace: 2_000_000_000, actorSystem: $0) }
            let process = try await tenant?.process()
            let item = try await pool.run { getpid() }
            #expect(item == process)
            tenant = nil
            // The actor says that it goes, and then its worker does, which has run more than it may.
            await rendezvous.expectArrivals(1)
            for await event in events {
                if case .workerRecycled(let worker) = event.kind {
                    #expect(worker.processID == process)
                    break
                }
            }
            let next = try await pool.run { getpid() }
            #expect(next != process)
            await pool.shutDown()
        }
    }

    @Test("Idleness and a smaller pool leave a worker with an actor alone")
    func idleAndSmaller() async throws {
        try await withLimit {
            var configuration = Pool.Configuration()
            configuration.idleTimeout = .milliseconds(10)
            let pool = try Pool(.processes, workers: 2, configuration: configuration)
            let tenants = [
                try await pool.host { Tenant(actorSystem: $0) }, try await pool.host { Tenant(actorSystem: $0) },
            ]
            let processes = [try await tenants[0].process(), try await tenants[1].process()]
            #expect(processes[0] != processes[1])
            // One that was let go of for its idleness, in another pool of the same sort.
            let other = try Pool(.processes, workers: 1, configuration: configuration)
            let events = other.events
            _ = try await other.run { 1 }
            for await event in events { if case .workerStopped = event.kind { break } }
            await other.shutDown()
            try pool.resize(to: 1)
            var items: Set<Int32> = []
            for _ in 0..<20 { items.insert(try await pool.run { getpid() }) }
            #expect(items.count == 1)
            try await expect(1) { try await tenants[0].add(1) }
            try await expect(1) { try await tenants[1].add(1) }
            try await expect(processes) { [try await tenants[0].process(), try await tenants[1].process()] }
            await pool.shutDown()
        }
    }

    @Test("After shutDown and terminate calls fail as not begun", arguments: [false, true])
    func ends(terminating: Bool) async throws {
        try await withLimit {
            let pool = try Pool(.processes, workers: 1)
            let tenant = try await pool.host { Tenant(actorSystem: $0) }
            let process = try await tenant.process()
            if terminating { await pool.terminate() } else { await pool.shutDown() }
            let error = await #expect(throws: ActorCallError.self) { _ = try await tenant.add(1) }
            #expect(error?.code == .hostGone)
            #expect(error?.isInDoubt == false)
            #expect(!ProcessFacts.isRunning(process))
            let refusal = await #expect(throws: PoolError.self) { _ = try await pool.host { Tenant(actorSystem: $0) } }
            #expect(refusal?.code == .shutDown)
        }
    }

    @Test("A reference keeps the workers of a pool that is let go of, and they end with it")
    func droppedPool() async throws {
        try await withLimit {
            var pool: Pool? = try Pool(.processes, workers: 1)
            var tenant: Tenant? = try await pool?.host { Tenant(actorSystem: $0) }
            pool = nil
            let process = try await tenant?.process()
            try await expect(4) { try await tenant?.add(4) }
            tenant = nil
            let number = try #require(process)
            await expectSoon { !ProcessFacts.isRunning(number) }
        }
    }

    @Test("A call that is cancelled while the only worker is busy makes no actor")
    func cancellation() async throws {
        let rendezvous = try Rendezvous()
        let ticket = rendezvous.ticket
        try await TestBackend.processes.withPool(workers: 1) { pool in
            let item = pool.submit {
                ticket.arrive(1)
                ticket.wait()
            }
            await rendezvous.expectArrivals(1)
            let host = Task {
                try await pool.host { system in
                    ticket.arrive(2)
                    return Tenant(actorSystem: system)
                }
            }
            await expectSoon { pool.statistics.queued == 1 }
            host.cancel()
            await #expect(throws: CancellationError.self) { try await host.value }
            rendezvous.letThrough()
            try await item.value
            let value = try await pool.run { 6 }
            #expect(value == 6)
            #expect(rendezvous.arrivals == [1])
        }
    }

    @Test("What the closure throws arrives, and what cannot be sent is refused")
    func failures() async throws {
        try await TestBackend.processes.withPool(workers: 1) { pool in
            let failure = await #expect(throws: Failure.self) {
                _ = try await pool.host { system in
                    if getpid() > 0 { throw Failure(text: "not today") }
                    return Tenant(actorSystem: system)
                }
            }
            #expect(failure == Failure(text: "not today"))
            let counter = Counter()
            await expectRefusal("Counter") {
                _ = try await pool.host { system in
                    counter.increment()
                    return Tenant(actorSystem: system)
                }
            }
            let asynchronous = try await pool.host { system in
                await Task.yield()
                return Tenant(actorSystem: system)
            }
            try await expect(2) { try await asynchronous.add(2) }
        }
    }
}

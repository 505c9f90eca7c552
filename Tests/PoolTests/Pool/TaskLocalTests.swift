import Dispatch
import Multiprocessing
import Synchronization
import TestSupport
import Testing

private enum Tenant {
    @TaskLocal static var current: String?
    @TaskLocal static var other: Payload?
}

/// A value that tells when it is gone.
private final class Payload: Sendable {}

private struct TenantJob: Job {
    func run() -> String? { Tenant.current }
}

/// What work sees of its caller's task: on threads all, in worker processes nothing.
@Suite(.admitted)
struct TaskLocalTests {
    @Test("Each item sees its own caller's values", arguments: TestBackend.allCases)
    func ownValues(_ backend: TestBackend) async throws {
        try await backend.withPool(workers: 1) { pool async throws in
            let isSeen = backend == .threads
            // The worker is woken by one who has values, and then serves others.
            for tenant in ["alice", "bob", nil, "carol", nil, nil, "alice"] {
                let expected = isSeen ? tenant : nil
                try await Tenant.$current.withValue(tenant) { () async throws in
                    #expect(try await pool.run { Tenant.current } == expected)
                    #expect(try await pool.run { () async in await lookLater() } == expected)
                    #expect(try await pool.run(TenantJob()) == expected)
                    #expect(try await pool.submit(1) { _ in Tenant.current }.value == expected)
                    #expect(try await pool.map(1...20) { _ in Tenant.current } == Array(repeating: expected, count: 20))
                    #expect(
                        try await pool.map(1...20, chunkSize: 3) { _ async in await lookLater() }
                            == Array(repeating: expected, count: 20))
                    for try await value in pool.stream(1...20, { _ in Tenant.current }) { #expect(value == expected) }
                    for try await value in pool.stream(AsyncNumbers(count: 20), { _ in Tenant.current }) {
                        #expect(value == expected)
                    }
                    for await result in pool.results(1...20, { _ in Tenant.current }) {
                        #expect(try result.get() == expected)
                    }
                }
            }
            #expect(try await pool.run { Tenant.current } == nil)
        }
    }

    @Test("Many callers at once do not see each other's values", arguments: TestBackend.allCases)
    func manyCallers(_ backend: TestBackend) async throws {
        try await backend.withPool(workers: 4) { pool async throws in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 0..<40 {
                    group.addTask { () async throws in
                        let tenant = number % 4 == 0 ? nil : "tenant \(number)"
                        let expected = backend == .threads ? tenant : nil
                        try await Tenant.$current.withValue(tenant) { () async throws in
                            for _ in 0..<20 { #expect(try await pool.run { Tenant.current } == expected) }
                            // Long enough to be cut and given to others.
                            let seen = try await pool.map(0..<5_000) { index -> String? in
                                index % 100 == 0 ? spin() : ()
                                return Tenant.current
                            }
                            #expect(seen.count == 5_000 && seen.allSatisfy { $0 == expected })
                        }
                    }
                }
                try await group.waitForAll()
            }
        }
    }

    @Test("An item that is submitted outside of any task sees the values of its thread")
    func outsideOfTasks() async throws {
        try await TestBackend.threads.withPool(workers: 1) { pool async throws in
            let futures = try await onBlockableThread {
                [
                    Tenant.$current.withValue("thread") { pool.submit { Tenant.current } },
                    pool.submit { Tenant.current },
                ]
            }
            #expect(try await futures[0].value == "thread")
            #expect(try await futures[1].value == nil)
        }
    }

    @Test("An item may submit to another pool, and know its worker")
    func nested() async throws {
        try await TestBackend.threads.withPool(workers: 2) { pool async throws in
            let inner = try Pool(.threads, workers: 1)
            try await Tenant.$current.withValue("outer") { () async throws in
                let seen = try await pool.run { () async throws in
                    let outer = Worker.current
                    let tenant = try await Tenant.$current.withValue("inner") { () async throws in
                        try await inner.run { Worker.current?.index == 0 ? Tenant.current : nil }
                    }
                    return outer == Worker.current ? [tenant, Tenant.current] : []
                }
                #expect(seen == ["inner", "outer"])
            }
            await inner.shutDown()
        }
    }

    @Test("An item with values is cancelled as any other, and the next one runs")
    func cancelled() async throws {
        let rendezvous = try Rendezvous()
        let ticket = rendezvous.ticket
        try await TestBackend.threads.withPool(workers: 1) { pool async throws in
            try await Tenant.$current.withValue("caller") { () async throws in
                let hasSeen = SharedFlag()
                let running = pool.submit {
                    ticket.arrive()
                    if blockUntilCancelled() { hasSeen.raise() }
                }
                let queued = pool.submit { hasSeen.lower() }
                await rendezvous.expectArrivals(1)
                queued.cancel()
                running.cancel()
                await #expect(throws: CancellationError.self) { try await running.value }
                #expect(try await pool.run { Tenant.current } == "caller")
                #expect(hasSeen.isRaised)
                #expect(try await pool.run { Task.isCancelled } == false)
            }
        }
    }

    @Test("Nothing keeps a caller's values when its items are gone")
    func released() async throws {
        try await TestBackend.threads.withPool(workers: 1) { pool async throws in
            weak var payload: Payload?
            do {
                let strong = Payload()
                payload = strong
                try await Tenant.$other.withValue(strong) { () async throws in
                    _ = try await pool.run { Tenant.other == nil }
                    _ = try await pool.map(1...100, chunkSize: 1) { _ in Tenant.other == nil }
                    for try await _ in pool.stream(1...100, { _ in Tenant.other == nil }) { break }
                    // One that never runs.
                    let gate = DispatchSemaphore(value: 0)
                    let running = pool.submit { gate.wait() }
                    let queued = pool.submit { Tenant.other == nil }
                    queued.cancel()
                    gate.signal()
                    try await running.value
                    _ = await queued.result
                }
            }
            await expectSoon { payload == nil }
        }
    }

    @Test("Items have their caller's priority on threads, whoever came before")
    func priority() async throws {
        try await TestBackend.threads.withPool(workers: 1) { pool async throws in
            for tenant in [nil, "tenant"] {
                for priority in [TaskPriority.high, .low, .medium, .background, .low, .high] {
                    // A continuation, because to wait for a task raises its priority.
                    let seen = try await withCheckedThrowingContinuation { continuation in
                        _ = Task.detached(priority: priority) {
                            do {
                                let seen = try await Tenant.$current.withValue(tenant) { try await priorities(pool) }
                                continuation.resume(returning: seen)
                            } catch {
                                continuation.resume(throwing: error)
                            }
                        }
                    }
                    #expect(seen.allSatisfy { $0 == priority }, "\(seen) for \(priority)")
                }
            }
        }
    }

    @Test("A caller without values is told apart from one with them")
    func cheapCase() async throws {
        try await TestBackend.threads.withPool(workers: 1) { pool async throws in
            try await pool.run { () -> Void in }
            #expect(TaskLocalStorage.isKnown)
        }
    }
}

private func priorities(_ pool: Pool) async throws -> [TaskPriority] {
    let one = try await pool.run { Task.currentPriority }
    let later = try await pool.run { () async in
        await Task.yield()
        return Task.currentPriority
    }
    return try await pool.map(1...5) { _ in Task.currentPriority } + [one, later]
}

private func lookLater() async -> String? {
    await Task.yield()
    return Tenant.current
}

private func spin() {
    let end = ContinuousClock.now + .microseconds(200)
    while ContinuousClock.now < end {}
}

/// A flag that work on threads sets.
private final class SharedFlag: Sendable {
    private let flag = Atomic(false)
    var isRaised: Bool { flag.load(ordering: .acquiring) }
    func raise() { flag.store(true, ordering: .releasing) }
    func lower() { flag.store(false, ordering: .releasing) }
}

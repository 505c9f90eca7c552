import Glibc
import Multiprocessing
import Synchronization
import TestSupport
import Testing

/// A value that counts itself, in the process that it is in.
private final class Tracked: Codable, Sendable {
    static let living = Atomic(0)
    static let made = Atomic(0)

    let number: Int

    init(_ number: Int) {
        self.number = number
        Self.living.wrappingAdd(1, ordering: .relaxed)
        Self.made.wrappingAdd(1, ordering: .relaxed)
    }

    init(from decoder: any Decoder) throws {
        number = try decoder.singleValueContainer().decode(Int.self)
        Self.living.wrappingAdd(1, ordering: .relaxed)
        Self.made.wrappingAdd(1, ordering: .relaxed)
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(number)
    }

    deinit { Self.living.wrappingSubtract(1, ordering: .relaxed) }

    static var livingCount: Int { living.load(ordering: .relaxed) }
    static var madeCount: Int { made.load(ordering: .relaxed) }
}

/// Pitfall 26: nothing is kept alive after use.
///
/// One test after another, because they count what lives.
@Suite(.serialized, .admitted)
struct ReleaseTests {
    private func expectNoneLives(sourceLocation: SourceLocation = #_sourceLocation) async {
        await expectSoon("\(Tracked.livingCount) values live on", sourceLocation: sourceLocation) {
            Tracked.livingCount == 0
        }
    }

    @Test(
        "179 release_task_refs, 215 no_stale_references: inputs and results of single items go",
        arguments: TestBackend.allCases)
    func singleItems(_ backend: TestBackend) async throws {
        try await backend.withPool { pool async throws in
            for number in 0..<20 { _ = try await pool.run(Tracked(number)) { Tracked($0.number) } }
            await expectNoneLives()
            let future = pool.submit(Tracked(1)) { $0.number }
            #expect(try await future.value == 1)
            // The future is still held, and keeps the result alone.
            await expectNoneLives()
            do {
                let kept = pool.submit(2) { Tracked($0) }
                #expect(try await kept.value.number == 2)
                #expect(Tracked.livingCount == 1)
            }
            await expectNoneLives()
        }
    }

    @Test(
        "179 release_task_refs, 215 no_stale_references: inputs and results of many items go",
        arguments: TestBackend.allCases)
    func manyItems(_ backend: TestBackend) async throws {
        try await backend.withPool { pool async throws in
            _ = try await pool.map((0..<100).lazy.map { Tracked($0) }) { Tracked($0.number) }
            await expectNoneLives()
            for try await value in pool.stream((0...).lazy.map { Tracked($0) }, { Tracked($0.number) })
            where value.number == 20 { break }
            await expectNoneLives()
            _ = try await pool.map(0..<10, with: Tracked(1)) { $0 + $1.number }
            await expectNoneLives()
        }
    }

    @Test("Each value of a map is made once, and goes when the map's array goes", arguments: TestBackend.allCases)
    func values(_ backend: TestBackend) async throws {
        try await backend.withPool { pool async throws in
            for chunkSize in [nil, 1, 60] {
                let before = Tracked.madeCount
                let values = try await pool.map(0..<2_000, chunkSize: chunkSize) { Tracked($0) }
                #expect(values.map(\.number) == Array(0..<2_000))
                #expect(Tracked.madeCount == before + 2_000)
                #expect(Tracked.livingCount == 2_000)
                withExtendedLifetime(values) {}
            }
            await expectNoneLives()
        }
    }

    @Test("What the items of a map have made goes when one of them throws", arguments: TestBackend.allCases)
    func failure(_ backend: TestBackend) async throws {
        try await backend.withPool { pool async throws in
            for failing in [0, 1, 777, 1_999] {
                await #expect(throws: PoolError.self) {
                    _ = try await pool.map(0..<2_000, chunkSize: 500) { number in
                        if number == failing { throw InputFailure() }
                        return Tracked(number)
                    }
                }
                await expectNoneLives()
            }
            // Here the others go on, and their values come in order around the failures.
            var next = 0
            for await result in pool.results(
                0..<2_000, chunkSize: 50,
                { number in
                    if number % 7 == 3 { throw InputFailure() }
                    return Tracked(number)
                })
            {
                #expect((try? result.get())?.number == (next % 7 == 3 ? nil : next))
                next += 1
            }
            #expect(next == 2_000)
            await expectNoneLives()
        }
    }

    @Test(
        "What the items of a map have made goes when the map is cancelled or its pool ends",
        arguments: TestBackend.allCases)
    func cancelled(_ backend: TestBackend) async throws {
        for isTerminated in [false, true] {
            let rendezvous = try Rendezvous()
            let ticket = rendezvous.ticket
            try await backend.withPool { pool async throws in
                let map = Task {
                    try await pool.map(0..<2_000, with: ticket, chunkSize: 100) { number, ticket in
                        if number % 100 == 50 {
                            ticket.arrive(number)
                            ticket.wait()
                        }
                        return Tracked(number)
                    }
                }
                await rendezvous.expectArrivals(2)
                // Neither waits for the threads that run the items; those stop behind the item that they are at.
                if isTerminated { await pool.terminate() } else { map.cancel() }
                rendezvous.letThrough(2)
                await #expect(throws: (any Error).self) { try await map.value }
                await expectNoneLives()
            }
        }
    }

    @Test("What the items of a map have made goes when a worker crashes")
    func crash() async throws {
        try await TestBackend.processes.withPool { pool async throws in
            await #expect(throws: PoolError.self) {
                _ = try await pool.map(0..<2_000, chunkSize: 500) { number in
                    if number == 1_234 { kill(getpid(), SIGKILL) }
                    return Tracked(number)
                }
            }
            await expectNoneLives()
        }
    }

    @Test("215 no_stale_references: inputs of items that are cancelled or refused go", arguments: TestBackend.allCases)
    func itemsWithoutResult(_ backend: TestBackend) async throws {
        let rendezvous = try Rendezvous()
        let ticket = rendezvous.ticket
        try await backend.withPool(workers: 1) { pool async throws in
            let blocker = pool.submit(ticket) { $0.wait() }
            let futures = (0..<10).map { pool.submit(Tracked($0)) { $0.number } }
            for future in futures { future.cancel() }
            await expectNoneLives()
            rendezvous.letThrough()
            try await blocker.value
            await pool.shutDown()
            let refused = pool.submit(Tracked(1)) { $0.number }
            #expect(refused.isFinished)
            await expectNoneLives()
        }
    }

    @Test("206 free_reference_yielded_future: a future that was given out is not kept", arguments: TestBackend.allCases)
    func yieldedFutures(_ backend: TestBackend) async throws {
        try await backend.withPool { pool async throws in
            for await future in Future.asCompleted(of: (0..<10).map { pool.submit($0) { Tracked($0) } }) {
                #expect((0..<10).contains(try await future.value.number))
            }
            await expectNoneLives()
        }
    }

    @Test("224 resources_gced_in_workers: a worker keeps no input")
    func worker() async throws {
        try await TestBackend.processes.withPool(workers: 1) { pool async throws in
            #expect(try await pool.run(Tracked(1)) { _ in Tracked.livingCount } == 1)
            #expect(try await pool.run { Tracked.livingCount } == 0)
            _ = try await pool.map((0..<100).map { Tracked($0) }, chunkSize: 10) { Tracked($0.number) }
            #expect(try await pool.run { Tracked.livingCount } == 0)
            // The shared value of a call goes with the call.
            _ = try await pool.map(0..<10, with: Tracked(1)) { $0 + $1.number }
            // The worker is told when the last part of the call is gone here, which may be after the call has returned.
            var living = -1
            for _ in 0..<1_000 where living != 0 { living = try await pool.run { Tracked.livingCount } }
            #expect(living == 0)
        }
    }

    @Test("215 no_stale_references: completion handlers go when they were called", arguments: TestBackend.allCases)
    func handlers(_ backend: TestBackend) async throws {
        try await backend.withPool { pool async throws in
            let called = Counter()
            let future = pool.submit { 1 }
            do {
                let captured = Tracked(1)
                future.onCompletion { _ in
                    _ = captured.number
                    called.increment()
                }
            }
            await expectSoon { called.count == 1 }
            await expectNoneLives()
            #expect(future.isFinished)
        }
    }
}

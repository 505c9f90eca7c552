import Multiprocessing
import TestSupport
import Testing

private struct Refusal: Error, Codable, Equatable {
    var number = 0
}

/// The three ways over several futures.
@Suite(.admitted)
struct SeveralFuturesTests {
    /// An item that waits for the rendezvous and gives its number.
    private static func submit(_ number: Int, _ rendezvous: Rendezvous, to pool: Pool) -> Future<Int> {
        pool.submit(Numbered(number: number, ticket: rendezvous.ticket)) { item -> Int in
            item.ticket.arrive(item.number)
            item.ticket.wait()
            return item.number
        }
    }

    @Test("202 first_completed: the first to end is found", arguments: TestBackend.allCases)
    func first(_ backend: TestBackend) async throws {
        let (slow, fast) = (try Rendezvous(), try Rendezvous())
        try await backend.withPool(workers: 3) { pool async throws in
            let futures = [
                Self.submit(0, slow, to: pool), Self.submit(1, fast, to: pool), Self.submit(2, slow, to: pool),
            ]
            async let first = Future.first(of: futures)
            fast.letThrough()
            #expect(try await first?.value == 1)
            #expect(!futures[0].isFinished)
            #expect(!futures[2].isFinished)
            // Those that have ended already are first.
            #expect(try await Future.first(of: futures)?.value == 1)
        }
    }

    @Test("202 first_completed: a cancelled future has ended", arguments: TestBackend.allCases)
    func firstIsCancelled(_ backend: TestBackend) async throws {
        let rendezvous = try Rendezvous()
        try await backend.withPool(workers: 1) { pool async throws in
            let futures = (0..<3).map { Self.submit($0, rendezvous, to: pool) }
            futures[2].cancel()
            let first = try await Future.first(of: futures)
            #expect(first === futures[2])
        }
    }

    @Test("202 first_completed: nothing comes first of nothing")
    func firstOfNone() async throws {
        #expect(try await Future<Int>.first(of: []) == nil)
    }

    @Test("203 first_exception: all throws the error of the first that failed", arguments: TestBackend.allCases)
    func allThrows(_ backend: TestBackend) async throws {
        try await backend.withPool { pool async throws in
            let futures = (0..<6).map { number in
                pool.submit(number) { number -> Int in
                    if number >= 3 { throw Refusal(number: number) }
                    return number
                }
            }
            await #expect(throws: Refusal(number: 3)) { try await Future.all(of: futures) }
        }
    }

    @Test("204 all_completed: all values, in order", arguments: TestBackend.allCases)
    func all(_ backend: TestBackend) async throws {
        try await backend.withPool { pool async throws in
            let futures = (0..<50).map { pool.submit($0) { $0 * 2 } }
            #expect(try await Future.all(of: futures) == (0..<50).map { $0 * 2 })
            #expect(try await Future.all(of: futures.reversed()) == (0..<50).reversed().map { $0 * 2 })
            #expect(try await Future<Int>.all(of: []) == [])
        }
    }

    @Test("205 pending_calls_race: a hundred futures that end together", arguments: TestBackend.allCases)
    func endTogether(_ backend: TestBackend) async throws {
        try await backend.withPool(workers: 4) { pool async throws in
            for _ in 0..<5 {
                let futures = (0..<100).map { pool.submit($0) { $0 } }
                var seen: Set<Int> = []
                for await future in Future.asCompleted(of: futures) { seen.insert(try await future.value) }
                #expect(seen == Set(0..<100))
            }
        }
    }

    @Test("201 20369, 206 duplicate_futures: a future that is there twice comes once", arguments: TestBackend.allCases)
    func duplicates(_ backend: TestBackend) async throws {
        try await backend.withPool { pool async throws in
            let future = pool.submit { 1 }
            var count = 0
            for await _ in Future.asCompleted(of: [future, future, future]) { count += 1 }
            #expect(count == 1)
            #expect(try await Future.all(of: [future, future]) == [1, 1])
        }
    }

    @Test("206 as_completed: futures come in the order in which they end", arguments: TestBackend.allCases)
    func asCompleted(_ backend: TestBackend) async throws {
        let gates = [try Rendezvous(), try Rendezvous(), try Rendezvous()]
        try await backend.withPool(workers: 3) { pool async throws in
            let futures = (0..<3).map { Self.submit($0, gates[$0], to: pool) }
            var order: [Int] = []
            gates[1].letThrough()
            for await future in Future.asCompleted(of: futures) {
                let number = try await future.value
                order.append(number)
                if order.count < 3 { gates[[1: 2, 2: 0][number] ?? 0].letThrough() }
            }
            #expect(order == [1, 2, 0])
        }
    }

    @Test("206 as_completed: failures come too, and no futures are an end", arguments: TestBackend.allCases)
    func asCompletedFailures(_ backend: TestBackend) async throws {
        try await backend.withPool { pool async throws in
            let futures = [pool.submit { () throws -> Int in throw Refusal() }, pool.submit { 1 }]
            var count = 0
            for await future in Future.asCompleted(of: futures) where future.isFinished { count += 1 }
            #expect(count == 2)
            for await _ in Future<Int>.asCompleted(of: []) { Issue.record("there was no future") }
        }
    }

    @Test("206 as_completed: who stops waiting cancels none", arguments: TestBackend.allCases)
    func cancelledWait(_ backend: TestBackend) async throws {
        let rendezvous = try Rendezvous()
        try await backend.withPool { pool async throws in
            let futures = (0..<2).map { Self.submit($0, rendezvous, to: pool) }
            let waiting = Task { try await Future.first(of: futures) }
            await rendezvous.expectArrivals(2)
            waiting.cancel()
            await #expect(throws: CancellationError.self) { try await waiting.value }
            rendezvous.letThrough(2)
            #expect(try await Future.all(of: futures) == [0, 1])
        }
    }
}

import Multiprocessing
import MultiprocessingSystem
import TestSupport
import Testing

/// Worker processes that are asked what they run, and interrupted in it.
@Suite("Interrupting a worker", .admitted)
struct InterruptionTests {
    private let tap = TappedWorkers()

    private func expectFacts(_ count: Int, sourceLocation: SourceLocation = #_sourceLocation) async {
        await expectSoon("\(count) facts were not reported", within: .seconds(240), sourceLocation: sourceLocation) {
            tap.facts.count >= count
        }
    }

    private static func describe(_ result: Result<Int, any Error>) -> Int? { try? result.get() }

    @Test("The item that runs is lost, those before it count, those behind it run once", arguments: [true, false])
    func middleOfChunk(recovers: Bool) async throws {
        let rendezvous = try Rendezvous()
        let ticket = rendezvous.ticket
        let pool = try Pool(tap.backend, workers: 1)
        let start = MonotonicTime.now().nanoseconds
        let results = Task {
            var results: [Int?] = []
            let stream = pool.results(0..<6, chunkSize: 6) { number in
                ticket.arrive(number)
                if number == 0 || number == 1 || number == 3 { ticket.wait() }
                return number * 2
            }
            for await result in stream { results.append(Self.describe(result)) }
            return results
        }
        await rendezvous.expectArrivals(1)
        tap.inspect()
        await expectFacts(1)
        rendezvous.letThrough()
        await rendezvous.expectArrivals(2)
        tap.inspect()
        await expectFacts(2)
        rendezvous.letThrough()
        await rendezvous.expectArrivals(4)
        // Meant for the item that was reported, which has ended.
        tap.interrupt()
        await expectFacts(3)
        tap.interrupt()
        await expectFacts(4)
        let facts = tap.facts
        guard case .working(0, let first?) = facts[0] else {
            Issue.record("\(facts)")
            return
        }
        #expect(start <= first && first <= MonotonicTime.now().nanoseconds)
        // When an item behind another began is not known.
        #expect(facts[1] == .working(item: 1, since: nil))
        #expect(facts[2] == .working(item: 3, since: nil))
        #expect(facts[3] == .interrupted(finished: 3, end: 4))
        if recovers { rendezvous.letThrough() } else { tap.kill() }
        try await withLimit {
            let values = await results.value
            #expect(values == [0, 2, 4, nil, 8, 10])
        }
        #expect(rendezvous.arrivals == [0, 1, 2, 3, 4, 5])
        #expect(tap.facts.dropFirst(4).first == (recovers ? .recovered : .workerEnded(isUnbegun: true)))
        await pool.shutDown()
    }

    @Test("The work learns of it as a cancellation, and what it returns is dropped, however large")
    func cancellation() async throws {
        let rendezvous = try Rendezvous()
        let ticket = rendezvous.ticket
        let pool = try Pool(tap.backend, workers: 1)
        let future = pool.submit { () async -> [Int] in
            ticket.arrive()
            while !Task.isCancelled { try? await Task.sleep(for: .milliseconds(1)) }
            return [Int](repeating: 7, count: 1 << 20)
        }
        await rendezvous.expectArrivals(1)
        tap.interrupt()
        try await withLimit {
            let result = await future.result
            #expect(throws: PoolError.self) { try result.get() }
            // The same worker, which has dropped what it has to.
            let value = try await pool.run { 5 }
            #expect(value == 5)
        }
        #expect(tap.facts == [.interrupted(finished: 0, end: 1), .recovered])
        await pool.shutDown()
    }

    @Test("An idle worker is not interrupted, and has nothing to report")
    func idle() async throws {
        let pool = try Pool(tap.backend, workers: 1)
        try await withLimit {
            let value = try await pool.run { 4 }
            #expect(value == 4)
            tap.inspect()
            tap.interrupt()
            let next = try await pool.run { 5 }
            #expect(next == 5)
        }
        await pool.shutDown()
        #expect(tap.facts == [.workerEnded(isUnbegun: true)])
    }

    @Test("Interrupted at any moment, each item ends once, and has its own value if it has one")
    func anyMoment() async throws {
        let pool = try Pool(tap.backend, workers: 1)
        try await withLimit {
            for round in 0..<40 {
                let results = Task {
                    var results: [Int?] = []
                    let stream = pool.results(0..<2_000, chunkSize: 500) { $0 &* 31 &+ round }
                    for await result in stream { results.append(Self.describe(result)) }
                    return results
                }
                for _ in 0..<round { tap.interrupt() }
                let values = await results.value
                #expect(values.count == 2_000)
                for (index, value) in values.enumerated() where value != nil {
                    #expect(value == index &* 31 &+ round)
                }
            }
        }
        await pool.shutDown()
    }
}

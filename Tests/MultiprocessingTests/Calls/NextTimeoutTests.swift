import TestSupport
import Testing

@testable import Multiprocessing

private struct Refusal: Error, Codable, Equatable {}

/// Waits for the next result of a stream that have a limit.
@Suite(.admitted)
struct NextTimeoutTests {
    private static let orders = [StreamOrder.input, .completion]

    @Test("next(timeout): a value that is late is given to the next call", arguments: TestBackend.allCases)
    func late(_ backend: TestBackend) async throws {
        for order in Self.orders {
            let rendezvous = try Rendezvous()
            let ticket = rendezvous.ticket
            try await backend.withPool(workers: 2) { pool async throws in
                let items = (0..<20).map { Numbered(number: $0, ticket: ticket) }
                var values = pool.stream(items, order: order) { item -> Int in
                    if item.number == 7 { item.ticket.wait() }
                    return item.number
                }.makeAsyncIterator()
                let isInOrder = order == .input
                var given: [Int] = []
                while given.count < (isInOrder ? 7 : 19) {
                    given.append(try #require(try await values.next(timeout: .seconds(600))))
                }
                for limit in [Duration.zero, .milliseconds(20), .milliseconds(-1), .microseconds(1)] {
                    let error = await #expect(throws: PoolError.self) { try await values.next(timeout: limit) }
                    #expect(error?.code == .timedOut)
                    #expect(error?.limit == limit)
                }
                rendezvous.letThrough()
                // The item's own next one, by a call without a limit too.
                #expect(try await values.next() == 7)
                given.append(7)
                while let value = try await values.next(timeout: .seconds(600)) { given.append(value) }
                #expect(given.sorted() == Array(0..<20))
                if isInOrder { #expect(given == Array(0..<20)) }
                #expect(try await values.next(timeout: .zero) == nil)
            }
        }
    }

    @Test("next(timeout): results that are late, failures among them", arguments: TestBackend.allCases)
    func lateResults(_ backend: TestBackend) async throws {
        for order in Self.orders {
            let rendezvous = try Rendezvous()
            let ticket = rendezvous.ticket
            try await backend.withPool(workers: 1) { pool async throws in
                let (inputs, continuation) = AsyncStream.makeStream(of: Numbered.self)
                var results = pool.results(inputs, order: order) { item -> Int in
                    item.ticket.wait()
                    if item.number == 1 { throw Refusal() }
                    return item.number
                }.makeAsyncIterator()
                // Before there is an input, and while its item runs.
                for number in 0..<3 {
                    let early = await #expect(throws: PoolError.self) {
                        try await results.next(timeout: .milliseconds(10))
                    }
                    #expect(early?.code == .timedOut)
                    continuation.yield(Numbered(number: number, ticket: ticket))
                    let error = await #expect(throws: PoolError.self) {
                        try await results.next(timeout: .milliseconds(10))
                    }
                    #expect(error?.code == .timedOut)
                    rendezvous.letThrough()
                    let result = try await results.next(timeout: .seconds(600))
                    if number == 1 {
                        #expect(throws: Refusal()) { try result?.get() }
                    } else {
                        #expect(try result?.get() == number)
                    }
                }
                continuation.finish()
                #expect(try await results.next(timeout: .seconds(600)) == nil)
            }
        }
    }

    @Test(
        "A wait with a limit ends when the task is cancelled, and the stream with it", arguments: TestBackend.allCases)
    func cancellation(_ backend: TestBackend) async throws {
        let rendezvous = try Rendezvous()
        let ticket = rendezvous.ticket
        try await backend.withPool(workers: 1) { pool async throws in
            let reading = Task { () async throws in
                var values = pool.stream([0]) { number -> Int in
                    ticket.arrive()
                    ticket.wait()
                    return number
                }.makeAsyncIterator()
                await #expect(throws: CancellationError.self) { try await values.next(timeout: .seconds(600)) }
                let next = try await values.next(timeout: .zero)
                #expect(next == nil)
                var results = pool.results(0..<9) { $0 }.makeAsyncIterator()
                let result = try await results.next(timeout: .seconds(600))
                #expect(result == nil)
            }
            await rendezvous.expectArrivals(1)
            reading.cancel()
            try await withLimit { try await reading.value }
            rendezvous.letThrough()
        }
    }

    @Test("A failure ends a stream in a wait with a limit too", arguments: TestBackend.allCases)
    func failure(_ backend: TestBackend) async throws {
        try await backend.withPool { pool async throws in
            for order in Self.orders {
                var values = pool.stream(0..<100, chunkSize: 100, order: order) { number -> Int in
                    if number == 50 { throw Refusal() }
                    return number
                }.makeAsyncIterator()
                for number in 0..<50 { #expect(try await values.next(timeout: .seconds(600)) == number) }
                await #expect(throws: Refusal()) { try await values.next(timeout: .seconds(600)) }
                #expect(try await values.next(timeout: .seconds(600)) == nil)
            }
        }
    }
}

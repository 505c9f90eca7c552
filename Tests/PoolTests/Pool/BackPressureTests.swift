import Multiprocessing
import Synchronization
import TestSupport
import Testing

/// Pitfall 20: streams take their input only as fast as results are taken.
@Suite(.admitted)
struct BackPressureTests {
    @Test(
        "Pitfall 20, 213 buffersize: no more is pulled than was delivered and fits the buffer",
        arguments: TestBackend.allCases)
    func buffer(_ backend: TestBackend) async throws {
        try await backend.withPool { pool async throws in
            for (buffer, chunkSize) in [(1, 1), (2, 1), (5, 1), (6, 3), (7, 3), (50, 10)] {
                let numbers = CountedNumbers()
                var iterator = pool.stream(numbers, chunkSize: chunkSize, buffer: buffer) { $0 }.makeAsyncIterator()
                #expect(numbers.counter.count == 0)
                for number in 0..<100 {
                    #expect(try await iterator.next() == number)
                    // While a result is awaited, the one that comes counts as not delivered.
                    #expect(numbers.counter.count <= number + buffer, "buffer \(buffer), chunk \(chunkSize)")
                    #expect(numbers.counter.count > number)
                }
            }
        }
    }

    @Test("213 buffersize: the buffer is filled", arguments: TestBackend.allCases)
    func bufferIsFilled(_ backend: TestBackend) async throws {
        try await backend.withPool { pool async throws in
            let numbers = CountedNumbers()
            var iterator = pool.stream(numbers, buffer: 10) { $0 }.makeAsyncIterator()
            #expect(try await iterator.next() == 0)
            #expect(numbers.counter.count == 10)
            #expect(try await iterator.next() == 1)
            #expect(numbers.counter.count == 11)
        }
    }

    @Test("213 buffersize: a chunk that is larger than the buffer travels alone", arguments: TestBackend.allCases)
    func largeChunk(_ backend: TestBackend) async throws {
        try await backend.withPool { pool async throws in
            let numbers = CountedNumbers()
            var iterator = pool.stream(numbers, chunkSize: 20, buffer: 3) { $0 }.makeAsyncIterator()
            for number in 0..<100 {
                #expect(try await iterator.next() == number)
                #expect(numbers.counter.count == (number / 20 + 1) * 20)
            }
        }
    }

    @Test("213 buffersize: results do not depend on it", arguments: TestBackend.allCases)
    func sizes(_ backend: TestBackend) async throws {
        try await backend.withPool { pool async throws in
            for buffer in [1, 2, 30, 60, 1_000] {
                var values: [Int] = []
                for try await value in pool.stream(0..<30, buffer: buffer, { $0 }) { values.append(value) }
                #expect(values == Array(0..<30))
                values = []
                for try await value in pool.stream(AsyncNumbers(count: 30), buffer: buffer, { $0 }) {
                    values.append(value)
                }
                #expect(values == Array(0..<30))
            }
        }
    }

    @Test("Pitfall 20: in order of completion the buffer holds too", arguments: TestBackend.allCases)
    func completionOrder(_ backend: TestBackend) async throws {
        try await backend.withPool { pool async throws in
            let numbers = CountedNumbers()
            var iterator = pool.results(numbers, order: .completion, buffer: 4) { $0 }.makeAsyncIterator()
            for delivered in 1...100 {
                #expect(await iterator.next() != nil)
                #expect(numbers.counter.count <= delivered - 1 + 4)
            }
        }
    }

    @Test("Pitfall 20: an asynchronous input is pulled no faster", arguments: TestBackend.allCases)
    func asynchronousInput(_ backend: TestBackend) async throws {
        try await backend.withPool { pool async throws in
            for (buffer, chunkSize) in [(1, 1), (4, 1), (6, 3)] {
                let numbers = AsyncNumbers()
                var iterator = pool.stream(numbers, chunkSize: chunkSize, buffer: buffer) { $0 }.makeAsyncIterator()
                for number in 0..<50 {
                    #expect(try await iterator.next() == number)
                    #expect(numbers.counter.count <= number + 1 + buffer, "buffer \(buffer), chunk \(chunkSize)")
                }
            }
        }
    }

    @Test("213 buffersize: an asynchronous input fills the buffer and stops", arguments: TestBackend.allCases)
    func asynchronousInputFills(_ backend: TestBackend) async throws {
        try await backend.withPool { pool async throws in
            let numbers = AsyncNumbers()
            var iterator = pool.stream(numbers, buffer: 8) { $0 }.makeAsyncIterator()
            #expect(try await iterator.next() == 0)
            await expectSoon { numbers.counter.count == 9 }
            #expect(try await iterator.next() == 1)
            await expectSoon { numbers.counter.count == 10 }
        }
    }

    @Test("Pitfall 20: without a buffer that is given a few for each worker are taken", arguments: TestBackend.allCases)
    func defaultBuffer(_ backend: TestBackend) async throws {
        try await backend.withPool(workers: 3) { pool async throws in
            let numbers = CountedNumbers()
            var iterator = pool.stream(numbers) { $0 }.makeAsyncIterator()
            #expect(try await iterator.next() == 0)
            #expect((3...24).contains(numbers.counter.count))
        }
    }

    @Test(
        "218 map_submits_without_iteration: a stream that nobody reads takes and runs nothing",
        arguments: TestBackend.allCases)
    func lazy(_ backend: TestBackend) async throws {
        try await backend.withPool { pool async throws in
            let (numbers, later) = (CountedNumbers(), AsyncNumbers())
            let stream = pool.stream(numbers) { $0 }
            _ = stream.makeAsyncIterator()
            _ = pool.results(later) { $0 }.makeAsyncIterator()
            #expect(try await pool.run { 1 } == 1)
            #expect(numbers.counter.count == 0)
            #expect(later.counter.count == 0)
        }
    }

    @Test("Pitfall 20: map takes an input a few chunks ahead of the workers", arguments: TestBackend.allCases)
    func map(_ backend: TestBackend) async throws {
        let rendezvous = try Rendezvous()
        let ticket = rendezvous.ticket
        try await backend.withPool(workers: 1) { pool async throws in
            let numbers = CountedNumbers(count: 5_000)
            let mapping = Task {
                try await pool.map(numbers, with: ticket, chunkSize: 1) { number, ticket in
                    if number == 0 {
                        ticket.arrive()
                        ticket.wait()
                    }
                    return number
                }
            }
            await rendezvous.expectArrivals(1)
            // Small chunks wait in greater numbers, so that the caller's task wakes once for many.
            #expect(numbers.counter.count <= 1_024)
            rendezvous.letThrough()
            #expect(try await mapping.value == Array(0..<5_000))
            #expect(numbers.counter.count == 5_000)
        }
    }

    @Test("Pitfall 20: an endless input of a map can be cancelled", arguments: TestBackend.allCases)
    func endlessMap(_ backend: TestBackend) async throws {
        let rendezvous = try Rendezvous()
        let ticket = rendezvous.ticket
        try await backend.withPool(workers: 2) { pool async throws in
            let mapping = Task {
                try await pool.map(0..., with: ticket) { number, ticket in
                    if number == 100 { ticket.arrive() }
                    return number
                }
            }
            await rendezvous.expectArrivals(1)
            mapping.cancel()
            await #expect(throws: CancellationError.self) { try await mapping.value }
        }
    }

    @Test(
        "Pitfall 20, 212 map_close: who leaves the loop stops the input and the work", arguments: TestBackend.allCases)
    func leavingTheLoop(_ backend: TestBackend) async throws {
        let rendezvous = try Rendezvous()
        let ticket = rendezvous.ticket
        try await backend.withPool(workers: 2) { pool async throws in
            let items = (0...).lazy.map { Numbered(number: $0, ticket: ticket) }
            for try await number in pool.stream(
                items, buffer: 20,
                { item -> Int in
                    item.ticket.arrive(item.number)
                    if item.number > 0 { item.ticket.wait() }
                    return item.number
                })
            {
                #expect(number == 0)
                await rendezvous.expectArrivals(3)
                break
            }
            // Two items wait in the workers; those in the queue do not start any more.
            rendezvous.letThrough(100)
            #expect(try await pool.run { 1 } == 1)
            #expect(rendezvous.arrivals.count == 3)

            let numbers = AsyncNumbers()
            for try await number in pool.stream(numbers, buffer: 2, { $0 }) where number == 5 { break }
            let taken = numbers.counter.count
            #expect(try await pool.run { 1 } == 1)
            #expect(numbers.counter.count <= taken + 1)
        }
    }
}

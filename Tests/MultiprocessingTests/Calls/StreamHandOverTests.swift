import Synchronization
import TestSupport
import Testing

@testable import Multiprocessing

private struct Refusal: Error, Codable, Equatable {
    var number = 0
}

/// How a stream's items come to the workers, several at once if they are quick, and how its results come from there.
@Suite(.admitted)
struct StreamHandOverTests {
    @Test(
        "A slow item among quick ones holds back those behind it in the order of the inputs, and delays none",
        arguments: TestBackend.allCases)
    func slowItemInOrder(_ backend: TestBackend) async throws {
        for buffer in [nil, 64] as [Int?] {
            let rendezvous = try Rendezvous()
            let ticket = rendezvous.ticket
            try await backend.withPool(workers: 2) { pool async throws in
                let items = (0..<300).lazy.map { Numbered(number: $0, ticket: ticket) }
                var values: [Int] = []
                var opener: Task<Void, Never>?
                for try await value in pool.stream(
                    items, buffer: buffer,
                    { item -> Int in
                        if item.number == 100 || item.number == 104 { item.ticket.arrive(item.number) }
                        if item.number == 100 { item.ticket.wait() }
                        return item.number
                    })
                {
                    values.append(value)
                    // Nobody lets it through before all ahead of it were given out, and some behind it have run.
                    if value == 99 {
                        opener = Task {
                            await rendezvous.expectArrivals(2)
                            rendezvous.letThrough()
                        }
                    }
                }
                await opener?.value
                #expect(values == Array(0..<300))
            }
        }
    }

    @Test("In order of completion a slow item among quick ones holds up none", arguments: TestBackend.allCases)
    func slowItem(_ backend: TestBackend) async throws {
        for buffer in [nil, 64] as [Int?] {
            let rendezvous = try Rendezvous()
            let ticket = rendezvous.ticket
            try await backend.withPool(workers: 2) { pool async throws in
                let items = (0..<300).lazy.map { Numbered(number: $0, ticket: ticket) }
                var values: [Int] = []
                for try await value in pool.stream(
                    items, order: .completion, buffer: buffer,
                    { item -> Int in
                        if item.number == 100 { item.ticket.wait() }
                        return item.number
                    })
                {
                    values.append(value)
                    if values.count == 299 { rendezvous.letThrough() }
                }
                #expect(values.last == 100)
                #expect(values.sorted() == Array(0..<300))
            }
        }
    }

    @Test("What is taken of an input stays within the buffer, however quick items are", arguments: TestBackend.allCases)
    func buffer(_ backend: TestBackend) async throws {
        try await backend.withPool { pool async throws in
            for (buffer, chunkSize) in [(8, nil), (64, nil), (200, 7), (256, 256)] as [(Int, Int?)] {
                for order in [StreamOrder.input, .completion] {
                    let numbers = CountedNumbers(count: 3_000)
                    var (given, most, sum) = (0, 0, 0)
                    let stream = pool.stream(numbers, chunkSize: chunkSize, order: order, buffer: buffer) { $0 }
                    for try await value in stream {
                        most = max(most, numbers.counter.count - given)
                        given += 1
                        sum += value
                    }
                    #expect(most <= buffer, "buffer \(buffer), chunk \(chunkSize ?? 1)")
                    #expect(given == 3_000)
                    #expect(sum == 2_999 * 3_000 / 2)
                }
            }
        }
    }

    @Test("An asynchronous input fills its buffer while a chunk is read", arguments: TestBackend.allCases)
    func asynchronousInputFills(_ backend: TestBackend) async throws {
        try await backend.withPool { pool async throws in
            let numbers = AsyncNumbers()
            var iterator = pool.stream(numbers, chunkSize: 10, buffer: 25) { $0 }.makeAsyncIterator()
            for number in 0..<5 { #expect(try await iterator.next() == number) }
            // Five of the first chunk were given out, so that there is room for another.
            await expectSoon { numbers.counter.count == 30 }
            #expect(try await iterator.next() == 5)
            #expect(numbers.counter.count == 30)
        }
    }

    @Test("A consumer waits once a chunk at most", arguments: TestBackend.allCases)
    func waits(_ backend: TestBackend) async throws {
        try await backend.withPool { pool async throws in
            for order in [StreamOrder.input, .completion] {
                let before = pool.core.streamWaits.load(ordering: .relaxed)
                var count = 0
                for try await _ in pool.stream(0..<25_600, chunkSize: 256, order: order, { $0 }) { count += 1 }
                #expect(count == 25_600)
                #expect(pool.core.streamWaits.load(ordering: .relaxed) - before <= 101)
            }
        }
    }

    @Test("A consumer that is cancelled within a chunk is told so at once", arguments: TestBackend.allCases)
    func cancellation(_ backend: TestBackend) async throws {
        try await backend.withPool { pool async throws in
            let reading = Task { () async throws in
                var iterator = pool.stream(0..., chunkSize: 100) { $0 }.makeAsyncIterator()
                for number in 0..<50 { #expect(try await iterator.next() == number) }
                withUnsafeCurrentTask { $0?.cancel() }
                await #expect(throws: CancellationError.self) { try await iterator.next() }
                #expect(try await iterator.next() == nil)
                var results = pool.results(0..., chunkSize: 100) { $0 }.makeAsyncIterator()
                #expect(await results.next() == nil)
            }
            try await reading.value
            #expect(try await pool.run { 1 } == 1)
        }
    }

    @Test("Failures among quick items have their places", arguments: TestBackend.allCases)
    func failures(_ backend: TestBackend) async throws {
        try await backend.withPool { pool async throws in
            for chunkSize in [nil, 9] as [Int?] {
                var numbers: [Int] = []
                for await result in pool.results(
                    0..<1_000, chunkSize: chunkSize,
                    { number -> Int in
                        if number % 7 == 3 || number % 11 < 2 { throw Refusal(number: number) }
                        return number
                    })
                {
                    switch result {
                    case .success(let number): numbers.append(number)
                    case .failure(let error): numbers.append((error as? Refusal)?.number ?? -1)
                    }
                }
                #expect(numbers == Array(0..<1_000))
            }
        }
    }
}

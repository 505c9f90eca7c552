import Multiprocessing
import TestSupport
import Testing

private struct Refusal: Error, Codable, Equatable {
    var number = 0
}

private struct Square: Job {
    let number: Int

    func run() -> Int { number * number }
}

extension AsyncSequence {
    fileprivate func collected() async throws -> [Element] {
        var elements: [Element] = []
        for try await element in self { elements.append(element) }
        return elements
    }
}

/// Results as they come: `stream` and `results` over sequences of both kinds.
@Suite(.admitted)
struct StreamTests {
    @Test("169 imap: values come in input order, and then the end", arguments: TestBackend.allCases)
    func inputOrder(_ backend: TestBackend) async throws {
        try await backend.withPool { pool async throws in
            let squares = (0..<1_000).map { $0 * $0 }
            #expect(try await pool.stream(0..<1_000) { $0 * $0 }.collected() == squares)
            #expect(try await pool.stream(0..<1_000, chunkSize: 100) { $0 * $0 }.collected() == squares)
            let suspending = try await pool.stream(0..<20, chunkSize: 3) { number in
                await Task.yield()
                return number
            }.collected()
            #expect(suspending == Array(0..<20))
            var iterator = pool.stream(0..<1) { $0 }.makeAsyncIterator()
            #expect(try await iterator.next() == 0)
            #expect(try await iterator.next() == nil)
            #expect(try await iterator.next() == nil)
        }
    }

    @Test("169 imap: jobs and pairs", arguments: TestBackend.allCases)
    func jobsAndPairs(_ backend: TestBackend) async throws {
        try await backend.withPool { pool async throws in
            #expect(try await pool.stream((0..<9).map { Square(number: $0) }).collected() == (0..<9).map { $0 * $0 })
            let pairs = try await pool.stream(zip(0..<5, 5..<10)) { a, b in a * b }.collected()
            #expect(pairs == [0, 6, 14, 24, 36])
            let results = try await pool.results((0..<9).map { Square(number: $0) }).collected().map { try $0.get() }
            #expect(results == (0..<9).map { $0 * $0 })
            let sums = try await pool.results(zip(0..<5, 5..<10)) { $0 + $1 }.collected().map { try $0.get() }
            #expect(sums == [5, 7, 9, 11, 13])
        }
    }

    @Test("171 imap_unordered: the same values as they are ready", arguments: TestBackend.allCases)
    func completionOrder(_ backend: TestBackend) async throws {
        try await backend.withPool { pool async throws in
            let values = try await pool.stream(0..<500, chunkSize: 7, order: .completion) { $0 * $0 }.collected()
            #expect(values.sorted() == (0..<500).map { $0 * $0 })
        }
    }

    @Test("171 imap_unordered: a slow item holds up none", arguments: TestBackend.allCases)
    func slowItem(_ backend: TestBackend) async throws {
        let rendezvous = try Rendezvous()
        let ticket = rendezvous.ticket
        try await backend.withPool(workers: 2) { pool async throws in
            let items = (0..<6).map { Numbered(number: $0, ticket: ticket) }
            var values: [Int] = []
            for try await value in pool.stream(
                items, order: .completion,
                { item -> Int in
                    if item.number == 0 { item.ticket.wait() }
                    return item.number
                })
            {
                values.append(value)
                if values.count == 5 { rendezvous.letThrough() }
            }
            #expect(values.sorted() == Array(0..<6))
            #expect(values.last == 0)
        }
    }

    @Test("174 empty_iterable: no input is an end", arguments: TestBackend.allCases)
    func empty(_ backend: TestBackend) async throws {
        try await backend.withPool { pool async throws in
            #expect(try await pool.stream([Int]()) { $0 }.collected() == [])
            #expect(try await pool.stream([Int](), order: .completion) { $0 }.collected() == [])
            #expect(try await pool.stream(AsyncNumbers(count: 0)) { $0 }.collected() == [])
            #expect(try await pool.results([Int]()) { $0 }.collected().isEmpty)
        }
    }

    @Test("A stream ends with the first failure", arguments: TestBackend.allCases)
    func failure(_ backend: TestBackend) async throws {
        try await backend.withPool { pool async throws in
            var values: [Int] = []
            var stream = pool.stream(0..., chunkSize: 2) { number -> Int in
                if number >= 7 { throw Refusal(number: number) }
                return number
            }.makeAsyncIterator()
            await #expect(throws: Refusal(number: 7)) {
                while let value = try await stream.next() { values.append(value) }
            }
            #expect(values == Array(0..<7))
            #expect(try await stream.next() == nil)
            #expect(try await pool.run { 1 } == 1)
        }
    }

    @Test("Results never end early, whatever fails", arguments: TestBackend.allCases)
    func results(_ backend: TestBackend) async throws {
        try await backend.withPool { pool async throws in
            for order in [StreamOrder.input, .completion] {
                var (values, errors) = ([Int](), [Int]())
                for await result in pool.results(
                    AsyncNumbers(count: 100), chunkSize: 3, order: order,
                    { number -> Int in
                        if number % 10 == 0 { throw Refusal(number: number) }
                        return number
                    })
                {
                    do {
                        values.append(try result.get())
                    } catch {
                        errors.append((error as? Refusal)?.number ?? -1)
                    }
                }
                #expect(values.sorted() == (0..<100).filter { $0 % 10 != 0 })
                #expect(errors.sorted() == (0..<100).filter { $0 % 10 == 0 })
            }
        }
    }

    // MARK: Asynchronous inputs

    @Test("An asynchronous sequence is an input too", arguments: TestBackend.allCases)
    func asynchronousInput(_ backend: TestBackend) async throws {
        try await backend.withPool { pool async throws in
            let values = try await pool.stream(AsyncNumbers(count: 100)) { $0 * 2 }.collected()
            #expect(values == (0..<100).map { $0 * 2 })
            let chunked = try await pool.stream(AsyncNumbers(count: 100), chunkSize: 7, order: .completion) { $0 }
                .collected()
            #expect(chunked.sorted() == Array(0..<100))
            let (stream, continuation) = AsyncStream.makeStream(of: Square.self)
            for number in 0..<5 { continuation.yield(Square(number: number)) }
            continuation.finish()
            #expect(try await pool.stream(stream).collected() == [0, 1, 4, 9, 16])
        }
    }

    @Test("A result is given while the next input is awaited", arguments: TestBackend.allCases)
    func inputThatWaits(_ backend: TestBackend) async throws {
        try await backend.withPool { pool async throws in
            let (inputs, continuation) = AsyncStream.makeStream(of: Int.self)
            var iterator = pool.stream(inputs) { $0 + 1 }.makeAsyncIterator()
            for number in 0..<10 {
                continuation.yield(number)
                #expect(try await iterator.next() == number + 1)
            }
            continuation.finish()
            #expect(try await iterator.next() == nil)
        }
    }

    @Test(
        "170, 171 imap_handle_iterable_exception: an input that throws ends the stream behind its results",
        arguments: TestBackend.allCases)
    func inputThatThrows(_ backend: TestBackend) async throws {
        try await backend.withPool { pool async throws in
            for (size, order) in [(1, StreamOrder.input), (4, .input), (1, .completion), (4, .completion)] {
                let input = AsyncNumbers(count: 10, failure: InputFailure())
                var values: [Int] = []
                // What the input threw is what it was: it did not come from a worker.
                await #expect(throws: InputFailure()) {
                    for try await value in pool.stream(input, chunkSize: size, order: order, { $0 }) {
                        values.append(value)
                    }
                }
                #expect(values.sorted() == Array(0..<10))
            }
            #expect(try await pool.run { 1 } == 1)
        }
    }

    @Test("170 imap_handle_iterable_exception: results end with what the input threw", arguments: TestBackend.allCases)
    func resultsOfInputThatThrows(_ backend: TestBackend) async throws {
        try await backend.withPool { pool async throws in
            let input = AsyncNumbers(count: 3, failure: InputFailure())
            let results = try await pool.results(input) { $0 }.collected()
            #expect(results.count == 4)
            #expect(try results.prefix(3).map { try $0.get() } == [0, 1, 2])
            #expect(throws: InputFailure()) { try results.last?.get() }
        }
    }

    // MARK: Several at once

    @Test("One stream can be read twice, and two at the same time", arguments: TestBackend.allCases)
    func severalStreams(_ backend: TestBackend) async throws {
        try await backend.withPool { pool async throws in
            let stream = pool.stream(0..<50) { $0 }
            #expect(try await stream.collected() == Array(0..<50))
            #expect(try await stream.collected() == Array(0..<50))
            var (first, second) = (stream.makeAsyncIterator(), pool.stream(0...) { -$0 }.makeAsyncIterator())
            for number in 0..<50 {
                #expect(try await first.next() == number)
                #expect(try await second.next() == -number)
            }
        }
    }
}

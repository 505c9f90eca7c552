import Synchronization
import TestSupport
import Testing

@testable import Multiprocessing

private struct Refusal: Error, Codable, Equatable {
    var number = 0
}

/// Numbers that are there when they are asked for, one upon another; counts what is taken, and can fail at its end.
private struct ReadyNumbers: AsyncSequence, Sendable {
    struct AsyncIterator: AsyncIteratorProtocol {
        let numbers: ReadyNumbers
        var next = 0

        mutating func next() async throws -> Int? {
            guard next < numbers.count else {
                if numbers.isFailing { throw InputFailure() }
                return nil
            }
            numbers.counter.increment()
            defer { next += 1 }
            return next
        }
    }

    let counter = Counter()
    var count = Int.max
    var isFailing = false

    func makeAsyncIterator() -> AsyncIterator { AsyncIterator(numbers: self) }
}

/// Asynchronous inputs that come one upon another travel together: nothing of what holds for one by one is lost by that.
@Suite(.admitted)
struct AsyncInputTests {
    @Test("Each result once, in its place, with failures among them", arguments: TestBackend.allCases, 1...3)
    func order(_ backend: TestBackend, _ workers: Int) async throws {
        try await backend.withPool(workers: workers) { pool async throws in
            for order in [StreamOrder.input, .completion] {
                var texts: [String] = []
                for await result in pool.results(
                    ReadyNumbers(count: 6_000), order: order,
                    { number -> String in
                        if number % 97 == 5 { throw Refusal(number: number) }
                        return "number \(number), which is long enough for memory of its own"
                    })
                {
                    switch result {
                    case .success(let text): texts.append(String(text.dropFirst(7).prefix { $0 != "," }))
                    case .failure(let error): texts.append("-\((error as? Refusal)?.number ?? -1)")
                    }
                }
                let expected = (0..<6_000).map { $0 % 97 == 5 ? "-\($0)" : "\($0)" }
                #expect(order == .input ? texts == expected : texts.sorted() == expected.sorted())
            }
        }
    }

    @Test("The last of many inputs does not wait for a next one", arguments: TestBackend.allCases)
    func bursts(_ backend: TestBackend) async throws {
        try await backend.withPool { pool async throws in
            let (inputs, continuation) = AsyncStream.makeStream(of: Int.self)
            var iterator = pool.stream(inputs) { -$0 }.makeAsyncIterator()
            var number = 0
            for size in [1_000, 1, 2, 3, 700, 1, 1, 50, 256, 257, 2_500, 1] {
                // No more comes before all of these were given out.
                for input in number..<number + size { continuation.yield(input) }
                for _ in 0..<size {
                    #expect(try await iterator.next() == -number)
                    number += 1
                }
            }
            continuation.finish()
            #expect(try await iterator.next() == nil)
        }
    }

    @Test(
        "What is taken ahead grows only with what was given out, and stays within its bound",
        arguments: TestBackend.allCases)
    func ahead(_ backend: TestBackend) async throws {
        try await backend.withPool(workers: 2) { pool async throws in
            let numbers = ReadyNumbers()
            var iterator = pool.stream(numbers) { $0 }.makeAsyncIterator()
            for given in 0..<50_000 {
                #expect(try await iterator.next() == given)
                // The result that is about to be handed out counts as given out.
                let ahead = numbers.counter.count - given - 1
                if ahead > min(32 + 8 * given, 4 * 2 * GroupSizer.maximum) {
                    Issue.record("\(ahead) ahead behind \(given)")
                }
            }
        }
    }

    @Test("A buffer is kept, however quick items are", arguments: TestBackend.allCases)
    func buffer(_ backend: TestBackend) async throws {
        try await backend.withPool(workers: 2) { pool async throws in
            for (buffer, options) in [(64, WorkOptions()), (1_000, WorkOptions()), (8, .timeout(.seconds(60)))] {
                for order in [StreamOrder.input, .completion] {
                    let numbers = ReadyNumbers(count: 5_000)
                    var (given, sum) = (0, 0)
                    for try await value in pool.stream(numbers, order: order, buffer: buffer, options: options, { $0 })
                    {
                        let ahead = numbers.counter.count - given - 1
                        if ahead > buffer { Issue.record("\(ahead) ahead behind \(given), with a buffer of \(buffer)") }
                        given += 1
                        sum += value
                    }
                    #expect(given == 5_000)
                    #expect(sum == 4_999 * 5_000 / 2)
                }
            }
        }
    }

    @Test("A consumer that stops to read has the input stop", arguments: TestBackend.allCases)
    func stop(_ backend: TestBackend) async throws {
        try await backend.withPool(workers: 2) { pool async throws in
            for isRead in [true, false] {
                let numbers = ReadyNumbers()
                for try await value in pool.stream(numbers, { $0 }) where value == 5_000 { break }
                // The task that reads may be in the midst of a group, and sees then that nothing is wanted.
                var count = -1
                await expectSoon {
                    defer { count = numbers.counter.count }
                    return count == numbers.counter.count
                }
                #expect(count <= 5_001 + 4 * 2 * GroupSizer.maximum)

                let reading = Task {
                    for try await value in pool.stream(ReadyNumbers(), { $0 }) where value == 3_000 || !isRead {
                        withUnsafeCurrentTask { $0?.cancel() }
                    }
                }
                await #expect(throws: CancellationError.self) { try await reading.value }
            }
            #expect(try await pool.run { 1 } == 1)
        }
    }

    @Test("The first failure in the order of the inputs ends a stream", arguments: TestBackend.allCases)
    func failure(_ backend: TestBackend) async throws {
        try await backend.withPool { pool async throws in
            for first in [1, 50, 2_345] {
                var values: [Int] = []
                await #expect(throws: Refusal(number: first)) {
                    let stream = pool.stream(ReadyNumbers()) { number -> Int in
                        if number >= first { throw Refusal(number: number) }
                        return number
                    }
                    for try await value in stream { values.append(value) }
                }
                #expect(values == Array(0..<first))
            }
        }
    }

    @Test(
        "An input that throws in the midst of many ends the stream behind their results",
        arguments: TestBackend.allCases)
    func inputThatThrows(_ backend: TestBackend) async throws {
        try await backend.withPool { pool async throws in
            for count in [1, 777, 3_000] {
                for order in [StreamOrder.input, .completion] {
                    var values: [Int] = []
                    await #expect(throws: InputFailure()) {
                        let input = ReadyNumbers(count: count, isFailing: true)
                        for try await value in pool.stream(input, order: order, { $0 }) { values.append(value) }
                    }
                    #expect(values.sorted() == Array(0..<count))
                }
            }
        }
    }

    @Test("Items that take long, one after another: all before each are given out", arguments: TestBackend.allCases)
    func slowItems(_ backend: TestBackend) async throws {
        let rendezvous = try Rendezvous()
        let ticket = rendezvous.ticket
        try await backend.withPool(workers: 1) { pool async throws in
            let slow = [700, 701, 760, 1_400, 2_999]
            let items = ReadyNumbers(count: 3_000).map { Numbered(number: $0, ticket: ticket) }
            var values: [Int] = []
            for try await value in pool.stream(
                items,
                { item -> Int in
                    if [700, 701, 760, 1_400, 2_999].contains(item.number) { item.ticket.wait() }
                    return item.number
                })
            {
                values.append(value)
                // The only worker is in the next one, or will be, and nobody else lets it through.
                if slow.contains(value + 1) { rendezvous.letThrough() }
            }
            #expect(values == Array(0..<3_000))
        }
    }

    @Test("A crash among quick items costs its own item")
    func crash() async throws {
        try await TestBackend.processes.withPool { pool async throws in
            var (lost, values) = ([Int](), [Int]())
            var number = 0
            for await result in pool.results(
                ReadyNumbers(count: 4_000),
                { number -> Int in
                    if [900, 901, 2_500].contains(number) { Crash.killed.happen() }
                    return number
                })
            {
                switch result {
                case .success(let value): values.append(value)
                case .failure(let error):
                    #expect((error as? PoolError)?.code == .workerCrashed)
                    lost.append(number)
                }
                number += 1
            }
            #expect(lost == [900, 901, 2_500])
            #expect(values == (0..<4_000).filter { ![900, 901, 2_500].contains($0) })
        }
    }
}

import Glibc
import MultiprocessingSystem
import Synchronization
import TestSupport
import Testing

@testable import Multiprocessing

private struct Refusal: Error, Codable, Equatable {
    var number = 0
}

/// A value that says how many of its kind there are.
private final class Tracked: Sendable {
    static let living = Atomic(0)

    let number: Int

    init(_ number: Int) {
        self.number = number
        Self.living.wrappingAdd(1, ordering: .relaxed)
    }

    deinit { Self.living.wrappingSubtract(1, ordering: .relaxed) }
}

/// Keeps its thread busy, most often for no time at all, now and then for longer than a group is to take.
private func spin(_ number: Int, _ seed: Int) {
    let dice = (number &* 2_654_435_761 &+ seed &* 40_503) & 0x3FF
    let microseconds = dice == 0 ? 3_000 : dice < 8 ? 300 : dice < 40 ? 20 : 0
    if microseconds == 0 { return }
    let end = MonotonicTime.now().advanced(by: .microseconds(microseconds))
    while MonotonicTime.now() < end {}
}

/// Quick items of a stream travel together: nothing of what holds for one by one is lost by that.
@Suite(.admitted)
struct StreamGroupTests {
    // MARK: What comes

    @Test("Quick and slow items in any mixture: each result once, in its place", arguments: TestBackend.allCases, 0..<4)
    func mixture(_ backend: TestBackend, _ seed: Int) async throws {
        try await backend.withPool(workers: 1 + seed % 3) { pool async throws in
            let count = 6_000
            for order in [StreamOrder.input, .completion] {
                var numbers: [Int] = []
                for try await number in pool.stream(
                    0..<count, order: order,
                    { number in
                        spin(number, seed)
                        return number
                    })
                {
                    numbers.append(number)
                }
                #expect(order == .input ? numbers == Array(0..<count) : numbers.sorted() == Array(0..<count))

                // Of no fixed size, and with failures among them.
                var texts: [String] = []
                for await result in pool.results(
                    0..<count, order: order,
                    { number -> String in
                        spin(number, seed)
                        if number % 97 == 5 { throw Refusal(number: number) }
                        return "number \(number), which is long enough for memory of its own"
                    })
                {
                    switch result {
                    case .success(let text): texts.append(String(text.dropFirst(7).prefix { $0 != "," }))
                    case .failure(let error): texts.append("-\((error as? Refusal)?.number ?? -1)")
                    }
                }
                let expected = (0..<count).map { $0 % 97 == 5 ? "-\($0)" : "\($0)" }
                #expect(order == .input ? texts == expected : texts.sorted() == expected.sorted())
            }
        }
    }

    @Test("Items that take long, one after another: all before each are given out", arguments: TestBackend.allCases)
    func slowItems(_ backend: TestBackend) async throws {
        let rendezvous = try Rendezvous()
        let ticket = rendezvous.ticket
        try await backend.withPool(workers: 1) { pool async throws in
            let slow = [700, 701, 760, 1_400, 2_999]
            let items = (0..<3_000).lazy.map { Numbered(number: $0, ticket: ticket) }
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

    @Test("The last items of a stream are not behind one that takes long", arguments: TestBackend.allCases)
    func lastItems(_ backend: TestBackend) async throws {
        for slow in [2_980, 2_998] {
            let rendezvous = try Rendezvous()
            let ticket = rendezvous.ticket
            try await backend.withPool(workers: 2) { pool async throws in
                let items = (0..<3_000).lazy.map { Numbered(number: $0, ticket: ticket) }
                var values: [Int] = []
                for try await value in pool.stream(
                    items, order: .completion,
                    { item -> Int in
                        if item.number == slow { item.ticket.wait() }
                        return item.number
                    })
                {
                    values.append(value)
                    if values.count == 2_999 { rendezvous.letThrough() }
                }
                #expect(values.last == slow)
                #expect(values.sorted() == Array(0..<3_000))
            }
        }
    }

    @Test("The first failure in the order of the inputs ends a stream", arguments: TestBackend.allCases)
    func failure(_ backend: TestBackend) async throws {
        try await backend.withPool { pool async throws in
            for first in [1, 50, 2_345] {
                var values: [Int] = []
                await #expect(throws: Refusal(number: first)) {
                    let stream = pool.stream(0...) { number -> Int in
                        if number >= first { throw Refusal(number: number) }
                        return number
                    }
                    for try await value in stream { values.append(value) }
                }
                #expect(values == Array(0..<first))
            }
        }
    }

    @Test("A crash among quick items costs its own item")
    func crash() async throws {
        try await TestBackend.processes.withPool { pool async throws in
            var (lost, values) = ([Int](), [Int]())
            var number = 0
            for await result in pool.results(
                0..<4_000,
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

    // MARK: Ends

    @Test("A pool that ends has a stream end, also behind results of a group", arguments: TestBackend.allCases)
    func terminate(_ backend: TestBackend) async throws {
        let rendezvous = try Rendezvous()
        let ticket = rendezvous.ticket
        try await withLimit(.seconds(600)) {
            let pool = try backend.pool(workers: 1)
            let items = (0...).lazy.map { Numbered(number: $0, ticket: ticket) }
            var values: [Int] = []
            await #expect(throws: PoolError.self) {
                let stream = pool.stream(items) { item -> Int in
                    if item.number == 1_500 { item.ticket.wait() }
                    return item.number
                }
                for try await value in stream {
                    values.append(value)
                    if value == 1_499 {
                        // The one before the end waits, and does so for ever on a thread.
                        Task { await pool.terminate() }
                    }
                }
            }
            #expect(values == Array(0..<1_500))
            rendezvous.letThrough()
            await pool.terminate()
        }
    }

    @Test("Values go when a stream is read to its end, left, or cancelled, also in the midst of groups")
    func values() async throws {
        let before = Tracked.living.load(ordering: .relaxed)
        try await TestBackend.threads.withPool { pool async throws in
            for end in [4_000, 1_777, 300] {
                var sum = 0
                for try await value in pool.stream(
                    0..<4_000,
                    { number in
                        spin(number, end)
                        return Tracked(number)
                    })
                {
                    sum += value.number
                    if value.number == end { break }
                }
                #expect(sum == (0...min(end, 3_999)).reduce(0, +))
            }
            let reading = Task {
                for try await value in pool.stream(0..., { Tracked($0) }) where value.number == 2_000 {
                    withUnsafeCurrentTask { $0?.cancel() }
                }
            }
            await #expect(throws: CancellationError.self) { try await reading.value }
        }
        await expectSoon { Tracked.living.load(ordering: .relaxed) == before }
    }

    // MARK: How many

    @Test(
        "What is taken ahead grows only with what was given out, and stays within its bound",
        arguments: TestBackend.allCases)
    func ahead(_ backend: TestBackend) async throws {
        try await backend.withPool(workers: 2) { pool async throws in
            let numbers = CountedNumbers()
            var iterator = pool.stream(numbers) { $0 }.makeAsyncIterator()
            var most = 0
            for given in 0..<50_000 {
                #expect(try await iterator.next() == given)
                let ahead = numbers.counter.count - given
                // Eight groups: twice as large ones each time that some of the size before were given out, or are about to be.
                if ahead > 32 + 8 * given { Issue.record("\(ahead) ahead behind \(given)") }
                most = max(most, ahead)
            }
            #expect(most <= 4 * 2 * GroupSizer.maximum)
        }
    }

    @Test("Groups grow while items are quick, and are none where one was slow or large")
    func sizes() {
        var sizer = GroupSizer(chunkSize: 1, limit: GroupSizer.limit(chunkSize: 1, buffer: nil, workerCount: 2))
        var grown: [Int] = []
        for _ in 0..<10 {
            sizer.observe(ChunkResult<Int>(count: sizer.size, nanoseconds: UInt64(sizer.size) * 100))
            grown.append(sizer.size)
        }
        #expect(grown == [2, 4, 8, 16, 32, 64, 128, 256, 256, 256])
        sizer.observe(ChunkResult<Int>(count: 100, nanoseconds: 100 * 10_000))
        #expect(sizer.size == 20)
        sizer.observe(ChunkResult<Int>(count: 1, nanoseconds: 1_000_000))
        #expect(sizer.size == 1)
        for _ in 0..<10 { sizer.observe(ChunkResult<Int>(count: sizer.size, nanoseconds: 1, size: sizer.size * 4_096)) }
        #expect(sizer.size == 16)
        sizer.observe(ChunkResult<Int>(count: 3, isPart: true))
        #expect(sizer.size == 1)
        #expect(GroupSizer.limit(chunkSize: 1, buffer: 31, workerCount: 2) == 1)
        #expect(GroupSizer.limit(chunkSize: 1, buffer: 64, workerCount: 2) == 16)
        #expect(GroupSizer.limit(chunkSize: 5_000, buffer: nil, workerCount: 2) == 1)
        #expect(GroupSizer.limit(chunkSize: 10, buffer: 100, workerCount: 2) == 1)

        var chunks = GroupSizer(chunkSize: 10, limit: GroupSizer.limit(chunkSize: 10, buffer: nil, workerCount: 2))
        grown = []
        for _ in 0..<6 {
            chunks.observe(ChunkResult<Int>(count: chunks.size, nanoseconds: UInt64(chunks.size) * 10))
            grown.append(chunks.size)
        }
        #expect(grown == [20, 40, 80, 160, 160, 160])
        chunks.observe(ChunkResult<Int>(count: 160, nanoseconds: 160 * 8_000))
        #expect(chunks.size == 20)
    }

    @Test(
        "Chunks of the caller's size travel together too, and are begun one at a time", arguments: TestBackend.allCases)
    func chunks(_ backend: TestBackend) async throws {
        let rendezvous = try Rendezvous()
        let ticket = rendezvous.ticket
        try await backend.withPool(workers: 1) { pool async throws in
            let items = (0..<6_000).lazy.map { Numbered(number: $0, ticket: ticket) }
            var values: [Int] = []
            for try await value in pool.stream(
                items, chunkSize: 5,
                { item -> Int in
                    if item.number == 5_002 { item.ticket.wait() }
                    return item.number
                })
            {
                values.append(value)
                // The last of the chunk before that of the slow item.
                if value == 4_999 { rendezvous.letThrough() }
            }
            #expect(values == Array(0..<6_000))
        }
    }

    @Test(
        "Items with limits or retries, and those that are asked to travel alone, are not grouped",
        arguments: TestBackend.allCases)
    func ungrouped(_ backend: TestBackend) async throws {
        try await backend.withPool(workers: 2) { pool async throws in
            for options in [WorkOptions.timeout(.seconds(60)), .retry(.attempts(2))] {
                let numbers = CountedNumbers()
                var iterator = pool.stream(numbers, options: options) { $0 }.makeAsyncIterator()
                for given in 0..<1_000 {
                    #expect(try await iterator.next() == given)
                    #expect(numbers.counter.count <= given + 8)
                }
            }
            let numbers = CountedNumbers()
            var iterator = pool.stream(numbers, chunkSize: 1) { $0 }.makeAsyncIterator()
            for given in 0..<1_000 {
                #expect(try await iterator.next() == given)
                #expect(numbers.counter.count <= given + 8)
            }
        }
    }

    @Test("Results that are there do not wait for inputs that are not", arguments: TestBackend.allCases)
    func slowInputs(_ backend: TestBackend) async throws {
        try await backend.withPool(workers: 2) { pool async throws in
            let taken = Counter()
            // After many that are there, each has to be waited for.
            let inputs = (0..<5_000).lazy.map { number -> Int in
                taken.increment()
                if number >= 4_000 { usleep(300) }
                return number
            }
            var (given, most) = (0, 0)
            for try await number in pool.stream(inputs, { $0 }) {
                #expect(number == given)
                if given > 4_300 { most = max(most, taken.count - given) }
                given += 1
            }
            #expect(given == 5_000)
            #expect(most <= 32)
        }
    }

    @Test("A value is not kept that was given out", arguments: [nil, 64] as [Int?])
    func givenValues(_ chunkSize: Int?) async throws {
        try await TestBackend.threads.withPool(workers: 2) { pool async throws in
            for try await value in pool.stream(0..<10_000, chunkSize: chunkSize, { Marked($0) })
            where value.number % 100 == 50 {
                // The one before was let go of when this one was asked for, if not by the thread that has just brought it.
                await expectSoon("\(value.number - 1) is kept") { !Marked.isAlive(value.number - 1) }
            }
        }
    }
}

/// A value that can be asked for by its number.
private final class Marked: Sendable {
    private static let living = Mutex<Set<Int>>([])

    let number: Int

    init(_ number: Int) {
        self.number = number
        _ = Self.living.withLock { $0.insert(number) }
    }

    deinit { _ = Self.living.withLock { $0.remove(number) } }

    static func isAlive(_ number: Int) -> Bool { living.withLock { $0.contains(number) } }
}

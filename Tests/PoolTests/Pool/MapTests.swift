import Multiprocessing
import TestSupport
import Testing

private struct Square: Job {
    let number: Int

    func run() -> Int { number * number }
}

private struct Visit: VoidJob {
    let item: Numbered

    func run() { item.ticket.arrive(item.number) }
}

/// A sequence that is no collection and can be read once.
private struct Countdown: Sequence, IteratorProtocol {
    var number: Int

    mutating func next() -> Int? {
        guard number > 0 else { return nil }
        defer { number -= 1 }
        return number
    }
}

/// A sequence that says it has more, or fewer, elements than it gives.
private struct Liar: Sequence {
    let count: Int
    let underestimatedCount: Int

    func makeIterator() -> Range<Int>.Iterator { (0..<count).makeIterator() }
}

/// Nothing but bits, with two spare bytes among them.
private struct Reading: Codable, Equatable {
    let small: UInt16
    let large: UInt32

    init(_ number: Int) {
        small = UInt16(truncatingIfNeeded: number)
        large = UInt32(truncatingIfNeeded: number &* 2_654_435_761)
    }
}

/// Many items whose values come back together: `map` and `forEach` in all their shapes.
@Suite(.admitted)
struct MapTests {
    @Test("161 map: values come in input order", arguments: TestBackend.allCases)
    func map(_ backend: TestBackend) async throws {
        try await backend.withPool { pool async throws in
            #expect(try await pool.map(1...1_000) { $0 * $0 } == (1...1_000).map { $0 * $0 })
            #expect(try await pool.map(0..<200, chunkSize: 20) { "\($0)" } == (0..<200).map { "\($0)" })
            let suspending = try await pool.map(0..<50) { number in
                await Task.yield()
                return number
            }
            #expect(suspending == Array(0..<50))
        }
    }

    @Test("161 map: any sequence will do, read once", arguments: TestBackend.allCases)
    func sequences(_ backend: TestBackend) async throws {
        try await backend.withPool { pool async throws in
            #expect(try await pool.map(Countdown(number: 100)) { $0 } == (1...100).reversed())
            #expect(try await pool.map(Set([7])) { $0 } == [7])
            #expect(try await pool.map((0..<1_000).lazy.filter { $0 % 2 == 0 }) { $0 / 2 } == Array(0..<500))
            #expect(try await pool.map("abc".utf8) { $0 - 32 } == Array("ABC".utf8))
        }
    }

    @Test("161 map: jobs", arguments: TestBackend.allCases)
    func jobs(_ backend: TestBackend) async throws {
        try await backend.withPool { pool async throws in
            let jobs = (0..<100).map { Square(number: $0) }
            #expect(try await pool.map(jobs) == (0..<100).map { $0 * $0 })
            #expect(try await pool.map(jobs, chunkSize: 7) == (0..<100).map { $0 * $0 })
        }
    }

    @Test("162 starmap: pairs are two arguments", arguments: TestBackend.allCases)
    func pairs(_ backend: TestBackend) async throws {
        try await backend.withPool { pool async throws in
            let (bases, exponents) = ([1, 2, 3], ["a", "b", "c"])
            let zipped = try await pool.map(zip(bases, exponents)) { a, b in "\(a)\(b)" }
            #expect(zipped == ["1a", "2b", "3c"])
            let suspending = try await pool.map(zip(bases, bases)) { a, b in
                await Task.yield()
                return a * b
            }
            #expect(suspending == [1, 4, 9])
        }
    }

    @Test("162 starmap: the pairs of a sequence may have labels", arguments: TestBackend.allCases)
    func labeledPairs(_ backend: TestBackend) async throws {
        try await backend.withPool { pool async throws in
            let enumerated = try await pool.map(["x", "y"].enumerated()) { index, text in "\(index)\(text)" }
            #expect(enumerated == ["0x", "1y"])
            let numbered = try await pool.map(["x", "y"].enumerated()) { "\($0)\($1)" }
            #expect(numbered == ["0x", "1y"])
            let entries = try await pool.map(["k": 1]) { key, value in key + "\(value)" }
            #expect(entries == ["k1"])
            let whole = try await pool.map(["x", "y"].enumerated()) { pair in "\(pair.offset)\(pair.element)" }
            #expect(whole == ["0x", "1y"])
            let suspending = try await pool.map(["x", "y"].enumerated()) { index, text in
                await Task.yield()
                return "\(index)\(text)"
            }
            #expect(suspending == ["0x", "1y"])
        }
    }

    @Test("162 starmap: a pair can be taken as one argument", arguments: TestBackend.allCases)
    func tuples(_ backend: TestBackend) async throws {
        try await backend.withPool { pool async throws in
            #expect(try await pool.run((1, "a")) { pair in "\(pair.0)\(pair.1)" } == "1a")
            #expect(try await pool.map([(1, 2, 3), (4, 5, 6)]) { triple in triple.0 + triple.2 } == [4, 10])
            let tuple = try await pool.run(3) { number in (number, "\(number)") }
            #expect(tuple == (3, "3"))
        }
    }

    @Test("A value that all items share goes along", arguments: TestBackend.allCases)
    func shared(_ backend: TestBackend) async throws {
        try await backend.withPool { pool async throws in
            let table = Dictionary(uniqueKeysWithValues: (0..<1_000).map { ($0, "\($0)") })
            let found = try await pool.map(0..<2_000, with: table) { number, table in table[number] ?? "none" }
            #expect(found == (0..<2_000).map { $0 < 1_000 ? "\($0)" : "none" })
            let suspending = try await pool.map([1, 2], with: 10) { number, factor in
                await Task.yield()
                return number * factor
            }
            #expect(suspending == [10, 20])
            // Another call with another value, by the same workers.
            #expect(try await pool.map([1, 2], with: 100) { $0 * $1 } == [100, 200])
        }
    }

    @Test("161 map: work without results is forEach", arguments: TestBackend.allCases)
    func forEach(_ backend: TestBackend) async throws {
        let rendezvous = try Rendezvous()
        let ticket = rendezvous.ticket
        try await backend.withPool { pool async throws in
            try await pool.forEach((0..<10).map { Numbered(number: $0, ticket: ticket) }) { item in
                item.ticket.arrive(item.number)
            }
            try await pool.forEach((10..<20).map { Numbered(number: $0, ticket: ticket) }) { item in
                await Task.yield()
                item.ticket.arrive(item.number)
            }
            try await pool.forEach(zip(20..<30, repeatElement(ticket, count: 10))) { number, ticket in
                ticket.arrive(number)
            }
            try await pool.forEach(30..<40, with: ticket) { number, ticket in ticket.arrive(number) }
            try await pool.forEach((40..<50).map { Visit(item: Numbered(number: $0, ticket: ticket)) })
        }
        #expect(rendezvous.arrivals.sorted() == Array(0..<50))
    }

    @Test("161 map: Void goes in and comes out", arguments: TestBackend.allCases)
    func void(_ backend: TestBackend) async throws {
        try await backend.withPool { pool async throws in
            #expect(try await pool.map([(), (), ()]) { _ in 1 } == [1, 1, 1])
            let voids: [Void] = try await pool.map(0..<5) { _ in }
            #expect(voids.count == 5)
        }
    }

    @Test("165 map_chunksize, 174 empty_iterable: no input gives no output", arguments: TestBackend.allCases)
    func empty(_ backend: TestBackend) async throws {
        try await backend.withPool { pool async throws in
            #expect(try await pool.map([Int]()) { $0 } == [])
            #expect(try await pool.map([Int](), chunkSize: 1) { $0 } == [])
            #expect(try await pool.map([Square]()) == [])
            #expect(try await pool.map([Int](), with: 1) { $0 + $1 } == [])
            try await pool.forEach([Int]()) { _ in }
        }
    }

    @Test("166 handle_iterable_exception: a sequence may lie about its count", arguments: TestBackend.allCases)
    func lyingCount(_ backend: TestBackend) async throws {
        try await backend.withPool { pool async throws in
            for (count, claim) in [(10, 1_000), (1_000, 10), (20_000, 9_000), (0, 5), (5, 0), (100, Int.max)] {
                let liar = Liar(count: count, underestimatedCount: claim)
                #expect(try await pool.map(liar) { $0 } == Array(0..<count))
                #expect(try await pool.map(liar, chunkSize: 7) { $0 } == Array(0..<count))
            }
        }
    }

    @Test("208 map: pairs end with the shorter sequence", arguments: TestBackend.allCases)
    func shortestEnds(_ backend: TestBackend) async throws {
        try await backend.withPool { pool async throws in
            #expect(try await pool.map(zip(0..<10, 0...)) { $0 + $1 } == (0..<10).map { $0 * 2 })
        }
    }

    @Test("222 map_chunksize: the size of the chunks changes no result", arguments: TestBackend.allCases)
    func chunkSizes(_ backend: TestBackend) async throws {
        try await backend.withPool { pool async throws in
            for size in [1, 6, 40, 50, 1_000_000] {
                #expect(try await pool.map(0..<40, chunkSize: size) { $0 * $0 } == (0..<40).map { $0 * $0 })
            }
        }
    }

    @Test("A chunk size that is given is kept", arguments: TestBackend.allCases)
    func chunkSizeIsKept(_ backend: TestBackend) async throws {
        let rendezvous = try Rendezvous()
        let ticket = rendezvous.ticket
        try await backend.withPool(workers: 2) { pool async throws in
            async let done: Void = pool.forEach((0..<20).map { Numbered(number: $0, ticket: ticket) }, chunkSize: 10) {
                $0.ticket.arrive($0.number)
                $0.ticket.wait()
            }
            // The first item of each chunk runs, and the nine behind it wait for it.
            await rendezvous.expectArrivals(2)
            #expect(rendezvous.arrivals.sorted() == [0, 10])
            rendezvous.letThrough(20)
            try await done
        }
    }

    @Test("Large inputs and outputs", arguments: TestBackend.allCases)
    func large(_ backend: TestBackend) async throws {
        try await backend.withPool { pool async throws in
            let megabytes = (0..<6).map { [UInt8](repeating: UInt8($0), count: 3 << 20) }
            #expect(try await pool.map(megabytes) { $0 } == megabytes)
            let text = String(repeating: "päth ", count: 400_000)
            #expect(try await pool.map([text, ""]) { $0 + "!" } == [text + "!", "!"])
        }
    }

    @Test("Half a million small items", arguments: TestBackend.allCases)
    func many(_ backend: TestBackend) async throws {
        try await backend.withPool { pool async throws in
            let sum = try await pool.map(0..<500_000) { $0 & 1 }.reduce(0, +)
            #expect(sum == 250_000)
        }
    }

    @Test("Values of every size and kind come to their places", arguments: TestBackend.allCases)
    func kindsOfValues(_ backend: TestBackend) async throws {
        try await backend.withPool { pool async throws in
            let numbers = Array(0..<3_000)
            #expect(try await pool.map(numbers) { UInt8(truncatingIfNeeded: $0) } == numbers.map { UInt8($0 & 255) })
            #expect(try await pool.map(numbers) { Double($0) / 2 } == numbers.map { Double($0) / 2 })
            #expect(try await pool.map(numbers) { Int128($0) << 70 } == numbers.map { Int128($0) << 70 })
            // Nothing but bits, but not a number: what it sends is its own affair.
            #expect(try await pool.map(numbers) { Reading($0) } == numbers.map { Reading($0) })
            #expect(try await pool.map(numbers) { $0 % 3 == 0 ? nil : $0 } == numbers.map { $0 % 3 == 0 ? nil : $0 })
            #expect(try await pool.map(numbers) { "\($0)" } == numbers.map { "\($0)" })
            #expect(try await pool.map(numbers[500..<2_500]) { $0 } == Array(500..<2_500))
        }
    }

    @Test("Parts of chunks that are taken back are neither lost nor run twice", arguments: TestBackend.allCases)
    func partsTakenBack(_ backend: TestBackend) async throws {
        let numbers = Array(0..<20_000)
        let squares = numbers.map { $0 &* $0 }
        let texts = numbers.map { "\($0)" }
        // Workers that run out of work at different moments, and then take parts of each other's.
        let perform = { @Sendable (pool: Pool) async throws in
            for _ in 0..<40 {
                #expect(try await pool.map(numbers) { $0 &* $0 } == squares)
                #expect(try await pool.map(numbers) { "\($0)" } == texts)
            }
        }
        for workers in [2, 3, 8] {
            try await backend.withPool(workers: workers) { pool async throws in
                try await perform(pool)
                // Every worker has told of the end of what it held.
                await pool.shutDown()
            }
        }
    }

    @Test("Several maps share one pool", arguments: TestBackend.allCases)
    func concurrentMaps(_ backend: TestBackend) async throws {
        try await backend.withPool { pool async throws in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for factor in 1...8 {
                    group.addTask {
                        let products = try await pool.map(0..<300, with: factor) { $0 * $1 }
                        #expect(products == (0..<300).map { $0 * factor })
                    }
                }
                try await group.waitForAll()
            }
        }
    }
}

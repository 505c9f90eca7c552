import Foundation
import Multiprocessing
import Synchronization
import TestSupport
import Testing

/// A value that is counted in its process.
private final class Counted: Codable, Sendable {
    static let live = Mutex(0)

    let numbers: [Int]

    init(_ numbers: [Int]) {
        self.numbers = numbers
        Self.live.withLock { $0 += 1 }
    }

    deinit { Self.live.withLock { $0 -= 1 } }

    convenience init(from decoder: any Decoder) throws {
        self.init(try decoder.singleValueContainer().decode([Int].self))
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(numbers)
    }
}

private struct Stubborn: Codable, Sendable {
    struct Refused: Error, Codable {}
    func encode(to encoder: any Encoder) throws { throw Refused() }
    init(from decoder: any Decoder) throws {}
    init() {}
}

private struct Query: Codable, Sendable {
    let words: Broadcast<[String: Int]>
    let word: String
}

private struct QueryJob: Job {
    let query: Query
    func run() -> Int { query.words.value[query.word] ?? -1 }
}

@Suite(.admitted)
struct BroadcastTests {
    @Test("In captures, inputs, shared values, jobs and results", arguments: TestBackend.allCases)
    func everywhere(_ backend: TestBackend) async throws {
        try await backend.withPool { pool in
            let words = pool.broadcast(["one": 1, "two": 2, "three": 3])
            #expect(words.value["two"] == 2)
            let offset = 10
            #expect(try await pool.run { words.value["three"] } == 3)
            #expect(try await pool.map(["one", "two", "four"]) { (words.value[$0] ?? 0) + offset } == [11, 12, 10])
            #expect(try await pool.run(Query(words: words, word: "one")) { $0.words.value[$0.word] } == 1)
            #expect(try await pool.map(["two", "one"], with: words) { $1.value[$0] } == [2, 1])
            #expect(try await pool.run(QueryJob(query: Query(words: words, word: "three"))) == 3)
            let back = try await pool.run(words) { $0 }
            #expect(back.value == words.value)
            #expect(try await pool.run { back.value["one"] } == 1)
            let made = try await pool.run { try Pool(.threads, workers: 1).broadcast([4, 5]) }
            #expect(made.value == [4, 5])
        }
    }

    @Test("Each worker is sent it once, when it is first used")
    func sentOnce() async throws {
        try await TestBackend.processes.withPool(workers: 2) { pool in
            let size = 1 << 20
            let table = pool.broadcast((0..<size).map { UInt8(truncatingIfNeeded: $0) })
            try await pool.start()
            #expect(pool.statistics.bytesSent == 0)
            for round in 0..<5 {
                let sums = try await pool.map(0..<100, chunkSize: 1) { Int(table.value[$0]) + round }
                #expect(sums == (0..<100).map { $0 + round })
                _ = try await pool.map(Array(repeating: table, count: 20), chunkSize: 3) { $0.value.count }
            }
            let numbers = pool.statistics
            let workers = numbers.workers.count { $0.bytesSent > size }
            #expect(workers >= 1)
            #expect(numbers.bytesSent >= workers * size)
            #expect(numbers.bytesSent < workers * size + size / 4, "\(numbers.bytesSent)")
        }
    }

    @Test("A worker has one copy, which goes with the last handle")
    func freed() async throws {
        try await TestBackend.processes.withPool(workers: 1) { pool in
            try await useCounted(in: pool)
            // Whoever ended the last item may hold what it had for a moment longer than it took to resume this.
            await expectSoon("the program lets go of it") { Counted.live.withLock { $0 } == 0 }
            while try await pool.run({ Counted.live.withLock { $0 } }) > 0 {}
            #expect(pool.statistics.workersStarted == 1)
        }
    }

    private func useCounted(in pool: Pool) async throws {
        let counted = pool.broadcast(Counted([1, 2, 3]))
        let copy = counted
        for _ in 0..<5 {
            #expect(try await pool.run { copy.value.numbers.count } == 3)
            #expect(try await pool.run(counted) { _ in Counted.live.withLock { $0 } } == 1)
        }
        #expect(Counted.live.withLock { $0 } == 1)
    }

    @Test("Threads use the value itself")
    func threads() async throws {
        try await TestBackend.threads.withPool { pool in
            let value = Counted([7])
            let broadcast = pool.broadcast(value)
            let same = try await pool.map(0..<50) { _ in ObjectIdentifier(broadcast.value) == ObjectIdentifier(value) }
            #expect(same == Array(repeating: true, count: 50))
            #expect(pool.statistics.bytesSent == 0)
            // Needs no encoding, then.
            let stubborn = pool.broadcast(Stubborn())
            try await pool.run { _ = stubborn.value }
        }
    }

    @Test("A worker that replaces another is sent it again, and so are the workers of a worker")
    func elsewhere() async throws {
        try await TestBackend.processes.withPool(workers: 1) { pool in
            let list = pool.broadcast(Array(0..<1_000))
            for _ in 0..<2 {
                #expect(try await pool.run { list.value.reduce(0, +) } == 499_500)
                await #expect(throws: PoolError.self) { try await pool.run { () -> Int in fatalError("on purpose") } }
            }
            let sum = try await pool.run(list) { list in
                let inner = try Pool(.processes, workers: 1)
                let sum = try await inner.run { list.value.reduce(0, +) }
                await inner.terminate()
                return sum
            }
            #expect(sum == 499_500)
        }
    }

    @Test("Other encoders and decoders refuse it, and say why")
    func otherCoders() throws {
        let pool = try Pool(.threads, workers: 1)
        let broadcast = pool.broadcast([1])
        let error = #expect(throws: EncodingError.self) { try JSONEncoder().encode([broadcast]) }
        #expect(
            "\(error.map { $0 as Any } ?? "")".contains("JSONEncoder")
                || "\(error as Any)".contains("send it to a worker"))
        let other = #expect(throws: DecodingError.self) {
            try JSONDecoder().decode([Broadcast<[Int]>].self, from: Data("[1]".utf8))
        }
        #expect("\(other as Any)".contains("have a pool send it"))
    }

    @Test("A value that cannot be encoded is the failure of the calls that use it")
    func unencodable() async throws {
        try await TestBackend.processes.withPool(workers: 1) { pool in
            let stubborn = pool.broadcast(Stubborn())
            await expectRefusal("Stubborn") { try await pool.run { _ = stubborn.value } }
            await expectRefusal("Stubborn") { try await pool.run(stubborn) { _ in } }
            let value = try await pool.run { 1 }
            #expect(value == 1)
        }
    }
}

import Foundation
import Multiprocessing
import TestSupport
import Testing

/// Closures that capture, wherever they stand and however they are passed.
@Suite(.admitted(for: .seconds(300)))
struct CapturePlaceTests {
    private let pool = CapturePool.shared

    actor Account {
        let rate = 3

        func scaled(on pool: Pool) async throws -> [Int] {
            let rate = rate
            return try await pool.map(1...3) { $0 * rate }
        }

        func careless(on pool: Pool) async throws -> [Int] {
            try await pool.map(1...3) { $0 * self.rate }
        }
    }

    @MainActor final class Screen {
        var factor = 4

        func scaled(on pool: Pool) async throws -> [Int] {
            try await pool.map(1...3) { [factor] in $0 * factor }
        }
    }

    struct Method: Codable, Sendable {
        var base = 10

        func added(on pool: Pool) async throws -> [Int] {
            try await pool.map(1...3) { self.base + $0 }
        }
    }

    @Test func `In an actor`() async throws {
        #expect(try await Account().scaled(on: pool) == [3, 6, 9])
    }

    @Test func `In a main-actor class`() async throws {
        #expect(try await Screen().scaled(on: pool) == [4, 8, 12])
    }

    @Test func `A structure's self is a value like any other`() async throws {
        #expect(try await Method().added(on: pool) == [11, 12, 13])
    }

    @Test func `An actor's self is refused by name`() async throws {
        let error = try await #require(throws: PoolError.self) { try await Account().careless(on: CapturePool.shared) }
        #expect(error.code == .notPortable)
        #expect(error.message.contains("captures self"))
        #expect(error.message.contains("Account"))
        #expect(error.message.contains("with(") || error.message.contains("with:"))
    }

    @Test func `In nested closures and local functions`() async throws {
        let (a, b) = (opaque(2), opaque("b"))
        @Sendable func local(_ x: Int) -> String { "\(x * a)\(b)" }
        let outer: @Sendable (Int) -> String = { x in [x, x + 1].map { local($0) }.joined() }
        #expect(try await pool.map(1...2, outer) == ["2b4b", "4b6b"])
        #expect(try await pool.map(1...2) { outer($0) + local($0) } == ["2b4b2b", "4b6b4b"])
    }

    private static func square(_ x: Int) -> Int { x * x }

    @Test func `A function by its name`() async throws {
        #expect(try await pool.map(1...3, Self.square) == [1, 4, 9])
        #expect(try await pool.submit(7, Self.square).value == 49)
    }

    @Test func `A closure with typed errors`() async throws {
        let limit = opaque(2)
        let check: @Sendable (Int) throws(TooLarge) -> Int = { (x: Int) throws(TooLarge) -> Int in
            if x > limit { throw TooLarge(value: x) }
            return x
        }
        #expect(try await pool.map(1...2, check) == [1, 2])
        await #expect(throws: TooLarge(value: 3)) { try await CapturePool.shared.map(1...3, check) }
    }

    struct TooLarge: Error, Codable, Equatable {
        let value: Int
    }

    @Test func `A key path as a function is sent or refused with its cure`() async throws {
        do {
            #expect(try await pool.map(["a", "bb"], \.count) == [1, 2])
        } catch let error as PoolError {
            // Debug builds wrap the key path's object, which has no name in another process.
            #expect(error.code == .notPortable)
            #expect(error.message.contains("key path"))
        }
    }

    @Test func `Pairs, enumerations and shared values together with captures`() async throws {
        let plus = opaque(100)
        let list = [1, 2]
        #expect(try await pool.map(zip(list, list)) { a, b in a * b + plus } == [101, 104])
        #expect(try await pool.map(list.enumerated()) { i, x in i * x + plus } == [100, 102])
        #expect(
            try await pool.map(list, with: ["p", "q"]) { x, names in "\(names[x - 1])\(plus)" } == ["p100", "q100"])
    }

    @Test func `Several shared values`() async throws {
        let plus = opaque(1)
        #expect(try await pool.map(1...2, with: 10, 2.5) { x, a, b in Double(x * a + plus) + b } == [13.5, 23.5])
        #expect(
            try await pool.map(1...2, with: 10, "s", [3]) { x, a, b, c in "\(x * a)\(b)\(c)" } == ["10s[3]", "20s[3]"])
        let slow = try await pool.map(1...2, with: 10, 2.5) { x, a, b in
            await Task.yield()
            return Double(x * a) + b
        }
        #expect(slow == [12.5, 22.5])
    }

    @Test func `In streams and results`() async throws {
        let (plus, list) = (opaque(5), opaque([1, 2, 3]))
        var streamed: [Int] = []
        for try await value in pool.stream(list, { $0 + plus }) { streamed.append(value) }
        #expect(streamed == [6, 7, 8])
        var results: [Int] = []
        for await result in pool.results(list, { $0 + plus + list.count }) { results.append(try result.get()) }
        #expect(results == [9, 10, 11])
    }

    @Test func `In generic code`() async throws {
        func pairs<T: Codable & Sendable>(_ value: T) async throws -> [String] {
            try await CapturePool.shared.map(1...2) { "\($0)\(value)" }
        }
        #expect(try await pairs("x") == ["1x", "2x"])
        #expect(try await pairs([4]) == ["1[4]", "2[4]"])
    }

    @Test func `Twenty captures of every kind`() async throws {
        let (a, b, c, d, e) = (opaque(UInt8(1)), opaque(2.5), opaque("three"), opaque([4]), opaque(Float(5)))
        let (f, g, h, i, j) = (
            opaque(Int16(6)), opaque(Set([7])), opaque(["8": 8]), opaque(true), opaque(SIMD4<Float>(repeating: 10))
        )
        let (k, l, m, n, o) = (
            opaque(Int?.none), opaque(EmptyShape()), opaque(Tree.leaf(13)), opaque(Date(timeIntervalSince1970: 14)),
            opaque("15")
        )
        let (p, q, r, s, t) = (
            opaque(UInt64.max), opaque(OddSize(a: 17, b: 1)), opaque([["18"]]), opaque(PayloadEnum.number(19)),
            opaque(Int8(-20))
        )
        let describe: @Sendable () -> String = {
            "\(a) \(b) \(c) \(d) \(e) \(f) \(g) \(h) \(i) \(j) \(k as Any) \(l) \(m) \(n) \(o) \(p) \(q) \(r) \(s) \(t)"
        }
        #expect(try await pool.run(describe) == describe())
    }

    @Test func `What is captured is sent once a call and decoded once by each worker`() async throws {
        let counted = CountedCopy()
        let rows = try await pool.map(0..<200, chunkSize: 1) { _ in
            (getpid(), counted.decodedHere)
        }
        let byWorker = Dictionary(grouping: rows, by: \.0).mapValues { Set($0.map(\.1)).count }
        #expect(byWorker.values.allSatisfy { $0 == 1 }, "each worker decoded one copy: \(byWorker)")
    }

    /// A value that remembers which of the copies decoded in its process it is.
    struct CountedCopy: Codable, Sendable {
        var decodedHere = 0
        private var text = "a second field, so that the value has no single reference"

        init() {}

        init(from decoder: any Decoder) throws {
            decodedHere = Int.random(in: 1...Int.max)
        }

        func encode(to encoder: any Encoder) throws {}
    }
}

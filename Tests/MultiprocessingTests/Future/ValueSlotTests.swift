import Multiprocessing
import TestSupport
import Testing

/// Inputs and values of every size and kind, which lie in their item or beside it.
@Suite(.admitted)
struct ValueSlotTests {
    /// More bytes than lie in an item.
    private struct Large: Codable, Equatable, Sendable {
        var parts = [0.5, 1.5]
        var a = 1, b = 2, c = 3, d = 4
    }

    private struct Nothing: Codable, Equatable, Sendable {}

    private struct Odd: Codable, Equatable, Sendable {
        var first: UInt8 = 1
        var second: UInt16 = 2
        var third: UInt8 = 3
    }

    private func check<Value: Codable & Equatable & Sendable>(_ pool: Pool, _ value: Value) async throws {
        #expect(try await pool.run(value) { $0 } == value)
        let future = pool.submit(value) { $0 }
        #expect(try await future.value == value)
        #expect(try await future.value == value)
        let dropped = pool.submit(value) { $0 }
        dropped.cancel()
        _ = await dropped.result
    }

    @Test("Values of any size and kind come back", arguments: TestBackend.allCases)
    func values(_ backend: TestBackend) async throws {
        try await backend.withPool { pool in
            try await check(pool, true)
            try await check(pool, UInt8.max)
            try await check(pool, Odd())
            try await check(pool, Int128.min)
            try await check(pool, 1.5)
            try await check(pool, Nothing())
            try await check(pool, [1, 2, 3])
            try await check(pool, "a text that is longer than fits into a string itself")
            try await check(pool, "short")
            try await check(pool, Optional(7))
            try await check(pool, Large())
            try await check(pool, SIMD4<Float>(1, 2, 3, 4))
            try await check(pool, SIMD2<Float>(1, 2))
        }
    }
}

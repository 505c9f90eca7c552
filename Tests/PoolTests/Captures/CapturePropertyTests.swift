import Foundation
import Multiprocessing
import TestSupport
import Testing

/// Closures put together at random out of many shapes, each compared with itself in a worker.
@Suite(.admitted(for: .seconds(300)))
struct CapturePropertyTests {
    typealias Describe = @Sendable () -> String

    /// Wraps a closure in another that captures more: every way has captures of its own layout.
    private static func wrap(_ inner: @escaping Describe, _ random: inout RandomSource) -> Describe {
        let number = Int.random(in: .min ... .max, using: &random)
        let byte = UInt8.random(in: .min ... .max, using: &random)
        let text = String(repeating: "ab", count: Int.random(in: 0...20, using: &random))
        let list = (0..<Int.random(in: 0...5, using: &random)).map { _ in Int16.random(in: -9...9, using: &random) }
        let optional: Double? = Bool.random(using: &random) ? Double(number) : nil
        let map = Dictionary(uniqueKeysWithValues: list.indices.map { ("k\($0)", list[$0]) })
        let tree: Tree = Bool.random(using: &random) ? .leaf(number) : .node(.leaf(1), .leaf(number))
        let vector = SIMD4<Float>(repeating: Float(byte))
        let pair = GenericPair(a: byte, b: text)
        switch Int.random(in: 0..<16, using: &random) {
        case 0: return { inner() + "\(number)" }
        case 1: return { inner() + "\(byte)" }
        case 2: return { inner() + text }
        case 3: return { inner() + "\(list)" }
        case 4: return { inner() + "\(optional ?? 0)" }
        case 5: return { inner() + "\(map.keys.sorted())" }
        case 6: return { inner() + "\(tree)" }
        case 7: return { inner() + "\(vector)" }
        case 8: return { inner() + "\(pair)" }
        case 9: return { "\(byte)\(vector)" + inner() + "\(byte)\(number)" }
        case 10: return { "\(text)\(byte)" + inner() + "\(list)\(byte)" }
        case 11: return { inner() + "\(tree)\(optional ?? 1)\(pair)\(byte)" }
        case 12: return { "\(vector)\(text)\(list)\(map.count)" + inner() }
        case 13: return generic(inner, pair, list)
        case 14: return generic(inner, tree, [text: [byte]])
        default: return { inner() + inner() }
        }
    }

    private static func generic<A: Codable & Sendable, B: Codable & Sendable>(
        _ inner: @escaping Describe,
        _ a: A,
        _ b: B
    ) -> Describe {
        { "\(a)" + inner() + "\(b)" }
    }

    @Test func `Random closures see in a worker what they see here`() async throws {
        let seed = UInt64.random(in: .min ... .max)
        print("random closures from seed \(seed)")
        var random = RandomSource(seed: seed)
        var closures: [Describe] = []
        for _ in 0..<400 {
            var closure: Describe = { "" }
            for _ in 0..<Int.random(in: 1...6, using: &random) { closure = Self.wrap(closure, &random) }
            closures.append(closure)
        }
        let all = closures
        try await withLimit(.seconds(120)) {
            let futures = all.map { CapturePool.shared.submit($0) }
            for (future, closure) in zip(futures, all) {
                let seen = try await future.value
                #expect(seen == closure())
            }
        }
    }
}

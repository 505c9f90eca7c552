import Foundation
import Multiprocessing
import TestSupport
import Testing

/// A captured value, and what is expected of closures that capture it.
struct CaptureShape<Value: Codable & Sendable & Equatable>: Sendable {
    let value: Value

    init(_ value: Value) {
        self.value = value
    }

    /// Runs the closures in a worker process and compares what they saw with the value here.
    func expectSame(
        lone: @escaping @Sendable () throws -> Value,
        loneAsync: @escaping @Sendable () async throws -> Value,
        beside: @escaping @Sendable () throws -> Beside<Value>,
        besideAsync: @escaping @Sendable () async throws -> Beside<Value>,
        mapped: @escaping @Sendable (Int) throws -> Beside<Value>,
        sourceLocation: SourceLocation = #_sourceLocation
    ) async throws {
        let expected = Beside(value: value, number: 17, text: "beside")
        try await withLimit(.seconds(240), sourceLocation: sourceLocation) {
            let pool = CapturePool.shared
            #expect(try await pool.run(lone) == value, sourceLocation: sourceLocation)
            #expect(try await pool.run(loneAsync) == value, sourceLocation: sourceLocation)
            #expect(try await pool.submit(beside).value == expected, sourceLocation: sourceLocation)
            #expect(try await pool.submit(besideAsync).value == expected, sourceLocation: sourceLocation)
            let rows = try await pool.map(0..<3, chunkSize: 1, mapped)
            #expect(rows.map(\.number) == [17, 18, 19], sourceLocation: sourceLocation)
            #expect(rows.allSatisfy { $0.value == value }, sourceLocation: sourceLocation)
        }
    }
}

/// A value that was captured beside others.
struct Beside<Value: Codable & Sendable & Equatable>: Codable, Sendable, Equatable {
    let value: Value
    let number: Int
    let text: String
}

/// The pool that tests of captures share: what they send differs, not how.
enum CapturePool {
    static let shared: Pool = {
        do {
            return try Pool(.processes, workers: 2)
        } catch {
            fatalError("a pool of two workers has no bad argument: \(error)")
        }
    }()
}

// MARK: - Types of every kind

struct ThreeBytes: Codable, Sendable, Equatable {
    var a: UInt8
    var b: UInt8
    var c: UInt8
}

struct OddSize: Codable, Sendable, Equatable {
    var a: Int64
    var b: UInt8
}

/// A type that other modules see.
public struct PublicShape: Codable, Sendable, Equatable {
    var number: Int
    var text: String
}

struct GenericShape<T: Codable & Sendable & Equatable>: Codable, Sendable, Equatable {
    var value: T
}

struct GenericPair<A: Codable & Sendable & Equatable, B: Codable & Sendable & Equatable>: Codable, Sendable, Equatable {
    var a: A
    var b: B
}

struct ArrayWrapper: Codable, Sendable, Equatable {
    var list: [Int]
}

struct DictionaryWrapper: Codable, Sendable, Equatable {
    var map: [String: Int]
}

enum PlainEnum: String, Codable, Sendable, Equatable {
    case first
    case second
}

enum PayloadEnum: Codable, Sendable, Equatable {
    case number(Int)
    case text(String)
    case none
}

indirect enum Tree: Codable, Sendable, Equatable {
    case leaf(Int)
    case node(Tree, Tree)
}

struct EmptyShape: Codable, Sendable, Equatable {}

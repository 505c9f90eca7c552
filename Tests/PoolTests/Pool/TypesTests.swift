import Multiprocessing
import TestSupport
import Testing

private struct Hidden: Codable, Hashable, Sendable {
    var number: Int
    var text: String?
}

private struct Trivial: Codable, Equatable, Sendable {
    var a: Int
    var b: Double
}

private struct Wrapper<Value: Codable & Sendable & Hashable>: Codable, Hashable, Sendable {
    var value: Value

    struct Inner: Codable, Hashable, Sendable {
        var values: [Value]
    }
}

private enum Shape: Codable, Hashable, Sendable {
    case point
    case circle(radius: Double)
    indirect case group([Shape], named: String?)
}

private enum Outer {
    struct Deep: Codable, Hashable, Sendable {
        var number = 0

        enum Kind: String, Codable, Sendable { case one, two }
    }
}

private class Base: Codable, @unchecked Sendable {
    // Safe: never changed after it was made.
    var name: String

    init(name: String) { self.name = name }
}

private final class Derived: Base, @unchecked Sendable {
    let number: Int

    init(name: String, number: Int) {
        self.number = number
        super.init(name: name)
    }

    private enum CodingKeys: CodingKey { case number }

    required init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        number = try container.decode(Int.self, forKey: .number)
        try super.init(from: container.superDecoder())
    }

    override func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(number, forKey: .number)
        try super.encode(to: container.superEncoder())
    }
}

private struct GenericJob<Value: Codable & Sendable & Comparable>: Job {
    let values: [Value]

    func run() -> Value? { values.max() }
}

private struct JobWithHiddenOutput: Job {
    func run() -> Wrapper<Hidden>.Inner { .init(values: [Hidden(number: 1, text: "x")]) }
}

/// A function that is generic, and so are the closures in it.
private func doubled<Value: Codable & Sendable>(_ values: [Value], on pool: Pool) async throws -> [[Value]] {
    try await pool.map(values) { [$0, $0] }
}

/// Private, local, generic and nested types as inputs, outputs, jobs and errors.
@Suite(.admitted)
struct TypesTests {
    @Test("Private and nested types go in and out", arguments: TestBackend.allCases)
    func privateTypes(_ backend: TestBackend) async throws {
        try await backend.withPool { pool async throws in
            let hidden = try await pool.map([Hidden(number: 1, text: nil), Hidden(number: 2, text: "b")]) { value in
                Hidden(number: value.number * 2, text: value.text.map { $0 + "!" })
            }
            #expect(hidden == [Hidden(number: 2, text: nil), Hidden(number: 4, text: "b!")])
            let trivial = try await pool.map((0..<1_000).map { Trivial(a: $0, b: 0.5) }) {
                Trivial(a: $0.a, b: $0.b * 2)
            }
            #expect(trivial == (0..<1_000).map { Trivial(a: $0, b: 1) })
            let deep = try await pool.run(Outer.Deep(number: 3)) { ($0.number, Outer.Deep.Kind.two) }
            #expect(deep.0 == 3)
            #expect(deep.1 == .two)
        }
    }

    @Test("Generic types go in and out, private ones too", arguments: TestBackend.allCases)
    func genericTypes(_ backend: TestBackend) async throws {
        try await backend.withPool { pool async throws in
            let wrapped = try await pool.run(Wrapper(value: "a")) { Wrapper(value: [$0.value: 1]) }
            #expect(wrapped == Wrapper(value: ["a": 1]))
            let inner = try await pool.run(Wrapper<Hidden>.Inner(values: [])) { inner in
                Wrapper<Hidden>.Inner(values: inner.values + [Hidden(number: 1)])
            }
            #expect(inner.values == [Hidden(number: 1)])
        }
    }

    @Test("Local types go in and out", arguments: TestBackend.allCases)
    func localTypes(_ backend: TestBackend) async throws {
        struct Local: Codable, Equatable, Sendable { var number: Int }
        enum LocalError: Error, Codable { case bad(Local) }
        struct LocalJob: Job {
            let local: Local

            func run() throws -> Local {
                if local.number < 0 { throw LocalError.bad(local) }
                return Local(number: local.number + 1)
            }
        }
        try await backend.withPool { pool async throws in
            let output = try await pool.run(Local(number: 1)) { Local(number: $0.number + 1) }
            #expect(output == Local(number: 2))
            #expect(try await pool.run(LocalJob(local: Local(number: 5))) == Local(number: 6))
            await #expect(throws: LocalError.self) { try await pool.run(LocalJob(local: Local(number: -1))) }
        }
    }

    @Test("Enums with payloads, recursive values and classes", arguments: TestBackend.allCases)
    func otherTypes(_ backend: TestBackend) async throws {
        try await backend.withPool { pool async throws in
            let group = Shape.group([.point, .circle(radius: 2), .group([], named: nil)], named: "all")
            let outer = try await pool.run(group) { Shape.group([$0], named: "outer") }
            #expect(outer == .group([group], named: "outer"))
            let object = try await pool.run(Derived(name: "n", number: 1)) { derived in
                Derived(name: derived.name + "!", number: derived.number + 1)
            }
            #expect(object.name == "n!")
            #expect(object.number == 2)
        }
    }

    @Test("The standard library's types", arguments: TestBackend.allCases)
    func standardTypes(_ backend: TestBackend) async throws {
        try await backend.withPool { pool async throws in
            let nested: [Int??] = [.some(nil), 1, nil]
            #expect(try await pool.run(nested) { $0 } == nested)
            #expect(try await pool.run(Set(["a", "b"])) { $0.union(["c"]) } == ["a", "b", "c"])
            #expect(try await pool.run([[1: ["x"]]]) { $0 } == [[1: ["x"]]])
            #expect(try await pool.run(Double.infinity) { -$0 } == -.infinity)
            let nan = Double(nan: 5, signaling: false)
            #expect(try await pool.run(nan) { $0 }.bitPattern == nan.bitPattern)
            #expect(try await pool.run(UInt64.max) { $0 } == .max)
            #expect(try await pool.run(Int128.min) { $0 } == .min)
            let text = "\u{0}\u{1F468}\u{200D}\u{1F469}e\u{301}"
            #expect(try await pool.run(text) { $0 } == text)
            #expect(try await pool.run(Duration.seconds(3)) { $0 * 2 } == .seconds(6))
            #expect(try await pool.run(1..<5) { $0.count } == 4)
            #expect(try await pool.run(true) { !$0 } == false)
            #expect(try await pool.run(Int?.none) { $0 } == nil)
        }
    }

    @Test("Generic and private jobs", arguments: TestBackend.allCases)
    func jobs(_ backend: TestBackend) async throws {
        try await backend.withPool { pool async throws in
            #expect(try await pool.run(GenericJob(values: [3, 1, 2])) == 3)
            #expect(try await pool.run(GenericJob(values: ["a", "b"])) == "b")
            #expect(try await pool.run(GenericJob(values: [Double]())) == nil)
            #expect(try await pool.run(JobWithHiddenOutput()).values == [Hidden(number: 1, text: "x")])
        }
    }

    @Test("Closures that stand in generic code", arguments: TestBackend.allCases)
    func genericCode(_ backend: TestBackend) async throws {
        try await backend.withPool { pool async throws in
            #expect(try await doubled([1, 2], on: pool) == [[1, 1], [2, 2]])
            #expect(try await doubled([Hidden(number: 1)], on: pool) == [[Hidden(number: 1), Hidden(number: 1)]])
        }
    }

    @Test("Closures that capture values", arguments: TestBackend.allCases)
    func captures(_ backend: TestBackend) async throws {
        try await backend.withPool { pool async throws in
            let factor = 3
            let names = ["a": Hidden(number: 1), "b": Hidden(number: 2)]
            #expect(try await pool.map(0..<100) { $0 * factor } == (0..<100).map { $0 * 3 })
            let found = try await pool.map(["a", "b", "c"]) { names[$0].map { $0.number * factor } }
            #expect(found == [3, 6, nil])
        }
    }
}

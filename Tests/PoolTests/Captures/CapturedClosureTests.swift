import Multiprocessing
import MultiprocessingCoding
import MultiprocessingRuntime
import Synchronization
import TestSupport
import Testing

private struct Point: Codable, Equatable, Sendable {
    var x: Int
    var label: String
}

private struct Wrapped: Codable, Sendable {
    var values: [String]
}

private struct Generic<Value: Codable & Sendable>: Codable, Sendable {
    var value: Value
    var flag: Bool
}

private enum Choice: Codable, Sendable {
    case none
    case number(Int)
    indirect case pair(Choice, Choice)
}

private struct Empty: Codable, Sendable {}

/// A value with storage of its own, which its coding makes anew.
private struct Holder: Portable {
    let object: Object

    init(object: Object) {
        self.object = object
    }

    init(from decoder: any Decoder) throws {
        object = Object()
    }

    func encode(to encoder: any Encoder) throws {}
}

private final class Object: Sendable {
    let number = 1
    deinit { Object.deinitCount.add() }
    static let deinitCount = Count()
}

private final class Count: Sendable {
    private let storage = Mutex(0)
    func add() { storage.withLock { $0 += 1 } }
    var value: Int { storage.withLock { $0 } }
}

/// What a closure looks like on its way: the bytes of its reference, and its captured values.
private func travel<Box: FunctionBoxing>(_ box: Box, captures expected: Int? = nil) throws -> Box {
    let closure = try CapturedClosure(FunctionWords(of: box))
    var bytes: [UInt8] = []
    closure.reference.encode(into: &bytes)
    var values = Outgoing(ByteBuffer(capacity: 64))
    var count = 0
    try closure.forEachCapture { shape, place in
        try shape.encode(at: place, into: &values)
        count += 1
    }
    if let expected { #expect(count == expected) }
    #expect(closure.reference.isEmpty == (count == 0))

    var reader = ReferenceReader(bytes)
    let reference = try ClosureShape(decoding: &reader)
    #expect(reader.isAtEnd)
    #expect(reference == closure.reference)
    return try values.bytes.withUnsafeBytes { bytes in
        var incoming = Incoming(bytes, from: try knowingKeys())
        let words = try reference.rebuild { shape, place in try shape.decode(to: place, from: &incoming) }
        #expect(incoming.reader.isAtEnd)
        return words.box()
    }
}

/// A sender whose keys of coded values have come.
private func knowingKeys() throws -> Sender {
    let entries = ByteBuffer(capacity: 64)
    KeyTable.shared.encodeEntries(from: 0, into: entries)
    let sender = Sender()
    try entries.withUnsafeBytes { bytes in
        var reader = ByteReader(bytes)
        try sender.keys.append(from: &reader)
    }
    return sender
}

private func send<Input: Sendable, Output: Sendable>(
    _ body: @escaping @Sendable (Input) throws -> Output
) throws -> @Sendable (Input) throws -> Output {
    try travel(FunctionBox(body)).body
}

private func send<Input: Sendable, Output: Sendable>(
    _ body: @escaping @Sendable (Input) async throws -> Output
) throws -> @Sendable (Input) async throws -> Output {
    try travel(AsyncFunctionBox(body)).body
}

private func refusal<Input: Sendable, Output: Sendable>(
    _ body: @escaping @Sendable (Input) throws -> Output
) -> String {
    do throws(NotPortable) {
        _ = try CapturedClosure(FunctionWords(of: FunctionBox(body)))
        return "accepted"
    } catch {
        return error.reason
    }
}

/// A value that the optimizer does not know.
@inline(never)
@_optimize(none)
func opaque<Value>(_ value: Value) -> Value { value }

private func square(_ value: Int) -> Int { value * value }

private func slowSquare(_ value: Int) async -> Int { value * value }

private enum Failure: Error { case negative }

private func checked(_ value: Int) throws(Failure) -> Int {
    guard value >= 0 else { throw .negative }
    return value
}

@Suite(.admitted)
struct CapturedClosureTests {
    @Test func `A closure without captures`() throws {
        #expect(try send { (x: Int) in x + 1 }(1) == 2)
    }

    @Test func `One number`() throws {
        let n = opaque(10)
        #expect(try travel(FunctionBox { (x: Int) in x * n }, captures: 1).body(4) == 40)
    }

    @Test func `Values of every size and alignment`() throws {
        let (a, b, c, d, e) = (opaque(UInt8(1)), opaque(Int16(2)), opaque(Int32(3)), opaque(true), opaque(Float(1.5)))
        let (f, g, h) = (opaque("text that does not fit inline"), opaque([1, 2]), opaque(SIMD4<Float>(1, 2, 3, 4)))
        let (i, j, k) = (opaque(Empty()), opaque(Point(x: 1, label: "p")), opaque(Int?.some(9)))
        let (l, m, o) = (opaque(["k": [1]]), opaque(Set(["s"])), opaque(SIMD8<Double>(repeating: 2)))
        let (p, q, r) = (
            opaque(UInt8(255)), opaque(Generic(value: Point(x: 2, label: "g"), flag: true)), opaque((1, "t"))
        )
        let (s, t) = (opaque(Choice.pair(.number(1), .pair(.none, .number(2)))), opaque(Character("é")))
        let describe = { @Sendable (x: Int) in
            "\(x) \(a) \(b) \(c) \(d) \(e) \(f) \(g) \(h) \(i) \(j) \(String(describing: k)) \(l) \(m) \(o) \(p) \(q) \(r) \(s) \(t)"
        }
        #expect(
            try send { (x: Int) in
                "\(x) \(a) \(b) \(c) \(d) \(e) \(f) \(g) \(h) \(i) \(j) \(String(describing: k)) \(l) \(m) \(o) \(p) \(q) \(r) \(s) \(t)"
            }(5) == describe(5)
        )
    }

    @Test func `Asynchronous closures`() async throws {
        let (n, text) = (opaque(3), opaque("async text that is long"))
        let closure = try send { (x: Int) async throws -> String in
            await Task.yield()
            return "\(x + n)\(text)"
        }
        #expect(try await closure(1) == "4\(text)")
    }

    @Test func `One array alone`() throws {
        let list = opaque([3, 4, 5])
        let empty = opaque([Int]())
        let wrapped = opaque(Wrapped(values: ["a", "b"]))
        let contiguous = opaque(ContiguousArray([Point(x: 7, label: "c")]))
        #expect(try send { (x: Int) in list[x] }(1) == 4)
        #expect(try send { (x: Int) in empty.count + x }(1) == 1)
        #expect(try send { (x: Int) in wrapped.values[x] }(1) == "b")
        #expect(try send { (x: Int) in contiguous[x].label }(0) == "c")
    }

    @Test func `Function names and other function values`() throws {
        let n = opaque(2)
        let stored: @Sendable (Int) -> Int = { $0 + n }
        let plain: @Sendable (Int) -> Int = { $0 + 100 }
        #expect(try send(square)(5) == 25)
        #expect(try send(stored)(5) == 7)
        #expect(try send(plain)(5) == 105)
        #expect(try send { (x: Int) in stored(x) + plain(x) + n }(1) == 106)
        #expect(try send(checked)(5) == 5)
        #expect(throws: Failure.negative) { try send(checked)(-5) }
        let typed: @Sendable (Int) throws(Failure) -> Int = { (x: Int) throws(Failure) in try checked(x - n) }
        #expect(throws: Failure.negative) { try send(typed)(1) }
        #expect(try send(String.init(describing:) as @Sendable (Int) -> String)(4) == "4")
        let twice: @Sendable (@escaping @Sendable (Int) -> Int) -> @Sendable (Int) -> Int = { f in { f(f($0)) } }
        #expect(try send(twice(twice(stored)))(0) == 8)
    }

    @Test func `Asynchronous function values`() async throws {
        let n = opaque(2)
        let stored: @Sendable (Int) async -> Int = { $0 + n }
        #expect(try await send(slowSquare)(5) == 25)
        #expect(try await send(square as @Sendable (Int) async -> Int)(5) == 25)
        #expect(try await send { (x: Int) async in await stored(x) }(5) == 7)
    }

    @Test func `Two parameters where one tuple is expected`() throws {
        func sendPair<A: Sendable, B: Sendable, Output: Sendable>(_ body: @escaping @Sendable (A, B) throws -> Output)
            throws
            -> @Sendable ((A, B)) throws -> Output
        {
            try send { try body($0.0, $0.1) }
        }
        let n = opaque(1)
        #expect(try sendPair { (a: Int, b: String) in "\(a + n)\(b)" }((1, "x")) == "2x")
    }

    @Test func `Closures in generic code`() throws {
        #expect(try generic(4, "x", as: Double.self) == "4x0.0(4)Double")
        #expect(
            try generic(Point(x: 1, label: "l"), 5, as: Int.self)
                == "\(Point(x: 1, label: "l"))50(\(Point(x: 1, label: "l")))Int")
        #expect(try Nest(value: [1, 2]).run("y") == "[1, 2]y1")
        #expect(try generic([Generic(value: 1, flag: true)], Set([1]), as: Int8.self).hasSuffix("Int8"))
    }

    @Test func `What is not a value is refused by name`() {
        let object = Object()
        #expect(refusal { (x: Int) in x + object.number }.contains("Object"))
        let error: any Error = opaque(Failure.negative)
        #expect(refusal { (_: Int) in "\(error)" }.contains("error"))
        let metatype: @Sendable (Int) -> Int = { [weak object] in $0 + (object?.number ?? 0) }
        #expect(refusal(metatype).contains("weak") || refusal(metatype).contains("Object"))
    }

    @Test func `A failure halfway destroys what was built`() throws {
        let (object, n, text) = (Holder(object: Object()), opaque(1), opaque("text"))
        let before = Object.deinitCount.value
        let box = FunctionBox { (x: Int) in "\(x)\(object.object.number)\(n)\(text)" }
        let closure = try CapturedClosure(FunctionWords(of: box))
        var values = Outgoing(ByteBuffer(capacity: 64))
        try closure.forEachCapture { shape, place in try shape.encode(at: place, into: &values) }
        struct Stop: Error {}
        func rebuild(limit: Int) throws -> FunctionWords {
            try values.bytes.withUnsafeBytes { bytes in
                var incoming = Incoming(bytes, from: Sender())
                var calls = 0
                return try closure.reference.rebuild { shape, place in
                    defer { calls += 1 }
                    if calls == limit { throw Stop() }
                    try shape.decode(to: place, from: &incoming)
                }
            }
        }
        for limit in 0..<3 {
            #expect(throws: Stop.self) { _ = try rebuild(limit: limit) }
        }
        // The holder is the first capture.
        #expect(Object.deinitCount.value == before + 2)
        var words: FunctionWords? = try rebuild(limit: 3)
        let afterFailures = Object.deinitCount.value
        let rebuilt: FunctionBox<Int, String> = try #require(words).box()
        #expect(try rebuilt.body(2).hasPrefix("21"))
        #expect(Object.deinitCount.value == afterFailures)
        words = nil
        _ = consume rebuilt
        #expect(Object.deinitCount.value == before + 3)
        withExtendedLifetime(object) {}
    }

    @Test func `Damaged bytes are an error`() throws {
        let (n, text) = (opaque(1), opaque("text"))
        var bytes: [UInt8] = []
        try CapturedClosure(FunctionWords(of: FunctionBox { (x: Int) in "\(x)\(n)\(text)" })).reference.encode(
            into: &bytes)
        for count in bytes.indices {
            #expect(throws: NotPortable.self) {
                var reader = ReferenceReader(Array(bytes[..<count]))
                _ = try ClosureShape(decoding: &reader)
            }
        }
        // What is complete but wrong is found by its checksum, before an address in it is followed.
        bytes.seal()
        for index in bytes.indices {
            for bit in 0..<8 {
                var damaged = bytes
                damaged[index] ^= 1 << bit
                #expect(throws: NotPortable.self) { try ReferenceReader(sealed: damaged) }
            }
        }
    }
}

@inline(never)
@_optimize(none)
private func generic<A: CustomStringConvertible & Sendable, B: Sendable, C: Numeric & SendableMetatype>(
    _ a: A,
    _ b: B,
    as: C.Type
) throws -> String {
    let list = [a]
    let first = try send { (_: Int) in "\(a)\(b)\(C.zero)" }(0)
    let second = try send { (_: Int) in "(\(list[0].description))" }(0)
    let third = try send { (_: Int) in "\(C.self)" }(0)
    return first + second + third
}

extension Point: CustomStringConvertible {
    var description: String { "Point(\(x), \(label))" }
}

private struct Nest<Value: Collection & Sendable> where Value.Element: Comparable & Sendable {
    let value: Value

    @inline(never)
    @_optimize(none)
    func run<Other: Sendable>(_ other: Other) throws -> String {
        let (value, least) = (value, value.min())
        return try send { (_: Int) in "\(value)\(other)\(least.map { "\($0)" } ?? "")" }(0)
    }
}

import MultiprocessingCoding
import MultiprocessingRuntime
import MultiprocessingSystem

/// The proof, made once in each process, that captures are laid out as this library believes.
///
/// The layout is the compiler's and the runtime's affair, so closures of this library's own are
/// taken apart, compared with what went in, put together again and called, before any of the
/// user's is touched.
enum CaptureProof {
    private static let failure: NotPortable? = {
        if ThisProcess.variable("MULTIPROCESSING_CAPTURES") == "off" {
            return NotPortable("it captures values, which MULTIPROCESSING_CAPTURES=off forbids")
        }
        do {
            try prove()
            return nil
        } catch {
            return NotPortable("closures that capture values cannot be sent with this version of Swift: \(error)")
        }
    }()

    /// Throws if closures with captures cannot be sent from or to this process.
    static func require() throws(NotPortable) {
        if let failure { throw failure }
    }

    private static func prove() throws {
        let (byte, number, text, list) = (opaque(UInt8(7)), opaque(35), opaque("a text"), opaque([1, 2, 3]))
        let vector = opaque(SIMD4<Float>(1, 2, 3, 4))
        let choice = opaque(Int?.some(5))
        let inner: @Sendable (Int) -> Int = { $0 + number }
        let trivial = FunctionBox { (input: Int) in input + number }
        guard try copy(trivial, expecting: [number]).body(7) == 42 else { throw NotPortable("one number") }
        let mixed = FunctionBox { (input: Int) in
            "\(input) \(byte) \(text) \(list) \(vector) \(choice ?? 0) \(number)"
        }
        guard try copy(mixed, expecting: nil).body(1) == mixed.body(1) else { throw NotPortable("mixed values") }
        let nested = FunctionBox { (input: Int) in inner(input) + list.count }
        guard try copy(nested, expecting: nil).body(4) == 42 else { throw NotPortable("a function") }
        let lone = FunctionBox { (input: Int) in list[input] }
        guard try copy(lone, expecting: nil).body(2) == 3 else { throw NotPortable("one array") }
        try compare(Record(byte: 7, text: opaque("a text"), choice: opaque(.number(3))))
        for choice in [Choice.number(5), .text(opaque("text")), .none, .other] { try compare(choice) }
        for mark in [Mark.low, .high] { try compare(mark) }
        for marked in [Marked.mark(.high), .none, .other] { try compare(marked) }
        _ = try copy(AsyncFunctionBox { (input: Int) async in "\(input)\(text)\(byte)" }, expecting: nil)
    }

    private struct Record: Equatable {
        let byte: UInt8
        let text: String
        let choice: Choice?
    }

    private enum Choice: Equatable {
        case number(Int)
        case text(String)
        case none, other
    }

    private enum Mark { case low, high }

    private enum Marked: Equatable {
        case mark(Mark)
        case none, other
    }

    /// Compares a value with a copy that was made as if its type had no metadata.
    private static func compare<Value: Equatable>(_ value: Value) throws {
        let shape: any ValueShape
        do {
            shape = try NamedTypeShapes().shape(withoutMetadata: Value.self)
        } catch {
            throw NotPortable(error.reason)
        }
        let witness = ValueWitness(Value.self)
        guard shape.size == witness.size, shape.alignment == witness.alignment, shape.spareCount == witness.spareCount
        else { throw NotPortable("the layout of \(shape.name)") }
        var message = Outgoing(ByteBuffer(capacity: 64))
        try withUnsafePointer(to: value) { try shape.encode(at: $0, into: &message) }
        let copy = UnsafeMutablePointer<Value>.allocate(capacity: 1)
        defer { copy.deallocate() }
        try message.bytes.withUnsafeBytes { bytes in
            var incoming = Incoming(bytes, from: Sender())
            try shape.decode(to: copy, from: &incoming)
        }
        guard copy.move() == value else { throw NotPortable("a value of \(shape.name)") }
    }

    /// Copies a closure by way of its parts and their bytes.
    private static func copy<Box: FunctionBoxing>(_ box: Box, expecting numbers: [Int]?) throws -> Box {
        let closure = try CapturedClosure(unproved: FunctionWords(of: box))
        var message = Outgoing(ByteBuffer(capacity: 64))
        var found: [Int?] = []
        try closure.forEachCapture { shape, place in
            if numbers != nil { found.append(shape.name == "Swift.Int" ? place.load(as: Int.self) : nil) }
            try shape.encode(at: place, into: &message)
        }
        if let numbers, found != numbers { throw NotPortable("a capture is not where it should be") }
        return try message.bytes.withUnsafeBytes { bytes in
            var incoming = Incoming(bytes, from: Sender())
            let words = try closure.reference.rebuildUnproved { shape, place in
                try shape.decode(to: place, from: &incoming)
            }
            return words.box()
        }
    }

    /// Keeps the optimizer from turning captures into constants.
    @inline(never)
    @_optimize(none)
    private static func opaque<Value>(_ value: Value) -> Value { value }
}

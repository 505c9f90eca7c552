import Multiprocessing
import MultiprocessingCoding
import TestSupport
import Testing

@Suite(.admitted)
struct NumbersCodecTests {
    private static func bytes<Number: FixedBits>(of numbers: [Number]) throws -> [UInt8] {
        var message = Outgoing()
        try Codec<[Number]>.resolve().encode(numbers, into: &message)
        return message.bytes.withUnsafeBytes { Array($0) }
    }

    private static func decode<Number: FixedBits>(_ type: Number.Type, _ bytes: [UInt8]) throws -> [Number] {
        try bytes.withUnsafeBytes { bytes in
            var incoming = Incoming(bytes, from: Sender())
            return try Codec<[Number]>.resolve().decode(from: &incoming)
        }
    }

    private static func expectSame<Number: FixedBits & Equatable>(_ numbers: [Number]) throws {
        #expect(try decode(Number.self, bytes(of: numbers)) == numbers)
        // Behind something that moves it off its alignment.
        let codec = try Codec<(UInt8, [Number], UInt8)>.resolve()
        var message = Outgoing()
        try codec.encode((1, numbers, 2), into: &message)
        let back = try message.bytes.withUnsafeBytes { bytes in
            var incoming = Incoming(bytes, from: Sender())
            return try codec.decode(from: &incoming)
        }
        #expect(back == (1, numbers, 2))
    }

    @Test(arguments: [0, 1, 2, 1_000])
    func `Every array of numbers comes back as it was`(count: Int) throws {
        try Self.expectSame((0..<count).map { Int8(truncatingIfNeeded: $0) })
        try Self.expectSame((0..<count).map { UInt8(truncatingIfNeeded: $0) })
        try Self.expectSame((0..<count).map { Int16(-$0) })
        try Self.expectSame((0..<count).map { UInt16($0) })
        try Self.expectSame((0..<count).map { Int32(-$0) })
        try Self.expectSame((0..<count).map { UInt32.max - UInt32($0) })
        try Self.expectSame((0..<count).map { Int64.min + Int64($0) })
        try Self.expectSame((0..<count).map { UInt64.max - UInt64($0) })
        try Self.expectSame((0..<count).map { -$0 })
        try Self.expectSame((0..<count).map { UInt($0) })
        try Self.expectSame((0..<count).map { Int128.min + Int128($0) })
        try Self.expectSame((0..<count).map { UInt128.max - UInt128($0) })
        try Self.expectSame((0..<count).map { Float($0) / 3 })
        try Self.expectSame((0..<count).map { -Double($0) / 3 })
    }

    @Test(arguments: [4, UInt64.max, UInt64(Int.max), UInt64(Int.max) / 8, 1 << 61, 1 << 63, 1 << 40])
    func `A count of more numbers than there are is an error`(count: UInt64) throws {
        var bytes = try Self.bytes(of: [1, 2, 3])
        withUnsafeBytes(of: count) { bytes.replaceSubrange(0..<8, with: $0) }
        #expect(throws: CodingFailure.self) { try Self.decode(Int.self, bytes) }
    }

    @Test func `Bytes that end too early are an error`() throws {
        let bytes = try Self.bytes(of: [1.5, 2.5, 3.5])
        for count in bytes.indices {
            #expect(throws: CodingFailure.self) { try Self.decode(Double.self, Array(bytes[..<count])) }
        }
    }

    @Test func `Damaged bytes are numbers or an error, never a trap`() throws {
        let seed = UInt64.random(in: 0 ... .max)
        var random = RandomSource(seed: seed)
        let bytes = try Self.bytes(of: (0..<20).map { UInt16($0) })
        for _ in 0..<2_000 {
            var damaged = bytes
            for _ in 0..<3 {
                damaged[Int.random(in: damaged.indices, using: &random)] = UInt8.random(in: 0...255, using: &random)
            }
            let numbers = try? Self.decode(UInt16.self, damaged)
            #expect((numbers?.count ?? 0) <= 20, "seed \(seed)")
        }
    }

    // MARK: Large arrays

    @Test func `Only a large array travels in its own memory`() throws {
        let codec = try Codec<[UInt16]>.resolve()
        let count = Frame.largeSize / 2
        #expect(codec.largeMemory(of: []) == nil)
        #expect(codec.largeMemory(of: Array(repeating: 1, count: count)) == nil)
        let numbers = (0...count).map { UInt16(truncatingIfNeeded: $0) }
        let memory = try #require(codec.largeMemory(of: numbers))

        let landing = try codec.landing(size: UInt64(memory.bytes.count))
        var rest = memory.bytes
        landing.take(&rest)
        #expect(try codec.value(in: landing) == numbers)
    }

    @Test func `Memory of no such array, or of another, is an error`() throws {
        let codec = try Codec<[UInt16]>.resolve()
        for size in [0, 3, .max, 1 << 62] as [UInt64] {
            #expect(throws: (any Error).self) { try codec.landing(size: size) }
        }
        let other = try Codec<[Int16]>.resolve().landing(size: 2)
        other.advance(by: 2)
        #expect(throws: (any Error).self) { try codec.value(in: other) }
    }

    @Test func `No other value travels so`() throws {
        let text = try Codec<String>.resolve()
        #expect(text.largeMemory(of: String(repeating: "a", count: 1 << 20)) == nil)
        #expect(throws: (any Error).self) { try text.landing(size: 1 << 20) }
        #expect(throws: (any Error).self) { try text.value(in: ArrivingArray(size: 8, of: UInt8.self)) }
        #expect(try Codec<[Bool]>.resolve().largeMemory(of: Array(repeating: true, count: 1 << 20)) == nil)
        #expect(try Codec<Int>.resolve().largeMemory(of: 1) == nil)
        #expect(throws: (any Error).self) { try Codec<Int>.resolve().landing(size: 8) }
    }
}

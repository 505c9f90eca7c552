import MultiprocessingCoding
import Testing

@Suite("Damage")
struct DamageTests {
    /// Decodes bytes that may be anything; whatever is thrown is fine, a trap is not.
    private func survive(_ bytes: [UInt8]) {
        func attempt<T: Codable>(_ type: T.Type) {
            guard let value = try? decoded(type, bytes) else { return }
            // What was decoded is a whole value, so it can be used.
            _ = try? encoded(value)
        }
        attempt(Sample.self)
        attempt([Sample].self)
    }

    @Test func randomDamageNeverTraps() throws {
        var generator = SplitMix64(seed: SplitMix64.runSeed("randomDamageNeverTraps"))
        let corpus = try (0..<24).map { _ in try encoded(Sample.random(using: &generator, depth: 1)) }
        for round in 0..<25_000 {
            var bytes = corpus[round % corpus.count]
            for _ in 0...Int.random(in: 0...2, using: &generator) {
                let place = bytes.isEmpty ? 0 : Int.random(in: 0..<bytes.count, using: &generator)
                switch Int.random(in: 0..<6, using: &generator) {
                case 0 where !bytes.isEmpty: bytes[place] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
                case 1 where !bytes.isEmpty: bytes[place] = .random(in: .min ... .max, using: &generator)
                case 2: bytes.removeSubrange(place...)
                case 3: bytes.removeSubrange(place..<min(bytes.count, place + 3))
                case 4: bytes.insert(.random(in: .min ... .max, using: &generator), at: place)
                default: bytes.insert(contentsOf: Array(repeating: 0xFF, count: 9), at: place)
                }
            }
            survive(bytes)
        }
    }

    @Test func noiseNeverTraps() {
        var generator = SplitMix64(seed: SplitMix64.runSeed("noiseNeverTraps"))
        for _ in 0..<5000 {
            let count = Int.random(in: 0..<60, using: &generator)
            survive((0..<count).map { _ in .random(in: .min ... .max, using: &generator) })
            // Tags alone, which is where the structure is.
            survive((0..<count).map { _ in .random(in: 0xC0...0xCF, using: &generator) })
        }
    }

    @Test func everyCutAndEveryByte() throws {
        var generator = SplitMix64(seed: 1)
        let bytes = try encoded(Sample.random(using: &generator, depth: 2))
        for count in 0..<min(bytes.count, 400) {
            #expect(throws: (any Error).self) { try decoded(Sample.self, Array(bytes[..<count])) }
        }
        for place in 0..<min(bytes.count, 100) {
            for byte in stride(from: UInt8.min, to: .max, by: 3) {
                var damaged = bytes
                damaged[place] = byte
                survive(damaged)
            }
        }
    }

    @Test func pathologicalNesting() {
        struct Nested: Decodable {
            init(from decoder: any Decoder) throws {
                var list = try decoder.unkeyedContainer()
                while !list.isAtEnd { _ = try list.decode(Nested.self) }
            }
        }
        // Lists in lists, each of which claims to reach to the end.
        for depth in [100, 511, 513, 5000, 100_000] {
            var bytes: [UInt8] = []
            for level in 0..<depth {
                bytes.append(0xCD)
                withUnsafeBytes(of: UInt32(9 * (depth - level) - 5).littleEndian) { bytes.append(contentsOf: $0) }
            }
            for _ in 0..<depth { bytes.append(contentsOf: [1, 0, 0, 0]) }
            #expect(throws: DecodingError.self) { try decoded(Nested.self, bytes) }
        }
        // Optionals in optionals.
        let marks = Array(repeating: 0xC3 as UInt8, count: 1_000_000) + [0xC2]
        #expect(throws: DecodingError.self) { try decoded(Int.self, marks) }
        _ = try? decoded(Int????.self, marks)
        #expect(throws: DecodingError.self) { try decoded(Int.self, Array(marks.dropLast())) }
        // Names of classes, by themselves and with optionals between them.
        for mark in [[0xCF, 1, 0], [0xC3, 0xCF, 1, 0]] as [[UInt8]] {
            let names = Array(repeatElement(mark, count: 500_000).joined()) + [7]
            #expect(throws: DecodingError.self) { try decoded(Int.self, names) }
            #expect(throws: DecodingError.self) { try decoded(Nested.self, names) }
        }
    }

    @Test func lengthsNearTheLimits() {
        let largest: [UInt8] = Array(repeating: 0xFF, count: 8)
        let varints: [[UInt8]] = [
            Array(repeating: 0xFF, count: 9) + [0x01], Array(repeating: 0xFF, count: 8) + [0x7F],
            Array(repeating: 0xFF, count: 9) + [0x7F], [0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x10],
        ]
        for varint in varints {
            refuse(String.self, [0xC6] + varint + [0x61])
            for code in [0xD0, 0xD3, 0xD4, 0xDB, 0xE3, 0xC0, 0xFF] as [UInt8] {
                refuse([UInt8].self, [0xC7, code] + varint + [1, 2])
                refuse([Int].self, [0xC7, code] + varint + [1, 2])
                refuse([UInt128].self, [0xC7, code] + varint + [1, 2])
                refuse([Int].self, [0xCC, 12, 0xCB, code] + varint + [1])
            }
            // Keys.
            refuse([String: Int].self, [0xC8, UInt8(varint.count + 1)] + varint + [1])
            refuse([Int: Int].self, [0xC8, UInt8(varint.count + 2), 3] + varint)
        }
        for size in [largest, [0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F], [8, 0, 0, 0, 0, 0, 0, 0x80]] {
            refuse([String: Int].self, [0xCA] + size + [0])
            refuse([Int].self, [0xCE] + size + [0])
        }
        refuse([Int].self, [0xCD, 0xFF, 0xFF, 0xFF, 0xFF])
        // A count of elements beyond the bytes that are there.
        refuse([Int].self, [0xCC, 2, 1, 0xFF])
        refuse([String].self, [0xCE, 9, 0, 0, 0, 0, 0, 0, 0, 1] + largest)
        refuse(Set<String>.self, [0xCD, 5, 0, 0, 0, 1, 0xFF, 0xFF, 0xFF, 0x7F])
        // Too short for the count at its end.
        refuse([Int].self, [0xCC, 0])
        refuse([Int].self, [0xCD, 3, 0, 0, 0, 0, 0, 0])
    }

    private func refuse<T: Decodable>(_ type: T.Type, _ bytes: [UInt8], _ location: SourceLocation = #_sourceLocation) {
        #expect(throws: DecodingError.self, sourceLocation: location) { try decoded(type, bytes) }
    }

    @Test func damageNamesTheOffset() throws {
        do {
            _ = try decoded([String].self, [0xCC, 4, 0x81, 0x61, 0xC9, 1])
            Issue.record("nothing was thrown")
        } catch DecodingError.typeMismatch(_, let context) {
            #expect(context.codingPath.map(\.intValue) == [1])
        } catch DecodingError.dataCorrupted(let context) {
            #expect(context.codingPath.map(\.intValue) == [1])
            let failure = try #require(context.underlyingError as? CodingFailure)
            #expect(failure.offset == 5)
        }
    }
}

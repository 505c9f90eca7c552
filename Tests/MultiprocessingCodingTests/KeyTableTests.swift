import Dispatch
import MultiprocessingCoding
import Testing

@Suite("Tables of keys")
struct KeyTableTests {
    struct Fields: Codable, Equatable {
        var alpha = 1
        var beta = "2"
        var gamma = [3.0]
    }

    private struct SecondKey: Decodable { var keyTableTestsSecond: Int }

    private func entries(from first: Int) -> (bytes: [UInt8], next: Int) {
        let buffer = ByteBuffer()
        let next = KeyTable.shared.encodeEntries(from: first, into: buffer)
        return (buffer.withUnsafeBytes { Array($0) }, next)
    }

    private func append(_ bytes: [UInt8], to keys: ReceivedKeys) throws {
        try bytes.withUnsafeBytes { bytes in
            var reader = ByteReader(bytes)
            try keys.append(from: &reader)
        }
    }

    @Test func keysAreSentOnce() throws {
        enum Fresh: String, CodingKey { case keyTableTestsFirst, keyTableTestsSecond }
        func write(_ key: Fresh) throws -> [UInt8] {
            try encoded(
                Custom { encoder in
                    var container = encoder.container(keyedBy: Fresh.self)
                    try container.encode(1, forKey: key)
                })
        }
        let keys = ReceivedKeys()
        let first = try write(.keyTableTestsFirst)
        let (delta, next) = entries(from: 0)
        try append(delta, to: keys)
        #expect(keys.count == next)
        let decoder = BinaryDecoder(keys: keys)
        #expect(
            try first.withUnsafeBytes { try decoder.decode([String: Int].self, from: $0) } == ["keyTableTestsFirst": 1])

        // Without the second key the bytes are damaged as far as the receiver can tell, also
        // for a type whose only field has that key.
        let second = try write(.keyTableTestsSecond)
        #expect(throws: DecodingError.self) {
            try second.withUnsafeBytes { try decoder.decode([String: Int].self, from: $0) }["keyTableTestsSecond"]
        }
        #expect(throws: DecodingError.self) {
            try second.withUnsafeBytes { try decoder.decode(SecondKey.self, from: $0) }
        }
        try append(entries(from: next).bytes, to: keys)
        #expect(
            try second.withUnsafeBytes { try decoder.decode([String: Int].self, from: $0) }
                == ["keyTableTestsSecond": 1])
    }

    @Test func theOtherSidesIndicesNeedNotBeOurs() throws {
        let bytes = try reindexed(Fields(), by: 1)
        // The other side has the same keys, each one place further on.
        let (table, _) = entries(from: 0)
        let shifted = ByteBuffer()
        try table.withUnsafeBytes { table in
            var reader = ByteReader(table)
            let first = try reader.readVarint()
            let count = try reader.readVarint()
            shifted.append(varint: first)
            shifted.append(varint: count + 1)
            shifted.append(varint: 3 << 1)
            "new".withUTF8Bytes { shifted.append(contentsOf: $0) }
            shifted.append(contentsOf: try reader.readBytes(reader.remaining))
        }
        let keys = ReceivedKeys()
        try append(shifted.withUnsafeBytes { Array($0) }, to: keys)
        let copy = try bytes.withUnsafeBytes { try BinaryDecoder(keys: keys).decode(Fields.self, from: $0) }
        #expect(copy == Fields())
    }

    /// The bytes of a keyed container with the index of each key moved on.
    private func reindexed(_ value: Fields, by step: UInt64) throws -> [UInt8] {
        let bytes = try encoded(value)
        let buffer = ByteBuffer()
        try bytes.withUnsafeBytes { bytes in
            var reader = ByteReader(bytes)
            buffer.append(try reader.read(UInt8.self))
            _ = try reader.read(UInt8.self)
            buffer.append(UInt8(0))
            let values = [[1], [0x81, 0x32], try encoded([3.0])] as [[UInt8]]
            for value in values {
                buffer.append(varint: try reader.readVarint() + step << 1)
                value.withUnsafeBytes { buffer.append(contentsOf: $0) }
                #expect(try Array(reader.readBytes(value.count)) == value)
            }
            buffer.overwrite(at: 1, with: UInt8(buffer.count - 2))
        }
        return buffer.withUnsafeBytes { Array($0) }
    }

    @Test func tablesOutOfOrderOrDamagedAreRefused() throws {
        _ = try encoded(Fields())
        let (table, next) = entries(from: 0)
        #expect(throws: CodingFailure.self) { try append(entries(from: next - 1).bytes, to: ReceivedKeys()) }
        let keys = ReceivedKeys()
        try append(table, to: keys)
        #expect(throws: CodingFailure.self) { try append(table, to: keys) }
        #expect(keys.count == next)
        for count in 0..<min(table.count, 200) {
            #expect(throws: CodingFailure.self) { try append(Array(table[..<count]), to: ReceivedKeys()) }
        }
        // Two entries of the same text.
        #expect(throws: CodingFailure(.duplicateKey, offset: 4)) {
            try append([0, 2, 2, 0x61, 2, 0x61], to: ReceivedKeys())
        }
        // An impossible number of entries, and an impossible length.
        #expect(throws: CodingFailure.self) {
            try append([0, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F], to: ReceivedKeys())
        }
        #expect(throws: CodingFailure.self) {
            try append([0, 1, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x01], to: ReceivedKeys())
        }
        var generator = SplitMix64(seed: SplitMix64.runSeed("tablesOutOfOrderOrDamagedAreRefused"))
        for _ in 0..<2000 {
            var damaged = table
            damaged[Int.random(in: 0..<damaged.count, using: &generator)] ^=
                1 << UInt8.random(in: 0..<8, using: &generator)
            let keys = ReceivedKeys()
            try? append(damaged, to: keys)
            let bytes = try encoded(Fields())
            _ = try? bytes.withUnsafeBytes { try BinaryDecoder(keys: keys).decode(Fields.self, from: $0) }
        }
    }

    @Test func dynamicKeysAreNotKept() throws {
        _ = try encoded(["warm": 1])
        _ = try decoded([String: Int].self, encoded(["warm": 1]))
        let value = Dictionary(uniqueKeysWithValues: (0..<100).map { ("KeyTableTests \($0)", $0) })
        try expectRoundTrip(value)
        let table = entries(from: 0).bytes
        let needle = Array("KeyTableTests ".utf8)
        let isThere = table.indices.contains { table[$0...].starts(with: needle) }
        #expect(!isThere)
    }

    @Test func manyThreadsAtOnce() throws {
        struct Many: Codable, Equatable {
            var a = 1, b = 2, c = 3, d = 4, e = 5, f = 6
            var fields = Fields()
        }
        DispatchQueue.concurrentPerform(iterations: 8) { thread in
            for round in 0..<200 {
                let value = Many(a: thread, b: round)
                #expect(throws: Never.self) {
                    let bytes = try encoded(value)
                    #expect(try decoded(Many.self, bytes) == value)
                    if round % 20 == 0 { #expect(try decodedWithSentKeys(Many.self, bytes) == value) }
                }
            }
        }
    }
}

extension String {
    fileprivate func withUTF8Bytes(_ body: (UnsafeRawBufferPointer) -> Void) {
        Array(utf8).withUnsafeBytes(body)
    }
}

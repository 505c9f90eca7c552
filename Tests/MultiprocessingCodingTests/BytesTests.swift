import MultiprocessingCoding
import Testing

@Suite("Bytes")
struct BytesTests {
    @Test func appendedBytesAreReadBack() throws {
        let buffer = ByteBuffer(capacity: 0)
        for value in [0, 1, 127, 128, 300, 1 << 63, .max] as [UInt64] { buffer.append(varint: value) }
        buffer.append(UInt32(0xDEAD_BEEF))
        buffer.append(-1.5)
        [1, 2, 3].withUnsafeBytes { buffer.append(contentsOf: $0) }
        buffer.append(contentsOf: UnsafeRawBufferPointer(start: nil, count: 0))
        let gap = buffer.count
        buffer.append(uninitialized: 2).storeBytes(of: 0, as: UInt16.self)
        buffer.overwrite(at: gap, with: UInt16(0xABCD))
        try buffer.withUnsafeBytes { (bytes) throws in
            var reader = ByteReader(bytes)
            for value in [0, 1, 127, 128, 300, 1 << 63, .max] as [UInt64] { #expect(try reader.readVarint() == value) }
            #expect(try reader.read() as UInt32 == 0xDEAD_BEEF)
            #expect(try reader.read(Double.self) == -1.5)
            #expect(try reader.readBytes(24).elementsEqual([1, 2, 3].withUnsafeBytes(Array.init)))
            #expect(reader.remaining == 2)
            #expect(try reader.read(UInt16.self) == 0xABCD)
            #expect(reader.isAtEnd)
            #expect(throws: CodingFailure(.truncated, offset: reader.offset)) { try reader.read(UInt8.self) }
            #expect(throws: CodingFailure(.truncated, offset: reader.offset)) { try reader.readVarint() }
            #expect(throws: CodingFailure(.truncated, offset: reader.offset)) { try reader.readBytes(1) }
        }
    }

    @Test func buffersGrowAndShrink() {
        let buffer = ByteBuffer(capacity: 1)
        for value in 0..<100_000 { buffer.append(Int64(value)) }
        #expect(buffer.count == 800_000)
        #expect(buffer[8] == 1)
        buffer.truncate(to: 16)
        #expect(buffer.withUnsafeBytes { $0.count } == 16)
        #expect(buffer[8] == 1)
        buffer.removeAll(keepingCapacity: true)
        #expect(buffer.count == 0)
        buffer.append(UInt8(7))
        #expect(buffer[0] == 7)
        buffer.removeAll()
        #expect(buffer.count == 0)
        buffer.append(UInt8(8))
        #expect(buffer[0] == 8)
    }

    @Test func impossibleLengthsAreRefused() {
        for (bytes, reason) in [
            ([0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x01], CodingFailure.Reason.impossibleLength),
            ([0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x02], .oversizedInteger),
            ([0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x81], .oversizedInteger),
            ([0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F], .impossibleLength),
            ([0x02, 0x00], .impossibleLength),
            ([0x80], .truncated),
            ([], .truncated),
        ] as [([UInt8], CodingFailure.Reason)] {
            bytes.withUnsafeBytes { bytes in
                var reader = ByteReader(bytes)
                #expect(throws: CodingFailure(reason, offset: 0)) { try reader.readCount() }
                #expect(reader.offset <= bytes.count)
            }
        }
        [0x02, 0, 0, 0].withUnsafeBytes { (bytes: UnsafeRawBufferPointer) in
            var reader = ByteReader(UnsafeRawBufferPointer(rebasing: bytes[..<4]))
            #expect(throws: CodingFailure.self) { try reader.readCount(unit: 2) }
        }
    }

    @Test func textIsChecked() throws {
        try [0x61, 0xC3, 0xA9, 0xFF].map(UInt8.init).withUnsafeBytes { (bytes) throws in
            var reader = ByteReader(bytes)
            #expect(try reader.readText(3) == "aé")
            #expect(throws: CodingFailure(.invalidText, offset: 3)) { try reader.readText(1) }
        }
    }

    @Test func valuesFollowEachOtherInOneBuffer() throws {
        let buffer = ByteBuffer()
        buffer.append(UInt8(0xEE))
        try BinaryEncoder().encode(["a": 1], into: buffer)
        try BinaryEncoder().encode("text", into: buffer)
        try buffer.withUnsafeBytes { (bytes) throws in
            var reader = ByteReader(bytes)
            _ = try reader.read(UInt8.self)
            #expect(try BinaryDecoder().decode([String: Int].self, from: &reader) == ["a": 1])
            let offset = reader.offset
            #expect(throws: DecodingError.self) { try BinaryDecoder().decode(Int.self, from: &reader) }
            #expect(reader.offset == offset)
            #expect(try BinaryDecoder().decode(String.self, from: &reader) == "text")
            #expect(reader.isAtEnd)
        }
    }

    @Test func bytesLeftOverAreAnError() throws {
        let bytes = try encoded(5) + [0]
        #expect {
            try decoded(Int.self, bytes)
        } throws: { error in
            guard case DecodingError.dataCorrupted(let context) = error else { return false }
            return context.underlyingError as? CodingFailure == CodingFailure(.trailingBytes, offset: 1)
        }
        #expect(throws: DecodingError.self) { try decoded(Int.self, []) }
    }
}

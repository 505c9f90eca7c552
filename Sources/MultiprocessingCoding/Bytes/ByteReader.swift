/// A cursor over bytes that came from the other side; it never reads past their end.
///
/// The memory belongs to the caller and outlives the reader.
package struct ByteReader {
    private let bytes: UnsafeRawBufferPointer

    /// The distance of the cursor from the first byte.
    package private(set) var offset = 0

    package init(_ bytes: UnsafeRawBufferPointer) {
        self.bytes = bytes
    }

    /// The number of bytes that have not been read.
    package var remaining: Int { bytes.count - offset }

    /// Whether every byte has been read.
    package var isAtEnd: Bool { offset == bytes.count }

    /// All bytes, also those that have been read.
    var all: UnsafeRawBufferPointer { bytes }

    /// Reads a fixed-width integer or floating-point number in native byte order.
    ///
    /// Only for types of which every bit pattern is a value.
    package mutating func read<T: BitwiseCopyable>(_ type: T.Type = T.self) throws(CodingFailure) -> T {
        let size = MemoryLayout<T>.size
        guard remaining >= size else { throw CodingFailure(.truncated, offset: offset) }
        defer { offset += size }
        return bytes.loadUnaligned(fromByteOffset: offset, as: T.self)
    }

    /// Reads what `ByteBuffer.append(varint:)` wrote.
    package mutating func readVarint() throws(CodingFailure) -> UInt64 {
        var value: UInt64 = 0
        var shift: UInt64 = 0
        var position = offset
        while position < bytes.count {
            let byte = bytes[position]
            position += 1
            if shift == 63, byte > 1 { throw CodingFailure(.oversizedInteger, offset: offset) }
            value |= UInt64(byte & 0x7F) &<< shift
            if byte < 0x80 {
                offset = position
                return value
            }
            shift += 7
        }
        throw CodingFailure(.truncated, offset: offset)
    }

    /// Reads a length or count of things that take at least `unit` bytes each in what follows.
    package mutating func readCount(unit: Int = 1) throws(CodingFailure) -> Int {
        let start = offset
        let value = try readVarint()
        guard value <= UInt64(remaining / max(unit, 1)) else { throw CodingFailure(.impossibleLength, offset: start) }
        return Int(value)
    }

    /// Reads `count` bytes in place; they are good as long as the memory under the reader is.
    package mutating func readBytes(_ count: Int) throws(CodingFailure) -> UnsafeRawBufferPointer {
        guard count >= 0, remaining >= count else { throw CodingFailure(.truncated, offset: offset) }
        defer { offset += count }
        return UnsafeRawBufferPointer(rebasing: bytes[offset..<offset + count])
    }

    /// Reads `count` bytes of text, which must be UTF-8.
    package mutating func readText(_ count: Int) throws(CodingFailure) -> String {
        let start = offset
        guard let text = String(validating: try readBytes(count), as: UTF8.self) else {
            throw CodingFailure(.invalidText, offset: start)
        }
        return text
    }

    /// Moves the cursor to an offset that lies within the bytes.
    mutating func move(to newOffset: Int) {
        precondition(newOffset >= 0 && newOffset <= bytes.count, "the cursor stays within the bytes")
        offset = newOffset
    }
}

/// Reads the bytes of references from the front, and throws where they end too early.
package struct ReferenceReader {
    private let bytes: [UInt8]
    private var position = 0

    package init(_ bytes: [UInt8]) {
        self.bytes = bytes
    }

    /// Reads what ``Swift/Array/seal()`` closed.
    ///
    /// A reference leads to memory that the runtime then believes to be a type or a function, and
    /// there is no telling what it makes of a wrong one. So no address is followed before the
    /// checksum has shown that every byte is as it was written.
    package init(sealed bytes: [UInt8]) throws(NotPortable) {
        let count = bytes.count - MemoryLayout<UInt64>.size
        guard count >= 0 else { throw .damaged("it ends too early") }
        let checksum = UInt64(littleEndianBytes: bytes[count...])
        self.bytes = Array(bytes[..<count])
        guard checksum == self.bytes.checksum else { throw .damaged("its checksum is wrong") }
    }

    /// Whether every byte has been read.
    package var isAtEnd: Bool { position == bytes.count }

    package mutating func readByte() throws(NotPortable) -> UInt8 {
        guard position < bytes.count else { throw .damaged("it ends too early") }
        defer { position += 1 }
        return bytes[position]
    }

    /// Reads an unsigned number of seven bits a byte, lowest bits first.
    package mutating func readNumber() throws(NotPortable) -> UInt {
        var value: UInt = 0
        for shift in stride(from: UInt(0), to: 64, by: 7) {
            let byte = try readByte()
            let bits = UInt(byte & 0x7F)
            guard (bits << shift) >> shift == bits else { break }
            value |= bits << shift
            if byte < 0x80 { return value }
        }
        throw .damaged("a number has more than 64 bits")
    }

    /// Reads how many elements follow, each of which takes at least one byte.
    package mutating func readCount() throws(NotPortable) -> Int {
        let count = try readNumber()
        guard count <= UInt(bytes.count - position) else { throw .damaged("a count exceeds the bytes that follow") }
        return Int(count)
    }

    package mutating func readString() throws(NotPortable) -> String {
        let count = try readCount()
        let text = bytes[position..<position + count]
        guard let string = String(validating: text, as: UTF8.self) else { throw .damaged("a name is not UTF-8") }
        position += count
        return string
    }
}

extension [UInt8] {
    /// Appends the checksum that ``ReferenceReader/init(sealed:)`` asks for.
    package mutating func seal() {
        let checksum = checksum
        for shift in stride(from: UInt64(0), to: 64, by: 8) { append(UInt8(truncatingIfNeeded: checksum >> shift)) }
    }

    /// The 64-bit FNV-1a hash (Fowler, Noll, Vo), each step of which is reversible: one changed
    /// byte always changes it.
    fileprivate var checksum: UInt64 {
        reduce(0xCBF2_9CE4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
    }

    /// Appends `number` as ``ReferenceReader/readNumber()`` reads it.
    package mutating func append(number: UInt) {
        var rest = number
        while rest >= 0x80 {
            append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        append(UInt8(rest))
    }

    /// Appends the length of `string` and its UTF-8 bytes.
    package mutating func append(string: String) {
        append(number: UInt(string.utf8.count))
        append(contentsOf: string.utf8)
    }
}

extension UInt64 {
    fileprivate init(littleEndianBytes bytes: ArraySlice<UInt8>) {
        self = bytes.reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }
}

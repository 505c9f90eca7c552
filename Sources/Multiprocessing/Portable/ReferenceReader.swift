/// Reads the bytes of references from the front, and throws where they end too early.
package struct ReferenceReader {
    private let bytes: [UInt8]
    private var position = 0

    package init(_ bytes: [UInt8]) {
        self.bytes = bytes
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
    /// Appends `number` as ``ReferenceReader/readNumber()`` reads it.
    mutating func append(number: UInt) {
        var rest = number
        while rest >= 0x80 {
            append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        append(UInt8(rest))
    }

    /// Appends the length of `string` and its UTF-8 bytes.
    mutating func append(string: String) {
        append(number: UInt(string.utf8.count))
        append(contentsOf: string.utf8)
    }
}

/// What was wrong with bytes that came from the other side, and where.
package struct CodingFailure: Error, Equatable {
    /// The kind of damage.
    package enum Reason: Equatable, Sendable {
        /// The bytes end before the value does.
        case truncated
        /// A variable-length integer has more than 64 bits.
        case oversizedInteger
        /// A length or count is larger than the bytes that follow could hold.
        case impossibleLength
        /// A tag, key or element code has no meaning.
        case unknownTag(UInt8)
        /// A key index is not in the table of keys.
        case unknownKey
        /// Text is not UTF-8.
        case invalidText
        /// A table of keys holds the same key twice.
        case duplicateKey
        /// Bytes are left over behind the value.
        case trailingBytes
        /// A decoder was used after the call that lent it its bytes had returned.
        case bytesGone
    }

    package let reason: Reason

    /// The distance from the first byte that the reader was given.
    package let offset: Int

    package init(_ reason: Reason, offset: Int) {
        self.reason = reason
        self.offset = offset
    }
}

extension CodingFailure: CustomStringConvertible {
    package var description: String {
        let what =
            switch reason {
            case .truncated: "the bytes end inside a value"
            case .oversizedInteger: "a variable-length integer has more than 64 bits"
            case .impossibleLength: "a length is larger than the bytes that follow"
            case .unknownTag(let tag): "the tag \(tag) has no meaning"
            case .unknownKey: "a key is not in the table of keys"
            case .invalidText: "text is not UTF-8"
            case .duplicateKey: "a key is listed twice"
            case .trailingBytes: "bytes are left over behind the value"
            case .bytesGone: "the decoder was used after its bytes were gone"
            }
        return "\(what) (offset \(offset))"
    }
}

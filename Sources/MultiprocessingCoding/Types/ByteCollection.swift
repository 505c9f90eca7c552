/// A collection of bytes that codes itself as a list of bytes, one call for each when it is read.
///
/// That is Foundation's `Data`, which is written and read as one piece here without
/// importing Foundation. The bytes are the same list: what is read as `Data` need not have
/// been written as such.
typealias ByteCollection = Codable & RangeReplaceableCollection<UInt8>

/// The type as a collection of bytes if it is Foundation's `Data`, else nil.
func foundationData(_ type: Any.Type) -> (any ByteCollection.Type)? {
    let name = _typeName(type)
    guard name == "Foundation.Data" || name == "FoundationEssentials.Data" else { return nil }
    return type as? any ByteCollection.Type
}

extension ValueEncoder {
    /// Appends the bytes as one piece.
    func write(bytes: some ByteCollection) throws {
        let isDone: Void? = bytes.withContiguousStorageIfAvailable { buffer.append(Tag.numbers, numbers: $0) }
        if isDone == nil { try writeByEncode(bytes) }
    }
}

extension ValueDecoder {
    /// Reads bytes as one piece if they are that.
    func read<Bytes: ByteCollection>(bytes type: Bytes.Type, _ head: Head, _ step: PathStep) throws -> Bytes {
        guard head.tag == Tag.numbers, let (tag, start, count) = bytes.numbers(head), tag == Tag.unsigned8 else {
            return try readByInit(type, head, step)
        }
        return Bytes(UnsafeRawBufferPointer(start: start, count: count))
    }
}

/// What the first bytes of a value tell.
struct Head {
    var tag: UInt8
    /// How far before the payload the name of an object's class begins; zero if there is none.
    var name: UInt32 = 0
    /// The offset of what is behind the tag and, for text and containers, the size.
    var payload: Int
    /// The offset of what is behind the value.
    var end: Int

    /// Whether the value is text.
    @inline(__always)
    var isText: Bool { tag & 0xC0 == Tag.shortText || tag == Tag.text }
}

/// The key of an entry in a keyed container.
struct EntryKey {
    enum Name {
        case index(UInt64)
        case text(start: Int, count: Int)
        case integer(Int)

        /// Whether the key is in the table that travels ahead.
        var isIndex: Bool {
            if case .index = self { true } else { false }
        }
    }

    let name: Name
    /// The offset of the value.
    let end: Int
}

/// Bytes from the other side, read at any offset but never past their end.
///
/// The memory belongs to the caller of the decoder and is there until that call returns.
struct BorrowedBytes {
    let base: UnsafeRawPointer
    let count: Int

    init(_ bytes: UnsafeRawBufferPointer) {
        // An empty buffer may have no address; with a count of zero none is read.
        base = bytes.baseAddress ?? UnsafeRawPointer(bitPattern: 1).unsafelyUnwrapped
        count = bytes.count
    }

    // MARK: Structure

    /// Reads the head of the value at an offset; the value ends at `limit` or before.
    @inline(__always)
    func head(at offset: Int, limit: Int) throws(CodingFailure) -> Head {
        guard offset < limit, limit <= count else { throw failure(.truncated, offset, limit) }
        let tag = base.load(fromByteOffset: offset, as: UInt8.self)
        let payload = offset &+ 1
        let size: Int
        if tag < Tag.shortText || tag >= Tag.negative {
            size = 0
        } else if tag < Tag.nothing {
            size = Int(tag & 0x3F)
        } else if Tag.isNumber(tag) {
            size = Tag.numberSize(tag)
        } else {
            return try longHead(tag, payload, limit)
        }
        guard size <= limit &- payload else { throw failure(.truncated, offset, limit) }
        return Head(tag: tag, payload: payload, end: payload &+ size)
    }

    private func longHead(_ tag: UInt8, _ payload: Int, _ limit: Int) throws(CodingFailure) -> Head {
        switch tag {
        case Tag.nothing, Tag.absent, Tag.null, Tag.no, Tag.yes:
            return Head(tag: tag, payload: payload, end: payload)
        case Tag.some:
            var first = payload
            while first < limit, base.load(fromByteOffset: first, as: UInt8.self) == Tag.some { first += 1 }
            return Head(tag: tag, payload: payload, end: try head(at: first, limit: limit).end)
        case Tag.text:
            let (size, start) = try varint(at: payload, limit: limit)
            return try sized(tag, start, size, limit)
        case Tag.numbers, Tag.run:
            guard payload < limit else { throw failure(.truncated, payload, limit) }
            let code = base.load(fromByteOffset: payload, as: UInt8.self)
            guard Tag.isNumber(code) else { throw failure(.unknownTag(code), payload, limit) }
            let (numbers, start) = try varint(at: payload + 1, limit: limit)
            guard numbers <= UInt64(limit - start) / UInt64(Tag.numberSize(code)) else {
                throw failure(.impossibleLength, payload, limit)
            }
            return Head(tag: tag, payload: payload, end: start + Int(numbers) * Tag.numberSize(code))
        case Tag.keyed, Tag.list:
            guard payload < limit else { throw failure(.truncated, payload, limit) }
            return try sized(tag, payload + 1, UInt64(base.load(fromByteOffset: payload, as: UInt8.self)), limit)
        case Tag.keyed32, Tag.list32:
            guard limit - payload >= 4 else { throw failure(.truncated, payload, limit) }
            let size = base.loadUnaligned(fromByteOffset: payload, as: UInt32.self)
            return try sized(tag, payload + 4, UInt64(size), limit)
        case Tag.keyed64, Tag.list64:
            guard limit - payload >= 8 else { throw failure(.truncated, payload, limit) }
            return try sized(tag, payload + 8, base.loadUnaligned(fromByteOffset: payload, as: UInt64.self), limit)
        case Tag.object:
            let (size, name) = try varint(at: payload, limit: limit)
            guard size < UInt64(limit - name), size < 1 << 16 else { throw failure(.impossibleLength, payload, limit) }
            let value = name + Int(size)
            // A named object is no other named object, nor an optional of one: damaged bytes could go on so for ever.
            var first = value
            while first < limit, base.load(fromByteOffset: first, as: UInt8.self) == Tag.some { first += 1 }
            guard first < limit, base.load(fromByteOffset: first, as: UInt8.self) != Tag.object else {
                throw failure(.unknownTag(tag), value, limit)
            }
            var head = try head(at: value, limit: limit)
            head.name = UInt32(head.payload - payload)
            return head
        default:
            throw failure(.unknownTag(tag), payload - 1, limit)
        }
    }

    /// The bytes that name the class of the object at `head`, which says that it has a name.
    func className(_ head: Head) throws(CodingFailure) -> [UInt8] {
        let (size, start) = try varint(at: head.payload - Int(head.name), limit: min(head.payload, count))
        return Array(UnsafeRawBufferPointer(start: base + start, count: Int(size)))
    }

    private func sized(_ tag: UInt8, _ start: Int, _ size: UInt64, _ limit: Int) throws(CodingFailure) -> Head {
        guard size <= UInt64(limit - start) else { throw failure(.impossibleLength, start, limit) }
        return Head(tag: tag, payload: start, end: start + Int(size))
    }

    /// Reads the key of the entry at an offset in a container that ends at `limit`.
    func key(at offset: Int, limit: Int) throws(CodingFailure) -> EntryKey {
        let (bits, start) = try varint(at: offset, limit: limit)
        if bits & 1 == 0 { return EntryKey(name: .index(bits >> 1), end: start) }
        if bits & 2 == 0 {
            guard bits >> 2 <= UInt64(limit - start) else { throw failure(.impossibleLength, offset, limit) }
            let size = Int(bits >> 2)
            return EntryKey(name: .text(start: start, count: size), end: start + size)
        }
        guard bits == 3 else { throw failure(.unknownTag(UInt8(truncatingIfNeeded: bits)), offset, limit) }
        let (zigzag, end) = try varint(at: start, limit: limit)
        let integer = Int64(bitPattern: zigzag >> 1) ^ -Int64(bitPattern: zigzag & 1)
        return EntryKey(name: .integer(Int(integer)), end: end)
    }

    /// Reads a variable-length integer, and returns the offset behind it.
    @inline(__always)
    func varint(at offset: Int, limit: Int) throws(CodingFailure) -> (value: UInt64, end: Int) {
        if offset < limit, limit <= count {
            let byte = base.load(fromByteOffset: offset, as: UInt8.self)
            if byte < 0x80 { return (UInt64(byte), offset &+ 1) }
        }
        return try longVarint(at: offset, limit: limit)
    }

    private func longVarint(at offset: Int, limit: Int) throws(CodingFailure) -> (value: UInt64, end: Int) {
        guard limit <= count else { throw failure(.truncated, offset, limit) }
        var value: UInt64 = 0
        var shift: UInt64 = 0
        var position = offset
        while position < limit {
            let byte = base.load(fromByteOffset: position, as: UInt8.self)
            position += 1
            if shift == 63, byte > 1 { throw failure(.oversizedInteger, offset, limit) }
            value |= UInt64(byte & 0x7F) &<< shift
            if byte < 0x80 { return (value, position) }
            shift += 7
        }
        throw failure(.truncated, offset, limit)
    }

    /// A failure, which is another one if the bytes are gone and that is why nothing is there.
    @inline(never)
    private func failure(_ reason: CodingFailure.Reason, _ offset: Int, _ limit: Int) -> CodingFailure {
        CodingFailure(limit > count && count == 0 ? .bytesGone : reason, offset: offset)
    }

    /// The key of an entry for a path, which is told as well as it can be; `keys` is nil if they are this process's own.
    func pathKey(_ name: EntryKey.Name, in keys: KeyMap?) -> PathKey {
        switch name {
        case .index(let index):
            let key = keys.map { $0.key(at: index) } ?? KeyTable.shared.key(at: index)
            return key ?? PathKey(stringValue: "")
        case .text(let start, let count):
            return PathKey(stringValue: text(start: start, count: count) ?? "")
        case .integer(let integer):
            return PathKey(intValue: integer)
        }
    }
}

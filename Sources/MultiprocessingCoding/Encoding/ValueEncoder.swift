/// The encoder that one value's `encode(to:)` is given.
///
/// Values are written straight to the end of the buffer, parents before children. A value
/// that is nested in another is always complete before its parent goes on, so one encoder
/// for each level of nesting is enough, and it is used again for the next value there.
///
/// What the protocols allow beyond that goes through a detached encoder: nested containers
/// and `superEncoder()` may be written alternately with their parent, and nothing tells when
/// they are complete. Their bytes are collected apart and put in place when the parent ends.
final class ValueEncoder: Encoder {
    /// What may be written next.
    enum State: UInt8 {
        /// Nothing has been asked for.
        case untouched
        /// The value is complete: it was a single value.
        case single
        case keyed
        case list
        /// A value inside this one is being encoded.
        case busy
        /// The value's `encode(to:)` has returned.
        case closed
    }

    /// Which container the value asked for.
    enum Shape: UInt8 {
        case none
        case keyed
        case list
    }

    /// A part of the value that is put in place at its end.
    private struct Detached {
        /// The offset in the buffer at which its bytes belong.
        var position: Int
        let encoder: ValueEncoder
        /// The index of its key, if it has one.
        let keyIndex: UInt32?
    }

    let storage: EncodingStorage
    let buffer: ByteBuffer

    // Exclusivity is unchecked because no access to these properties lasts longer than
    // one load or store: they are never passed inout.
    @exclusivity(unchecked) var state = State.untouched
    /// The number of elements in an unkeyed container.
    @exclusivity(unchecked) var count = 0
    /// The offset of the value's first byte.
    @exclusivity(unchecked) private(set) var start = 0
    /// The offset of the newest entry in a keyed container.
    @exclusivity(unchecked) private(set) var entryStart = 0
    /// One bit for each 64th part of the key indices that were used, so that a key that is
    /// used twice is noticed.
    @exclusivity(unchecked) private var usedKeys: UInt64 = 0
    @exclusivity(unchecked) private var shape = Shape.none

    // Nor does one of these: no code of a value's runs within it.
    @exclusivity(unchecked) private var depth = 0
    @exclusivity(unchecked) private var parent: ValueEncoder?
    @exclusivity(unchecked) private var detachedStep: PathKey?
    @exclusivity(unchecked) private var detached: [Detached] = []
    @exclusivity(unchecked) private var firstMisuse: EncodingError?

    /// The encoder of the level below, while it is not in use.
    @exclusivity(unchecked) private var idleChild: ValueEncoder?

    init(storage: EncodingStorage, buffer: ByteBuffer) {
        self.storage = storage
        self.buffer = buffer
    }

    // MARK: Values

    /// Appends a value; the caller has written what comes before it.
    @inline(__always)
    func write<T: Encodable>(_ value: T) throws {
        let plan = ValuePlan.of(T.self)
        if let writer = plan.pointee.writer {
            try withUnsafePointer(to: value) { try writer.write(UnsafeRawPointer($0), to: self) }
        } else if plan.pointee.kind == .ordinary {
            try writeByEncode(value)
        } else {
            try writeSpecial(value, plan)
        }
    }

    @inline(never)
    private func writeSpecial<T: Encodable>(_ value: T, _ plan: UnsafePointer<ValuePlan>) throws {
        if plan.pointee.kind == .object {
            try write(object: value)
        } else if let bytes = value as? any ByteCollection {
            try write(bytes: bytes)
        } else {
            try writeByEncode(value)
        }
    }

    /// Appends the payload of an optional, marked if it could be taken for nil.
    func write<T: Encodable>(wrapped value: T) throws {
        let start = buffer.count
        try write(value)
        let tag = buffer[start]
        // What an object itself has written may be nil too.
        if tag == Tag.null || tag == Tag.some || tag == Tag.object {
            buffer.insertGap(of: 1, at: start)
            buffer.overwrite(at: start, with: Tag.some)
        }
    }

    /// Appends a value as its own `encode(to:)` has it.
    func writeByEncode<T: Encodable>(_ value: T) throws {
        guard depth < Tag.deepestNesting || state == .single, storage.hasStack else { throw tooDeep(value) }
        var child = idleChild ?? ValueEncoder(storage: storage, buffer: buffer)
        idleChild = nil
        let previous = state
        child.open(in: self)
        state = .busy
        defer {
            child.close()
            // A value that kept its encoder keeps it for itself.
            if isKnownUniquelyReferenced(&child) { idleChild = child }
            state = previous
        }
        try value.encode(to: child)
        try child.finish()
    }

    private func open(in parent: ValueEncoder) {
        self.parent = parent
        depth = parent.state == .single ? parent.depth : parent.depth + 1
        start = buffer.count
        state = .untouched
        shape = .none
        count = 0
        usedKeys = 0
        firstMisuse = nil
    }

    /// Drops everything but the memory; what is left of the value is the caller's to remove.
    private func close() {
        state = .closed
        parent = nil
        detachedStep = nil
        guard !detached.isEmpty else { return }
        for part in detached {
            part.encoder.close()
            storage.recycle(part.encoder)
        }
        detached.removeAll()
    }

    /// Completes the value's bytes.
    private func finish() throws {
        if let firstMisuse { throw firstMisuse }
        if !detached.isEmpty { try putDetachedInPlace() }
        switch shape {
        case .none:
            if state == .untouched { buffer.append(Tag.nothing) }
        case .keyed:
            finishContainer(Tag.keyed, from: start, trailer: nil)
        case .list:
            finishContainer(Tag.list, from: start, trailer: count)
        }
    }

    /// Fills in the size that was left open, and makes room for it if it takes more bytes.
    private func finishContainer(_ tag: UInt8, from start: Int, trailer: Int?) {
        let content = start + 2
        let size = buffer.count - content
        let trailerUnits = trailer == nil ? 0 : 1
        if size + trailerUnits <= 0xFF {
            if let trailer { buffer.append(UInt8(truncatingIfNeeded: trailer)) }
            buffer.overwrite(at: start + 1, with: UInt8(truncatingIfNeeded: buffer.count - content))
        } else if size + 4 * trailerUnits <= UInt32.max {
            if let trailer { buffer.append(UInt32(truncatingIfNeeded: trailer)) }
            buffer.insertGap(of: 3, at: content)
            buffer.overwrite(at: start, with: tag + 1)
            buffer.overwrite(at: start + 1, with: UInt32(truncatingIfNeeded: buffer.count - content - 3))
        } else {
            if let trailer { buffer.append(UInt64(trailer)) }
            buffer.insertGap(of: 7, at: content)
            buffer.overwrite(at: start, with: tag + 2)
            buffer.overwrite(at: start + 1, with: UInt64(buffer.count - content - 7))
        }
    }

    // MARK: Entries of a keyed container

    /// Writes a key that both sides know by its index.
    @inline(__always)
    func beginEntry(_ index: UInt32) {
        let bit: UInt64 = 1 &<< UInt64(index & 63)
        if usedKeys & bit != 0 { removeEntry(index) }
        usedKeys |= bit
        entryStart = buffer.count
        buffer.append(varint: storage.number(ofKey: index) &<< 1)
    }

    /// Writes a key in full.
    func beginEntry(inline key: some CodingKey) {
        entryStart = buffer.count
        var text = key.stringValue
        if let integer = key.intValue, text == String(integer) {
            buffer.append(varint: 3)
            buffer.append(varint: UInt64(bitPattern: Int64(integer << 1) ^ Int64(integer >> 63)))
            return
        }
        text.withUTF8 { utf8 in
            buffer.append(varint: UInt64(utf8.count) << 2 | 1)
            buffer.append(contentsOf: UnsafeRawBufferPointer(utf8))
        }
    }

    /// Writes that a field is absent, unless it has been written.
    func writeAbsentEntry(_ index: UInt32) {
        if usedKeys & (1 &<< UInt64(index & 63)) != 0, findEntry(index) != nil { return }
        beginEntry(index)
        buffer.append(Tag.absent)
    }

    /// An encoder for an entry that is put in place later.
    func detachEntry(_ index: UInt32, reusing shape: Shape?) -> ValueEncoder {
        if let shape, let part = detached.first(where: { $0.keyIndex == index && $0.encoder.shape == shape }) {
            return part.encoder
        }
        beginEntry(index)
        return detach(KeyTable.shared.key(at: UInt64(index)), keyIndex: index)
    }

    /// An encoder whose bytes are put in place here once this value ends.
    func detach(_ step: PathKey?, keyIndex: UInt32? = nil) -> ValueEncoder {
        guard depth < Tag.deepestNesting else {
            firstMisuse = firstMisuse ?? tooDeep(Self.self)
            return makeUnusable(Self.self)
        }
        let encoder = storage.makeDetachedEncoder()
        encoder.open(in: self)
        encoder.detachedStep = step
        detached.append(Detached(position: buffer.count, encoder: encoder, keyIndex: keyIndex))
        return encoder
    }

    /// Where the entry with a key lies, and where its value starts.
    private func findEntry(_ index: UInt32) -> (entry: Range<Int>, value: Int)? {
        let number = storage.number(ofKey: index)
        return buffer.withUnsafeBytes { all in
            let bytes = BorrowedBytes(all)
            var position = start + 2
            while position < bytes.count {
                // These are this encoder's own bytes.
                guard let key = try? bytes.key(at: position, limit: bytes.count) else { return nil }
                let isDetached = detached.contains { $0.position == key.end }
                guard let end = isDetached ? key.end : try? bytes.head(at: key.end, limit: bytes.count).end else {
                    return nil
                }
                if case .index(let found) = key.name, found == number { return (position..<end, key.end) }
                position = end
            }
            return nil
        }
    }

    /// Removes what was written under a key that is used again.
    @inline(never)
    private func removeEntry(_ index: UInt32) {
        guard let (entry, value) = findEntry(index) else { return }
        if let part = detached.firstIndex(where: { $0.position == value && $0.keyIndex == index }) {
            detached.remove(at: part).encoder.close()
        }
        buffer.remove(entry)
        for part in detached.indices where detached[part].position >= entry.upperBound {
            detached[part].position -= entry.count
        }
    }

    /// Moves the bytes apart and copies the detached parts in between, from the end backward.
    private func putDetachedInPlace() throws {
        guard storage.hasStack else { throw tooDeep(Self.self) }
        var added = 0
        for part in detached {
            try part.encoder.finish()
            added += part.encoder.buffer.count
        }
        var end = buffer.count
        _ = buffer.append(uninitialized: added)
        for part in detached.reversed() {
            buffer.move(part.position..<end, to: part.position + added)
            added -= part.encoder.buffer.count
            buffer.overwrite(at: part.position + added, withContentsOf: part.encoder.buffer)
            end = part.position
        }
    }

    // MARK: Encoder

    var userInfo: [CodingUserInfoKey: Any] { storage.userInfo }

    var codingPath: [any CodingKey] {
        var path: [any CodingKey] = []
        var encoder = self
        // A loop, because the stack may be what is short.
        while let parent = encoder.parent {
            if let step = encoder.detachedStep {
                path.append(step)
            } else {
                switch parent.shape {
                case .none: break
                case .list: path.append(PathKey(index: parent.count))
                case .keyed: path.append(parent.newestKey)
                }
            }
            encoder = parent
        }
        return path.reversed()
    }

    private var newestKey: PathKey {
        buffer.withUnsafeBytes { all in
            let bytes = BorrowedBytes(all)
            guard let key = try? bytes.key(at: entryStart, limit: bytes.count) else { return PathKey(stringValue: "") }
            return bytes.pathKey(key.name, in: nil)
        }
    }

    func container<Key: CodingKey>(keyedBy type: Key.Type) -> KeyedEncodingContainer<Key> {
        KeyedEncodingContainer(KeyedEncoding<Key>(openKeyed()))
    }

    func unkeyedContainer() -> any UnkeyedEncodingContainer { UnkeyedEncoding(openList()) }

    func singleValueContainer() -> any SingleValueEncodingContainer { self }

    /// This encoder as that of a keyed container, or one that refuses everything if it
    /// is of another kind already.
    func openKeyed() -> ValueEncoder {
        if state == .keyed { return self }
        guard state == .untouched else { return makeUnusable("a keyed container") }
        openContainer(Tag.keyed, .keyed, .keyed)
        return self
    }

    /// This encoder as that of an unkeyed container, or one that refuses everything if it
    /// is of another kind already.
    func openList() -> ValueEncoder {
        if state == .list { return self }
        guard state == .untouched else { return makeUnusable("an unkeyed container") }
        openContainer(Tag.list, .list, .list)
        return self
    }

    private func openContainer(_ tag: UInt8, _ newState: State, _ newShape: Shape) {
        buffer.append(tag)
        buffer.append(UInt8(0))
        state = newState
        shape = newShape
    }

    // MARK: Lists that are written as a whole

    /// Begins a list whose elements the caller appends, and returns where it starts.
    func beginList() -> Int {
        defer {
            buffer.append(Tag.list)
            buffer.append(UInt8(0))
        }
        return buffer.count
    }

    func endList(from start: Int, count: Int) {
        finishContainer(Tag.list, from: start, trailer: count)
    }

    // MARK: Errors

    /// Remembers a misuse where nothing can be thrown; the value fails with it at its end.
    func makeUnusable(_ value: Any) -> ValueEncoder {
        firstMisuse = firstMisuse ?? misuse(value)
        let encoder = ValueEncoder(storage: storage, buffer: buffer)
        encoder.state = .closed
        return encoder
    }

    @inline(never)
    func misuse(_ value: Any) -> EncodingError {
        let problem =
            switch state {
            case .busy: "the container was used while a value inside it was being encoded"
            case .closed: "the container was used after its value had been encoded, or was never valid"
            default: "the value asked for containers of different kinds, or encoded more than one single value"
            }
        return .invalidValue(value, EncodingError.Context(codingPath: codingPath, debugDescription: problem))
    }

    private func tooDeep(_ value: Any) -> EncodingError {
        let problem =
            storage.hasStack
            ? "values are nested more than \(Tag.deepestNesting) deep, each container counted (a case of an enum has up to three)"
            : "values are nested deeper than the stack of this thread allows"
        return .invalidValue(value, EncodingError.Context(codingPath: codingPath, debugDescription: problem))
    }
}

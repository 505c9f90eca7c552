/// The container through which a value decodes its fields by key.
struct KeyedDecoding<Key: CodingKey>: KeyedDecodingContainerProtocol {
    private let decoder: ValueDecoder
    private let plan: UnsafePointer<KeyPlan>

    init(_ decoder: ValueDecoder) throws {
        let tag = decoder.head.tag
        guard Tag.keyed...Tag.keyed64 ~= tag || tag == Tag.nothing, decoder.head.end <= decoder.bytes.count else {
            throw decoder.mismatch([String: Any].self, decoder.head, .none)
        }
        self.decoder = decoder
        plan = KeyPlan.of(Key.self)
    }

    var codingPath: [any CodingKey] { decoder.codingPath }

    var allKeys: [Key] {
        var keys: [Key] = []
        var seen: Set<String> = []
        let mayRepeat = !plan.pointee.isDictionaryKey
        do {
            try decoder.forEachEntry { entry, name, value in
                guard value.tag != Tag.absent else { return }
                let path = try decoder.pathKey(name, ofEntry: entry)
                // Keys of the table are there once; only one that is written in full may be there again.
                if mayRepeat, !name.isIndex, seen.isEmpty { seen = Set(keys.map(\.stringValue)) }
                if mayRepeat, !seen.isEmpty || !name.isIndex, !seen.insert(path.stringValue).inserted { return }
                if let key = makeKey(path) { keys.append(key) }
            }
        } catch {
            decoder.storage.note(error)
        }
        return keys
    }

    private func makeKey(_ path: PathKey) -> Key? {
        guard let integer = path.intValue else { return Key(stringValue: path.stringValue) }
        if plan.pointee.isDictionaryKey, let key = Key(intValue: integer) { return key }
        return Key(stringValue: path.stringValue) ?? Key(intValue: integer)
    }

    func contains(_ key: Key) -> Bool {
        let expected = decoder.nextEntry
        do {
            let isThere = try decoder.find(key, plan) != nil
            decoder.nextEntry = isThere ? decoder.foundEntry : expected
            return isThere
        } catch {
            decoder.storage.note(error)
            return false
        }
    }

    func decodeNil(forKey key: Key) throws -> Bool {
        let expected = decoder.nextEntry
        defer { decoder.nextEntry = expected }
        return try head(key).tag == Tag.null
    }

    /// The head of the value under a key that must be there.
    @inline(__always)
    private func head(_ key: Key) throws -> Head {
        guard let head = try decoder.find(key, plan) else { throw missing(key) }
        return head
    }

    /// The head of the value under a key, or nil if there is none or it is nil.
    @inline(__always)
    private func headIfPresent(_ key: Key) throws -> Head? {
        guard let head = try decoder.find(key, plan), head.tag != Tag.null else { return nil }
        return head
    }

    private var step: PathStep {
        @inline(__always) get { .entry(decoder.foundEntry) }
    }

    @inline(never)
    private func missing(_ key: Key) -> DecodingError {
        .keyNotFound(key, decoder.context("there is no value for the key \"\(key.stringValue)\"", .none))
    }

    func decode<T: Decodable>(_ type: T.Type, forKey key: Key) throws -> T {
        try decoder.read(type, head(key), step)
    }

    func decodeIfPresent<T: Decodable>(_ type: T.Type, forKey key: Key) throws -> T? {
        guard let head = try headIfPresent(key) else { return nil }
        return try decoder.read(ifPresent: type, head, step)
    }

    func nestedContainer<NestedKey: CodingKey>(
        keyedBy type: NestedKey.Type, forKey key: Key
    ) throws -> KeyedDecodingContainer<NestedKey> {
        try decoder.makeNested(head(key), step).container(keyedBy: type)
    }

    func nestedUnkeyedContainer(forKey key: Key) throws -> any UnkeyedDecodingContainer {
        try decoder.makeNested(head(key), step).unkeyedContainer()
    }

    func superDecoder() throws -> any Decoder { try superDecoder(PathKey.superclass) }

    func superDecoder(forKey key: Key) throws -> any Decoder { try superDecoder(key) }

    /// A class without a superclass part that is decoded anyway finds nil there.
    private func superDecoder<SuperKey: CodingKey>(_ key: SuperKey) throws -> any Decoder {
        if let head = try decoder.find(key, KeyPlan.of(SuperKey.self)) { return try decoder.makeNested(head, step) }
        return try decoder.makeNested(Head(tag: Tag.null, payload: 0, end: 0), .none)
    }

    // MARK: The standard library's own types

    func decode(_ type: Bool.Type, forKey key: Key) throws -> Bool { try decoder.bool(head(key), step) }
    func decode(_ type: String.Type, forKey key: Key) throws -> String { try decoder.text(head(key), step) }
    func decode(_ type: Double.Type, forKey key: Key) throws -> Double { try decoder.number(head(key), step) }
    func decode(_ type: Float.Type, forKey key: Key) throws -> Float { try decoder.number(head(key), step) }
    func decode(_ type: Int.Type, forKey key: Key) throws -> Int { try decoder.number(head(key), step) }
    func decode(_ type: Int8.Type, forKey key: Key) throws -> Int8 { try decoder.number(head(key), step) }
    func decode(_ type: Int16.Type, forKey key: Key) throws -> Int16 { try decoder.number(head(key), step) }
    func decode(_ type: Int32.Type, forKey key: Key) throws -> Int32 { try decoder.number(head(key), step) }
    func decode(_ type: Int64.Type, forKey key: Key) throws -> Int64 { try decoder.number(head(key), step) }
    func decode(_ type: UInt.Type, forKey key: Key) throws -> UInt { try decoder.number(head(key), step) }
    func decode(_ type: UInt8.Type, forKey key: Key) throws -> UInt8 { try decoder.number(head(key), step) }
    func decode(_ type: UInt16.Type, forKey key: Key) throws -> UInt16 { try decoder.number(head(key), step) }
    func decode(_ type: UInt32.Type, forKey key: Key) throws -> UInt32 { try decoder.number(head(key), step) }
    func decode(_ type: UInt64.Type, forKey key: Key) throws -> UInt64 { try decoder.number(head(key), step) }
    func decode(_ type: Int128.Type, forKey key: Key) throws -> Int128 { try decoder.number(head(key), step) }
    func decode(_ type: UInt128.Type, forKey key: Key) throws -> UInt128 { try decoder.number(head(key), step) }

    func decodeIfPresent(_ type: Bool.Type, forKey key: Key) throws -> Bool? {
        guard let head = try headIfPresent(key) else { return nil }
        return try decoder.bool(head, step)
    }
    func decodeIfPresent(_ type: String.Type, forKey key: Key) throws -> String? {
        guard let head = try headIfPresent(key) else { return nil }
        return try decoder.text(head, step)
    }
    func decodeIfPresent(_ type: Double.Type, forKey key: Key) throws -> Double? {
        guard let head = try headIfPresent(key) else { return nil }
        return try decoder.number(head, step)
    }
    func decodeIfPresent(_ type: Float.Type, forKey key: Key) throws -> Float? {
        guard let head = try headIfPresent(key) else { return nil }
        return try decoder.number(head, step)
    }
    func decodeIfPresent(_ type: Int.Type, forKey key: Key) throws -> Int? {
        guard let head = try headIfPresent(key) else { return nil }
        return try decoder.number(head, step)
    }
    func decodeIfPresent(_ type: Int8.Type, forKey key: Key) throws -> Int8? {
        guard let head = try headIfPresent(key) else { return nil }
        return try decoder.number(head, step)
    }
    func decodeIfPresent(_ type: Int16.Type, forKey key: Key) throws -> Int16? {
        guard let head = try headIfPresent(key) else { return nil }
        return try decoder.number(head, step)
    }
    func decodeIfPresent(_ type: Int32.Type, forKey key: Key) throws -> Int32? {
        guard let head = try headIfPresent(key) else { return nil }
        return try decoder.number(head, step)
    }
    func decodeIfPresent(_ type: Int64.Type, forKey key: Key) throws -> Int64? {
        guard let head = try headIfPresent(key) else { return nil }
        return try decoder.number(head, step)
    }
    func decodeIfPresent(_ type: UInt.Type, forKey key: Key) throws -> UInt? {
        guard let head = try headIfPresent(key) else { return nil }
        return try decoder.number(head, step)
    }
    func decodeIfPresent(_ type: UInt8.Type, forKey key: Key) throws -> UInt8? {
        guard let head = try headIfPresent(key) else { return nil }
        return try decoder.number(head, step)
    }
    func decodeIfPresent(_ type: UInt16.Type, forKey key: Key) throws -> UInt16? {
        guard let head = try headIfPresent(key) else { return nil }
        return try decoder.number(head, step)
    }
    func decodeIfPresent(_ type: UInt32.Type, forKey key: Key) throws -> UInt32? {
        guard let head = try headIfPresent(key) else { return nil }
        return try decoder.number(head, step)
    }
    func decodeIfPresent(_ type: UInt64.Type, forKey key: Key) throws -> UInt64? {
        guard let head = try headIfPresent(key) else { return nil }
        return try decoder.number(head, step)
    }
    func decodeIfPresent(_ type: Int128.Type, forKey key: Key) throws -> Int128? {
        guard let head = try headIfPresent(key) else { return nil }
        return try decoder.number(head, step)
    }
    func decodeIfPresent(_ type: UInt128.Type, forKey key: Key) throws -> UInt128? {
        guard let head = try headIfPresent(key) else { return nil }
        return try decoder.number(head, step)
    }
}

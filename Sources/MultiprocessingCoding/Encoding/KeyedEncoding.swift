/// The container through which a value encodes its fields by key.
struct KeyedEncoding<Key: CodingKey>: KeyedEncodingContainerProtocol {
    private let encoder: ValueEncoder
    private let plan: UnsafePointer<KeyPlan>

    init(_ encoder: ValueEncoder) {
        self.encoder = encoder
        plan = KeyPlan.of(Key.self)
    }

    var codingPath: [any CodingKey] { encoder.codingPath }

    /// Writes the key of an entry whose value the caller appends next.
    @inline(__always)
    private func begin(_ key: Key) throws -> ByteBuffer {
        guard encoder.state == .keyed else { throw encoder.misuse(key) }
        if let index = plan.pointee.index(of: key) {
            encoder.beginEntry(index)
        } else {
            encoder.beginEntry(inline: key)
        }
        return encoder.buffer
    }

    /// Writes the key of an optional field, and that it is absent unless it is there.
    ///
    /// - Returns: Whether the caller appends the value.
    @inline(__always)
    private func begin(_ key: Key, isPresent: Bool) throws -> ByteBuffer? {
        if isPresent { return try begin(key) }
        guard encoder.state == .keyed else { throw encoder.misuse(key) }
        if let index = plan.pointee.index(of: key) { encoder.writeAbsentEntry(index) }
        return nil
    }

    /// Writes an entry whose value may throw, and takes the key back if it does.
    private func writeEntry(_ key: Key, _ write: () throws -> Void) throws {
        let buffer = try begin(key)
        let start = encoder.entryStart
        do {
            try write()
        } catch {
            buffer.truncate(to: start)
            throw error
        }
    }

    func encodeNil(forKey key: Key) throws { try begin(key).append(Tag.null) }

    func encode<T: Encodable>(_ value: T, forKey key: Key) throws {
        try writeEntry(key) { try encoder.write(value) }
    }

    func encodeIfPresent<T: Encodable>(_ value: T?, forKey key: Key) throws {
        guard let value else {
            _ = try begin(key, isPresent: false)
            return
        }
        try writeEntry(key) { try encoder.write(wrapped: value) }
    }

    func nestedContainer<NestedKey: CodingKey>(
        keyedBy type: NestedKey.Type, forKey key: Key
    ) -> KeyedEncodingContainer<NestedKey> {
        KeyedEncodingContainer(KeyedEncoding<NestedKey>(detach(key, reusing: .keyed).openKeyed()))
    }

    func nestedUnkeyedContainer(forKey key: Key) -> any UnkeyedEncodingContainer {
        UnkeyedEncoding(detach(key, reusing: .list).openList())
    }

    func superEncoder() -> any Encoder {
        guard encoder.state == .keyed else { return encoder.makeUnusable("superEncoder()") }
        return encoder.detachEntry(KeyTable.superclassIndex, reusing: nil)
    }

    func superEncoder(forKey key: Key) -> any Encoder { detach(key, reusing: nil) }

    /// An encoder for an entry that is written later than others, or in pieces.
    ///
    /// A container of the same shape that was asked for under the same key is given again.
    private func detach(_ key: Key, reusing shape: ValueEncoder.Shape?) -> ValueEncoder {
        guard encoder.state == .keyed else { return encoder.makeUnusable(key) }
        if let index = plan.pointee.index(of: key) { return encoder.detachEntry(index, reusing: shape) }
        encoder.beginEntry(inline: key)
        return encoder.detach(PathKey(stringValue: key.stringValue, intValue: key.intValue))
    }

    // MARK: The standard library's own types

    func encode(_ value: Bool, forKey key: Key) throws { try begin(key).append(value ? Tag.yes : Tag.no) }
    func encode(_ value: String, forKey key: Key) throws { try begin(key).append(text: value) }
    func encode(_ value: Double, forKey key: Key) throws { try begin(key).append(tag: Tag.float64, number: value) }
    func encode(_ value: Float, forKey key: Key) throws { try begin(key).append(tag: Tag.float32, number: value) }
    func encode(_ value: Int, forKey key: Key) throws { try begin(key).append(integer: Int64(value)) }
    func encode(_ value: Int8, forKey key: Key) throws { try begin(key).append(integer: Int64(value)) }
    func encode(_ value: Int16, forKey key: Key) throws { try begin(key).append(integer: Int64(value)) }
    func encode(_ value: Int32, forKey key: Key) throws { try begin(key).append(integer: Int64(value)) }
    func encode(_ value: Int64, forKey key: Key) throws { try begin(key).append(integer: value) }
    func encode(_ value: UInt, forKey key: Key) throws { try begin(key).append(integer: UInt64(value)) }
    func encode(_ value: UInt8, forKey key: Key) throws { try begin(key).append(integer: UInt64(value)) }
    func encode(_ value: UInt16, forKey key: Key) throws { try begin(key).append(integer: UInt64(value)) }
    func encode(_ value: UInt32, forKey key: Key) throws { try begin(key).append(integer: UInt64(value)) }
    func encode(_ value: UInt64, forKey key: Key) throws { try begin(key).append(integer: value) }
    func encode(_ value: Int128, forKey key: Key) throws { try begin(key).append(integer: value) }
    func encode(_ value: UInt128, forKey key: Key) throws { try begin(key).append(integer: value) }

    func encodeIfPresent(_ value: Bool?, forKey key: Key) throws {
        let buffer = try begin(key, isPresent: value != nil)
        if let value { buffer?.append(value ? Tag.yes : Tag.no) }
    }
    func encodeIfPresent(_ value: String?, forKey key: Key) throws {
        let buffer = try begin(key, isPresent: value != nil)
        if let value { buffer?.append(text: value) }
    }
    func encodeIfPresent(_ value: Double?, forKey key: Key) throws {
        let buffer = try begin(key, isPresent: value != nil)
        if let value { buffer?.append(tag: Tag.float64, number: value) }
    }
    func encodeIfPresent(_ value: Float?, forKey key: Key) throws {
        let buffer = try begin(key, isPresent: value != nil)
        if let value { buffer?.append(tag: Tag.float32, number: value) }
    }
    func encodeIfPresent(_ value: Int?, forKey key: Key) throws {
        let buffer = try begin(key, isPresent: value != nil)
        if let value { buffer?.append(integer: Int64(value)) }
    }
    func encodeIfPresent(_ value: Int8?, forKey key: Key) throws {
        let buffer = try begin(key, isPresent: value != nil)
        if let value { buffer?.append(integer: Int64(value)) }
    }
    func encodeIfPresent(_ value: Int16?, forKey key: Key) throws {
        let buffer = try begin(key, isPresent: value != nil)
        if let value { buffer?.append(integer: Int64(value)) }
    }
    func encodeIfPresent(_ value: Int32?, forKey key: Key) throws {
        let buffer = try begin(key, isPresent: value != nil)
        if let value { buffer?.append(integer: Int64(value)) }
    }
    func encodeIfPresent(_ value: Int64?, forKey key: Key) throws {
        let buffer = try begin(key, isPresent: value != nil)
        if let value { buffer?.append(integer: value) }
    }
    func encodeIfPresent(_ value: UInt?, forKey key: Key) throws {
        let buffer = try begin(key, isPresent: value != nil)
        if let value { buffer?.append(integer: UInt64(value)) }
    }
    func encodeIfPresent(_ value: UInt8?, forKey key: Key) throws {
        let buffer = try begin(key, isPresent: value != nil)
        if let value { buffer?.append(integer: UInt64(value)) }
    }
    func encodeIfPresent(_ value: UInt16?, forKey key: Key) throws {
        let buffer = try begin(key, isPresent: value != nil)
        if let value { buffer?.append(integer: UInt64(value)) }
    }
    func encodeIfPresent(_ value: UInt32?, forKey key: Key) throws {
        let buffer = try begin(key, isPresent: value != nil)
        if let value { buffer?.append(integer: UInt64(value)) }
    }
    func encodeIfPresent(_ value: UInt64?, forKey key: Key) throws {
        let buffer = try begin(key, isPresent: value != nil)
        if let value { buffer?.append(integer: value) }
    }
    func encodeIfPresent(_ value: Int128?, forKey key: Key) throws {
        let buffer = try begin(key, isPresent: value != nil)
        if let value { buffer?.append(integer: value) }
    }
    func encodeIfPresent(_ value: UInt128?, forKey key: Key) throws {
        let buffer = try begin(key, isPresent: value != nil)
        if let value { buffer?.append(integer: value) }
    }
}

/// The container through which a value encodes its elements in order.
struct UnkeyedEncoding: UnkeyedEncodingContainer {
    private let encoder: ValueEncoder

    init(_ encoder: ValueEncoder) {
        self.encoder = encoder
    }

    var codingPath: [any CodingKey] { encoder.codingPath }

    var count: Int { encoder.count }

    /// Counts an element whose bytes the caller appends next, which cannot fail.
    @inline(__always)
    private func begin(_ value: Any.Type) throws -> ByteBuffer {
        guard encoder.state == .list else { throw encoder.misuse(value) }
        encoder.count &+= 1
        return encoder.buffer
    }

    func encodeNil() throws { try begin(Void.self).append(Tag.null) }

    func encode<T: Encodable>(_ value: T) throws {
        guard encoder.state == .list else { throw encoder.misuse(value) }
        let start = encoder.buffer.count
        do {
            try encoder.write(value)
        } catch {
            encoder.buffer.truncate(to: start)
            throw error
        }
        encoder.count &+= 1
    }

    func nestedContainer<NestedKey: CodingKey>(
        keyedBy type: NestedKey.Type
    ) -> KeyedEncodingContainer<NestedKey> {
        KeyedEncodingContainer(KeyedEncoding<NestedKey>(detach().openKeyed()))
    }

    func nestedUnkeyedContainer() -> any UnkeyedEncodingContainer { UnkeyedEncoding(detach().openList()) }

    func superEncoder() -> any Encoder { detach() }

    private func detach() -> ValueEncoder {
        guard encoder.state == .list else { return encoder.makeUnusable("a nested container") }
        defer { encoder.count &+= 1 }
        return encoder.detach(PathKey(index: encoder.count))
    }

    /// Appends many numbers as one run.
    private func encodeRun<S: Sequence>(_ sequence: S) throws where S.Element: FixedNumber {
        guard encoder.state == .list else { throw encoder.misuse(sequence) }
        let isDone: Void? = sequence.withContiguousStorageIfAvailable { numbers in
            guard !numbers.isEmpty else { return }
            encoder.buffer.append(Tag.run, numbers: numbers)
            encoder.count &+= numbers.count
        }
        guard isDone == nil else { return }
        for number in sequence {
            number.append(to: encoder.buffer)
            encoder.count &+= 1
        }
    }

    // MARK: The standard library's own types

    func encode(_ value: Bool) throws { try begin(Bool.self).append(value ? Tag.yes : Tag.no) }
    func encode(_ value: String) throws { try begin(String.self).append(text: value) }
    func encode(_ value: Double) throws { try begin(Double.self).append(tag: Tag.float64, number: value) }
    func encode(_ value: Float) throws { try begin(Float.self).append(tag: Tag.float32, number: value) }
    func encode(_ value: Int) throws { try begin(Int.self).append(integer: Int64(value)) }
    func encode(_ value: Int8) throws { try begin(Int8.self).append(integer: Int64(value)) }
    func encode(_ value: Int16) throws { try begin(Int16.self).append(integer: Int64(value)) }
    func encode(_ value: Int32) throws { try begin(Int32.self).append(integer: Int64(value)) }
    func encode(_ value: Int64) throws { try begin(Int64.self).append(integer: value) }
    func encode(_ value: UInt) throws { try begin(UInt.self).append(integer: UInt64(value)) }
    func encode(_ value: UInt8) throws { try begin(UInt8.self).append(integer: UInt64(value)) }
    func encode(_ value: UInt16) throws { try begin(UInt16.self).append(integer: UInt64(value)) }
    func encode(_ value: UInt32) throws { try begin(UInt32.self).append(integer: UInt64(value)) }
    func encode(_ value: UInt64) throws { try begin(UInt64.self).append(integer: value) }
    func encode(_ value: Int128) throws { try begin(Int128.self).append(integer: value) }
    func encode(_ value: UInt128) throws { try begin(UInt128.self).append(integer: value) }

    func encode<S: Sequence>(contentsOf sequence: S) throws where S.Element == Double { try encodeRun(sequence) }
    func encode<S: Sequence>(contentsOf sequence: S) throws where S.Element == Float { try encodeRun(sequence) }
    func encode<S: Sequence>(contentsOf sequence: S) throws where S.Element == Int { try encodeRun(sequence) }
    func encode<S: Sequence>(contentsOf sequence: S) throws where S.Element == Int8 { try encodeRun(sequence) }
    func encode<S: Sequence>(contentsOf sequence: S) throws where S.Element == Int16 { try encodeRun(sequence) }
    func encode<S: Sequence>(contentsOf sequence: S) throws where S.Element == Int32 { try encodeRun(sequence) }
    func encode<S: Sequence>(contentsOf sequence: S) throws where S.Element == Int64 { try encodeRun(sequence) }
    func encode<S: Sequence>(contentsOf sequence: S) throws where S.Element == UInt { try encodeRun(sequence) }
    func encode<S: Sequence>(contentsOf sequence: S) throws where S.Element == UInt8 { try encodeRun(sequence) }
    func encode<S: Sequence>(contentsOf sequence: S) throws where S.Element == UInt16 { try encodeRun(sequence) }
    func encode<S: Sequence>(contentsOf sequence: S) throws where S.Element == UInt32 { try encodeRun(sequence) }
    func encode<S: Sequence>(contentsOf sequence: S) throws where S.Element == UInt64 { try encodeRun(sequence) }
}

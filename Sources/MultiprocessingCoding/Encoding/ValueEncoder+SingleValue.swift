extension ValueEncoder: SingleValueEncodingContainer {
    /// Checks that the value has written nothing yet; the caller appends its bytes next.
    @inline(__always)
    private func begin(_ value: Any.Type) throws -> ByteBuffer {
        guard state == .untouched else { throw misuse(value) }
        state = .single
        return buffer
    }

    func encodeNil() throws { try begin(Void.self).append(Tag.null) }

    func encode<T: Encodable>(_ value: T) throws {
        let buffer = try begin(T.self)
        do {
            try write(value)
        } catch {
            buffer.truncate(to: start)
            state = .untouched
            throw error
        }
    }

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
}

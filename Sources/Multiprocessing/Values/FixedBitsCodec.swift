import MultiprocessingCoding

/// A number of the standard library, whose bits are its value, and any bits are a value.
///
/// Both ends run one executable on one machine, so the bits can travel as they are. A type of
/// the user's is never treated so, however trivial: its own `encode` and `init(from:)` may do more.
package protocol FixedBits: Codable, BitwiseCopyable, Sendable {}

extension FixedBits {
    static var codec: any AnyCodec { FixedBitsCodec<Self>() }
}

extension Int: FixedBits {}
extension Int8: FixedBits {}
extension Int16: FixedBits {}
extension Int32: FixedBits {}
extension Int64: FixedBits {}
extension Int128: FixedBits {}
extension UInt: FixedBits {}
extension UInt8: FixedBits {}
extension UInt16: FixedBits {}
extension UInt32: FixedBits {}
extension UInt64: FixedBits {}
extension UInt128: FixedBits {}
extension Float: FixedBits {}
extension Double: FixedBits {}

/// The codec of a number: its bits.
final class FixedBitsCodec<Value: FixedBits>: Codec<Value>, @unchecked Sendable {
    override var fixedSize: Int? { MemoryLayout<Value>.size }

    override var isBitwise: Bool { true }

    override func encode(_ value: Value, into message: inout Outgoing) {
        withUnsafeBytes(of: value) { message.bytes.append(contentsOf: $0) }
    }

    override func encode(contentsOf values: ArraySlice<Value>, into message: inout Outgoing) {
        values.withUnsafeBytes { message.bytes.append(contentsOf: $0) }
    }

    override func decode(
        _ count: Int,
        from incoming: inout Incoming,
        into values: inout [Value]
    ) throws {
        let bytes = try incoming.reader.readBytes(count * MemoryLayout<Value>.size)
        let decoded = [Value](unsafeUninitializedCapacity: count) { buffer, initialized in
            UnsafeMutableRawBufferPointer(buffer).copyMemory(from: bytes)
            initialized = count
        }
        if values.isEmpty {
            values = decoded
        } else {
            values.append(contentsOf: decoded)
        }
    }

    override func decode(from incoming: inout Incoming) throws -> Value {
        // Every pattern of bits is a value, so there is nothing to check.
        try incoming.reader.read()
    }
}

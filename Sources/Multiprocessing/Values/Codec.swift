import MultiprocessingCoding
import MultiprocessingSystem
import Synchronization

/// How values of one type travel between processes.
///
/// Chosen once for a type and then cached, so that no value pays for the choice.
package class Codec<Value>: AnyCodec, @unchecked Sendable {
    // Sendable: subclasses have no mutable state.

    /// The size of each value's bytes when it is the same for all; then values lie one after another without lengths.
    var fixedSize: Int? { nil }

    /// Whether a value's bytes are its bits, and any bits are a value.
    var isBitwise: Bool { false }

    /// Appends the value's bytes; on failure they are as before.
    package func encode(_ value: Value, into message: inout Outgoing) throws {
        fatalError("belongs to the kinds of codec; Codec itself is never made")
    }

    /// Appends the bytes of many values, one after another.
    func encode(contentsOf values: ArraySlice<Value>, into message: inout Outgoing) throws {
        for value in values { try encode(value, into: &message) }
    }

    /// Reads the next value of the message.
    package func decode(from incoming: inout Incoming) throws -> Value {
        fatalError("belongs to the kinds of codec; Codec itself is never made")
    }

    /// Reads `count` values that lie one after another, and appends them.
    func decode(_ count: Int, from incoming: inout Incoming, into values: inout [Value]) throws {
        for _ in 0..<count { values.append(try decode(from: &incoming)) }
    }

    final func encode(at address: UnsafeRawPointer, into message: inout Outgoing) throws {
        try encode(address.assumingMemoryBound(to: Value.self).pointee, into: &message)
    }

    final func decode(to address: UnsafeMutableRawPointer, from incoming: inout Incoming) throws {
        address.initializeMemory(as: Value.self, to: try decode(from: &incoming))
    }

    final func destroy(at address: UnsafeMutableRawPointer) {
        address.assumingMemoryBound(to: Value.self).deinitialize(count: 1)
    }

    // MARK: Large arrays

    /// The value's own memory, if the value is to be sent from there in a frame of its own.
    package func largeMemory(of value: Value) -> OwnedBytes? { nil }

    /// Makes the memory of a value that is sent so.
    ///
    /// - Throws: When such a value does not exist, or so much memory is not to be had.
    package func landing(size: UInt64) throws -> ArrivingArray { throw PortableFailure.unexpectedArray }

    /// The value whose memory is complete.
    package func value(in landing: ArrivingArray) throws -> Value { throw PortableFailure.unexpectedArray }
}

/// A codec for a value whose type is known only at run time.
protocol AnyCodec: AnyObject, Sendable {
    var fixedSize: Int? { get }
    func encode(at address: UnsafeRawPointer, into message: inout Outgoing) throws
    func decode(to address: UnsafeMutableRawPointer, from incoming: inout Incoming) throws
    func destroy(at address: UnsafeMutableRawPointer)
}

extension Codec {
    /// The codec for `Value`.
    ///
    /// - Throws: ``PoolError/Code/notPortable`` when values of the type cannot be sent.
    package static func resolve() throws -> Codec<Value> {
        let codec = try CodecTable.shared.codec(for: Value.self)
        // The table files each codec under the type that it was made for.
        return codec as! Codec<Value>
    }
}

/// A type that is not `Codable`, and that this library can send all the same.
protocol SelfCoding {
    static var codec: any AnyCodec { get }
}

/// The codecs in use, by type.
final class CodecTable: Sendable {
    static let shared = CodecTable()

    private let codecs = Mutex<[ObjectIdentifier: any AnyCodec]>([:])

    private init() {
        ClassNames.install()
    }

    func codec(for type: Any.Type) throws -> any AnyCodec {
        let key = ObjectIdentifier(type)
        if let known = codecs.withLock({ $0[key] }) { return known }
        let made = try make(type)
        codecs.withLock { $0[key] = made }
        return made
    }

    private func make(_ type: Any.Type) throws -> any AnyCodec {
        if type == Void.self { return VoidCodec() }
        if let type = type as? any SelfCoding.Type { return type.codec }
        if let codable = type as? any Codable.Type { return makeCodable(codable) }
        if let elements = TupleCodec<Void>.elements(of: type) {
            func open<Tuple>(_ tuple: Tuple.Type) throws -> any AnyCodec {
                try TupleCodec<Tuple>(elements: elements.map { ($0.offset, try codec(for: $0.type)) })
            }
            return try _openExistential(type, do: open)
        }
        throw PoolError.notCodable(type)
    }

    private func makeCodable<Value: Codable>(_ type: Value.Type) -> any AnyCodec {
        if let raw = type as? any FixedBits.Type { return raw.codec }
        if let array = type as? any NumberArray.Type { return array.numbersCodec }
        return CodableCodec<Value>()
    }
}

/// The codec of a value without bits.
final class VoidCodec: Codec<Void>, @unchecked Sendable {
    override var fixedSize: Int? { 0 }
    override func encode(_ value: Void, into message: inout Outgoing) {}
    override func decode(from incoming: inout Incoming) {}
}

extension ByteReader {
    /// Checks, for a large value, that there is memory for what is made of the bytes, which is as much again.
    ///
    /// Where memory is short an allocation that fails ends the process; this way it is the item's failure.
    func requireMemory() throws {
        guard remaining > ArrivingArray.largeSize, !LargeMemory.isAvailable(remaining) else { return }
        throw PortableFailure.noMemory(remaining)
    }
}

/// The codec of a type that describes itself.
final class CodableCodec<Value: Codable>: Codec<Value>, @unchecked Sendable {
    override func encode(_ value: Value, into message: inout Outgoing) throws {
        try message.encode(value)
    }

    override func decode(from incoming: inout Incoming) throws -> Value {
        try incoming.reader.requireMemory()
        return try incoming.decode()
    }
}

import MultiprocessingCoding

/// The codec of a tuple: its elements, one after another.
///
/// Tuples cannot conform to `Codable`, yet `zip`, `enumerated` and dictionaries yield them.
final class TupleCodec<Tuple>: Codec<Tuple>, @unchecked Sendable {
    private let elements: [(offset: Int, codec: any AnyCodec)]
    private let size: Int?

    init(elements: [(Int, any AnyCodec)]) throws {
        self.elements = elements
        var sum: Int? = 0
        for (_, codec) in elements {
            sum = codec.fixedSize.flatMap { size in sum.map { $0 + size } }
        }
        size = sum
    }

    override var fixedSize: Int? { size }

    override func encode(_ value: Tuple, into message: inout Outgoing) throws {
        let start = message.bytes.count
        do {
            try withUnsafeBytes(of: value) { bytes in
                guard let base = bytes.baseAddress else { return }
                for (offset, codec) in elements { try codec.encode(at: base + offset, into: &message) }
            }
        } catch {
            message.bytes.truncate(to: start)
            throw error
        }
    }

    override func decode(from incoming: inout Incoming) throws -> Tuple {
        let storage = UnsafeMutablePointer<Tuple>.allocate(capacity: 1)
        defer { storage.deallocate() }
        let base = UnsafeMutableRawPointer(storage)
        var decoded = 0
        do {
            for (offset, codec) in elements {
                try codec.decode(to: base + offset, from: &incoming)
                decoded += 1
            }
        } catch {
            for (offset, codec) in elements.prefix(decoded) { codec.destroy(at: base + offset) }
            throw error
        }
        return storage.move()
    }

    /// The types and offsets of a tuple's elements; `nil` for what is not a tuple.
    ///
    /// Relied on (`TupleTypeMetadata` in the runtime's `include/swift/ABI/Metadata.h`): the first
    /// word of a tuple's metadata is the kind 0x301; then follow the number of elements, the labels,
    /// and for each element its metadata and its offset. The kind is checked before anything else is read.
    static func elements(of type: Any.Type) -> [(type: Any.Type, offset: Int)]? {
        // A metatype's value is the address of the metadata.
        let metadata = unsafeBitCast(type, to: UnsafeRawPointer.self)
        guard metadata.load(as: UInt.self) == 0x301 else { return nil }
        let count = metadata.load(fromByteOffset: 8, as: Int.self)
        guard count > 0, count < 1_000 else { return nil }
        return (0..<count).map { index in
            let element = metadata + 24 + index * 16
            return (element.load(as: Any.Type.self), Int(element.load(fromByteOffset: 8, as: UInt32.self)))
        }
    }
}

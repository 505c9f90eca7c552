import MultiprocessingCoding

/// Values that travel by their type's codec: those of the standard library that have no parts, references to
/// distributed actors, and what codes itself.
struct CodedShape: TypedShape {
    let type: Any.Type
    let isPlain: Bool
    private let codec: any AnyCodec

    init(_ type: any Codable.Type, isPlain: Bool = false) throws(ShapeRefusal) {
        self.type = type
        self.isPlain = isPlain
        do {
            codec = try CodecTable.shared.codec(for: type)
        } catch {
            throw ShapeRefusal("a value that has no codec: \(error)")
        }
    }

    func encode(at place: UnsafeRawPointer, into message: inout Outgoing) throws {
        do {
            try codec.encode(at: place, into: &message)
        } catch let error as PoolError where error.code == .notPortable {
            throw error
        } catch {
            throw PoolError.notEncodable(type, as: "captured value", error)
        }
    }

    func decode(to place: UnsafeMutableRawPointer, from incoming: inout Incoming) throws {
        do {
            try codec.decode(to: place, from: &incoming)
        } catch {
            throw PoolError.notDecodable(type, as: "captured value", error)
        }
    }
}

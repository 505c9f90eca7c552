import MultiprocessingCoding
import MultiprocessingRuntime

extension PortableClosure {
    /// Encodes the captured values, each as its own type.
    ///
    /// - Throws: ``PoolError/Code/notPortable`` when one of them cannot be.
    func encodeCaptures(into buffer: ByteBuffer) throws {
        try forEachCapture { type, place in
            do {
                try CodecTable.shared.codec(for: type).encode(at: place, into: buffer)
            } catch let error as PoolError where error.code == .notPortable {
                throw PoolError.captureNotPortable(type)
            } catch {
                throw PoolError.notEncodable(type, as: "captured value", error)
            }
        }
    }
}

extension ClosureReference {
    /// Puts the closure together with captured values that ``PortableClosure/encodeCaptures(into:)`` wrote.
    func rebuild(from reader: inout ByteReader, keys: ReceivedKeys) throws -> FunctionWords {
        var rest = reader
        let words = try rebuild({ type, place in
            do {
                try CodecTable.shared.codec(for: type).decode(to: place, from: &rest, keys: keys)
            } catch {
                throw PoolError.notDecodable(type, as: "captured value", error)
            }
        })
        reader = rest
        return words
    }
}

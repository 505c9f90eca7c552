import MultiprocessingCoding
import MultiprocessingRuntime

extension CapturedClosure {
    /// Encodes the captured values, each by its shape.
    ///
    /// - Throws: ``PoolError/Code/notPortable`` when one of them cannot be.
    func encodeCaptures(into buffer: ByteBuffer) throws {
        try forEachCapture { shape, place in try shape.encode(at: place, into: buffer) }
    }
}

extension ClosureShape {
    /// Puts the closure together with captured values that ``CapturedClosure/encodeCaptures(into:)`` wrote.
    func rebuild(from reader: inout ByteReader, keys: ReceivedKeys) throws -> FunctionWords {
        var rest = reader
        let words = try rebuild({ shape, place in try shape.decode(to: place, from: &rest, keys: keys) })
        reader = rest
        return words
    }
}

import MultiprocessingCoding
import MultiprocessingRuntime

extension CapturedClosure {
    /// Encodes the captured values, each by its shape.
    ///
    /// - Throws: ``PoolError/Code/notPortable`` when one of them cannot be.
    func encodeCaptures(into message: inout Outgoing) throws {
        try forEachCapture { shape, place in try shape.encode(at: place, into: &message) }
    }
}

extension ClosureShape {
    /// Puts the closure together with captured values that ``CapturedClosure/encodeCaptures(into:)`` wrote.
    func rebuild(from incoming: inout Incoming) throws -> FunctionWords {
        var rest = incoming
        let words = try rebuild({ shape, place in try shape.decode(to: place, from: &rest) })
        incoming = rest
        return words
    }
}

import MultiprocessingRuntime

extension Encoder {
    /// Writes a handle of something that processes share, and sends it along.
    ///
    /// - Parameter value: The handle, for the error.
    /// - Throws: `EncodingError` when this is no encoder of the library.
    package func encode<Value>(shared object: SharedObject, for value: Value) throws {
        throw notEncodable(value)
    }

    /// Writes a handle of a slot, and sends its slab along.
    package func encode<Value>(shared slot: SharedSlot, _ kind: SharedKind, for value: Value) throws {
        throw notEncodable(value)
    }

    private func notEncodable<Value>(_ value: Value) -> EncodingError {
        var encoder = Substring(readableName(of: type(of: self)))
        // The encoder that a user knows has an inner one.
        encoder = encoder.drop { $0 == "_" }
        if encoder.hasSuffix("Impl") { encoder.removeLast(4) }
        let name = readableName(of: Value.self)
        return .invalidValue(
            value,
            .init(
                codingPath: codingPath,
                debugDescription: """
                    a \(name) cannot be encoded by \(encoder); send it to a worker or a ChildProcess
                    """))
    }
}

extension Decoder {
    /// Reads a handle of something that processes share.
    ///
    /// - Parameter type: The handle's type, for the error.
    /// - Throws: `DecodingError` when this is no decoder of the library, or what came is something else.
    package func sharedObject<Value>(_ kind: SharedKind, for type: Value.Type) throws -> SharedObject {
        throw DecodingError.dataCorrupted(.init(codingPath: codingPath, debugDescription: ""))
    }

    /// Reads a handle of a slot.
    package func sharedSlot<Value>(_ kind: SharedKind, for type: Value.Type) throws -> SharedSlot {
        throw DecodingError.dataCorrupted(.init(codingPath: codingPath, debugDescription: ""))
    }
}

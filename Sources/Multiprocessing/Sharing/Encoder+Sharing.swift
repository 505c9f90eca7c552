import MultiprocessingCoding
import MultiprocessingSystem

extension Encoder {
    /// Writes a handle of something that processes share, and sends it along.
    ///
    /// - Parameter value: The handle, for the error.
    /// - Throws: `EncodingError` when this is no encoder of the library.
    package func encode<Value>(shared object: SharedObject, for value: Value) throws {
        var container = singleValueContainer()
        try container.encode(try send(object, for: value))
    }

    /// Writes a handle of a slot, and sends its slab along.
    ///
    /// - Parameters:
    ///   - kind: What is in the slot.
    ///   - value: The handle, for the error.
    /// - Throws: `EncodingError` when this is no encoder of the library.
    package func encode<Value>(shared slot: SharedSlot, _ kind: SharedKind, for value: Value) throws {
        let number = try send(slot.object, for: value)
        var container = singleValueContainer()
        try container.encode(SlotReference(attachment: number, index: slot.index, kind: kind).rawValue)
    }

    /// Sends an object along, and returns the number that stands for it; looks for the message once.
    private func send<Value>(_ object: SharedObject, for value: Value) throws -> UInt64 {
        guard let collected = collectedAttachments else { throw notEncodable(value) }
        let attachment = object.attachment
        // Its bytes are few, so that it is refused for none.
        return collected.add(attachment) ? attachment.number : try attach(attachment, for: value)
    }

    private func notEncodable<Value>(_ value: Value) -> EncodingError {
        .invalidValue(
            value,
            .init(
                codingPath: codingPath,
                debugDescription: """
                    a \(shortName(of: Value.self)) cannot be encoded by \(coderName(of: self)); send it to a worker or \
                    a ChildProcess
                    """))
    }
}

extension Decoder {
    /// Reads a handle of something that processes share.
    ///
    /// - Parameter type: The handle's type, for the error.
    /// - Throws: `DecodingError` when this is no decoder of the library, or what came is something else;
    ///   ``SharedStateError`` when it was lost on the way, or cannot be mapped.
    package func sharedObject<Value>(_ kind: SharedKind, for type: Value.Type) throws -> SharedObject {
        guard let received = userObject(.incoming) as? ReceivedAttachments else { throw notDecodable(type) }
        let object = try receive(try singleValueContainer().decode(UInt64.self), received, for: type)
        guard object.kind == kind else { throw isAnother(type) }
        return object
    }

    /// Reads a handle of a slot; throws what ``sharedObject(_:for:)`` throws.
    ///
    /// - Parameter kind: What has to be in the slot.
    package func sharedSlot<Value>(_ kind: SharedKind, for type: Value.Type) throws -> SharedSlot {
        guard let received = userObject(.incoming) as? ReceivedAttachments else { throw notDecodable(type) }
        let reference = SlotReference(rawValue: try singleValueContainer().decode(UInt64.self))
        let object = try receive(reference.attachment, received, for: type)
        guard object.kind == .slab, reference.kind == kind.rawValue,
            let pages = object.pages, pages.count >= SharedSlot.count * SharedSlot.size,
            (1..<SharedSlot.count).contains(reference.index)
        else { throw isAnother(type) }
        return SharedSlot(object, at: reference.index)
    }

    private func receive<Value>(
        _ number: UInt64,
        _ received: ReceivedAttachments,
        for type: Value.Type
    ) throws -> SharedObject {
        if let known = received[number], known.failure == nil { return try SharedObject.received(known) }
        return try SharedObject.received(try attachment(number, for: type))
    }

    private func notDecodable<Value>(_ type: Value.Type) -> DecodingError {
        .dataCorrupted(
            .init(
                codingPath: codingPath,
                debugDescription: """
                    a \(shortName(of: type)) cannot be decoded by \(coderName(of: self)); have a worker or a \
                    ChildProcess send it
                    """))
    }

    private func isAnother<Value>(_ type: Value.Type) -> DecodingError {
        .dataCorrupted(
            .init(
                codingPath: codingPath,
                debugDescription: """
                    what was sent is no \(shortName(of: type)); decode it as what it was encoded
                    """))
    }
}

/// A slot as it travels: the attachment that its slab is, its place in it, and what it holds.
private struct SlotReference {
    let rawValue: UInt64

    init(rawValue: UInt64) {
        self.rawValue = rawValue
    }

    init(attachment: UInt64, index: Int, kind: SharedKind) {
        precondition(attachment < 1 << 44 && index < 1 << 12, "more than a process can ever have sent")
        rawValue = UInt64(kind.rawValue) << 56 | UInt64(index) << 44 | attachment
    }

    var attachment: UInt64 { rawValue & (1 << 44 - 1) }
    var index: Int { Int(rawValue >> 44 & 0xFFF) }
    var kind: UInt8 { UInt8(rawValue >> 56) }
}

/// What a user calls an encoder or decoder: those of Foundation have an inner one that does the work.
private func coderName(of coder: Any) -> String {
    var name = Substring(shortName(of: type(of: coder))).drop { $0 == "_" }
    if name.hasSuffix("Impl") { name.removeLast(4) }
    return String(name)
}

/// A type's name without its module.
func shortName(of type: Any.Type) -> String { _typeName(type, qualified: false) }

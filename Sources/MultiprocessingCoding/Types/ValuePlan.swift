/// A type whose values the coder writes and reads itself, without `encode(to:)` and `init(from:)`.
typealias DirectlyCoded = DirectlyEncoded & DirectlyDecoded

protocol DirectlyEncoded: SendableMetatype {
    /// Appends the value at an address, which is that of a `Self`.
    static func write(_ value: UnsafeRawPointer, to encoder: ValueEncoder) throws
}

protocol DirectlyDecoded: SendableMetatype {
    /// Makes a value from the bytes at `head`.
    ///
    /// `decoder` is that of the container the value is in, and `step` leads from there to the value.
    static func read(_ head: Head, at step: PathStep, in decoder: ValueDecoder) throws -> Self
}

/// How the values of one type are written and read.
struct ValuePlan: Sendable {
    /// Who writes the values, or nil if their own `encode(to:)` does.
    let writer: (any DirectlyEncoded.Type)?

    /// Who reads the values, or nil if their own `init(from:)` does.
    ///
    /// It is the type itself.
    let reader: (any DirectlyDecoded.Type)?

    /// What else has to be looked at.
    let kind: Kind

    enum Kind {
        case ordinary
        /// Foundation's `Data`.
        case data
        /// A class, whose instances may be of a subclass.
        case object
    }

    /// The type itself if it is Foundation's `Data`.
    // A type without isolated conformances may be used on any thread, and `Data` has none.
    nonisolated(unsafe) let data: (any ByteCollection.Type)?

    private static let plans = TypeTable<ValuePlan>()

    @inline(__always)
    static func of(_ type: Any.Type) -> UnsafePointer<ValuePlan> {
        plans.record(of: type) { ValuePlan(type) }
    }

    private init(_ type: Any.Type) {
        writer = type as? any DirectlyEncoded.Type
        reader = type as? any DirectlyDecoded.Type
        data = foundationData(type)
        kind = data != nil ? .data : MetadataKind.of(type) == MetadataKind.object ? .object : .ordinary
    }
}

extension Bool: DirectlyCoded {
    static func write(_ value: UnsafeRawPointer, to encoder: ValueEncoder) {
        encoder.buffer.append(value.load(as: Bool.self) ? Tag.yes : Tag.no)
    }

    static func read(_ head: Head, at step: PathStep, in decoder: ValueDecoder) throws -> Bool {
        try decoder.bool(head, step)
    }
}

extension String: DirectlyCoded {
    static func write(_ value: UnsafeRawPointer, to encoder: ValueEncoder) {
        encoder.buffer.append(text: value.assumingMemoryBound(to: String.self).pointee)
    }

    static func read(_ head: Head, at step: PathStep, in decoder: ValueDecoder) throws -> String {
        try decoder.text(head, step)
    }
}

// The standard library's own coding of an optional cannot tell `.some(.none)` from `.none`.

extension Optional: DirectlyEncoded where Wrapped: Encodable {
    static func write(_ value: UnsafeRawPointer, to encoder: ValueEncoder) throws {
        if let wrapped = value.assumingMemoryBound(to: Self.self).pointee {
            try encoder.write(wrapped: wrapped)
        } else {
            encoder.buffer.append(Tag.null)
        }
    }
}

extension Optional: DirectlyDecoded where Wrapped: Decodable {
    static func read(_ head: Head, at step: PathStep, in decoder: ValueDecoder) throws -> Wrapped? {
        try decoder.read(ifPresent: Wrapped.self, head, step)
    }
}

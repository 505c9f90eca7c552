import MultiprocessingCoding
import Testing

/// The bytes of a value.
func encoded<T: Encodable>(_ value: T) throws -> [UInt8] {
    let buffer = ByteBuffer()
    try BinaryEncoder().encode(value, into: buffer)
    return buffer.withUnsafeBytes { Array($0) }
}

/// The value that bytes of this process hold.
func decoded<T: Decodable>(_ type: T.Type, _ bytes: [UInt8]) throws -> T {
    try bytes.withUnsafeBytes { try BinaryDecoder().decode(type, from: $0) }
}

/// The value that bytes hold, with this process's keys sent to a receiver in an order of their own.
func decodedWithSentKeys<T: Decodable>(_ type: T.Type, _ bytes: [UInt8]) throws -> T {
    let buffer = ByteBuffer()
    KeyTable.shared.encodeEntries(from: 0, into: buffer)
    let keys = ReceivedKeys()
    try buffer.withUnsafeBytes { table in
        var reader = ByteReader(table)
        try keys.append(from: &reader)
    }
    return try bytes.withUnsafeBytes { try BinaryDecoder(keys: keys).decode(type, from: $0) }
}

/// Encodes and decodes a value, from an unaligned address too, and returns it.
func roundTrip<T: Codable>(_ value: T) throws -> T {
    let bytes = try encoded(value)
    _ = try decodedWithSentKeys(T.self, bytes)
    var shifted = bytes
    shifted.insert(0, at: 0)
    _ = try shifted.withUnsafeBytes { (shifted: UnsafeRawBufferPointer) -> T in
        try BinaryDecoder().decode(T.self, from: UnsafeRawBufferPointer(rebasing: shifted[1...]))
    }
    return try decoded(T.self, bytes)
}

/// Expects a value to be the same after a round trip, also inside other containers.
func expectRoundTrip<T: Codable & Equatable>(_ value: T, sourceLocation: SourceLocation = #_sourceLocation) throws {
    #expect(try roundTrip(value) == value, sourceLocation: sourceLocation)
    #expect(try roundTrip([value, value]) == [value, value], sourceLocation: sourceLocation)
    #expect(try roundTrip(["key": value]) == ["key": value], sourceLocation: sourceLocation)
    #expect(try roundTrip(Box(value: value)) == Box(value: value), sourceLocation: sourceLocation)
    #expect(try roundTrip(Single(value: value)) == Single(value: value), sourceLocation: sourceLocation)
    #expect(try roundTrip(Optional(value)) == value, sourceLocation: sourceLocation)
    let nested: T?? = .some(.some(value))
    #expect(try roundTrip(nested) == nested, sourceLocation: sourceLocation)
}

/// A value in a keyed container.
struct Box<Value: Codable & Equatable>: Codable, Equatable {
    var before = "before"
    var value: Value
    var after = 7
}

/// A value in a single value container.
struct Single<Value: Codable & Equatable>: Codable, Equatable {
    var value: Value

    init(value: Value) {
        self.value = value
    }

    init(from decoder: any Decoder) throws {
        value = try decoder.singleValueContainer().decode(Value.self)
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(value)
    }
}

/// A value whose coding is given as closures.
struct Custom: Encodable {
    let body: (any Encoder) throws -> Void

    func encode(to encoder: any Encoder) throws { try body(encoder) }
}

/// Runs a closure with the decoder of some bytes.
func withDecoder<R>(_ bytes: [UInt8], _ body: @escaping (any Decoder) throws -> R) throws -> R {
    try bytes.withUnsafeBytes { bytes in
        // The decoding takes a type, so the closure and its result travel by way of userInfo.
        let visit = Visit { try body($0) }
        _ = try BinaryDecoder(userInfo: [.visit: visit]).decode(Visitor.self, from: bytes)
        guard let result = visit.result as? R else { throw VisitFailure() }
        return result
    }
}

private struct VisitFailure: Error {}

// Only the test that made it uses it, on one thread.
private final class Visit: @unchecked Sendable {
    let body: (any Decoder) throws -> Any
    var result: Any?

    init(_ body: @escaping (any Decoder) throws -> Any) {
        self.body = body
    }
}

private struct Visitor: Decodable {
    init(from decoder: any Decoder) throws {
        guard let visit = decoder.userInfo[.visit] as? Visit else { throw VisitFailure() }
        visit.result = try visit.body(decoder)
    }
}

extension CodingUserInfoKey {
    fileprivate static var visit: Self {
        // A user-info key is made of any text.
        CodingUserInfoKey(rawValue: "visit").unsafelyUnwrapped
    }
}

/// A coding key of any text.
struct AnyKey: CodingKey, ExpressibleByStringLiteral {
    let stringValue: String
    let intValue: Int?

    init(stringValue: String) {
        self.stringValue = stringValue
        intValue = nil
    }

    init(intValue: Int) {
        stringValue = String(intValue)
        self.intValue = intValue
    }

    init(stringLiteral value: String) {
        self.init(stringValue: value)
    }
}

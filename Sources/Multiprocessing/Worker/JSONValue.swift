/// A value of JSON, as far as records of tests need it.
///
/// Foundation, whose decoder this stands for, is not imported by the library.
package enum JSONValue: Equatable {
    case object([String: JSONValue])
    case array([JSONValue])
    case string(String)
    case number(Double)
    case bool(Bool)
    case null

    /// `nil` if the bytes are not one value of JSON, nested no deeper than records are.
    package init?(parsing bytes: UnsafeRawBufferPointer) {
        var parser = JSONParser(bytes)
        guard let value = parser.value(depth: 0), parser.isAtEnd else { return nil }
        self = value
    }

    package subscript(key: String) -> JSONValue? {
        if case .object(let members) = self { members[key] } else { nil }
    }

    package var array: [JSONValue]? {
        if case .array(let elements) = self { elements } else { nil }
    }

    package var string: String? {
        if case .string(let text) = self { text } else { nil }
    }

    package var number: Double? {
        if case .number(let number) = self { number } else { nil }
    }

    package var bool: Bool? {
        if case .bool(let bool) = self { bool } else { nil }
    }
}

private struct JSONParser {
    private static let depthLimit = 32

    private var rest: Slice<UnsafeRawBufferPointer>

    init(_ bytes: UnsafeRawBufferPointer) {
        rest = bytes[...]
    }

    var isAtEnd: Bool {
        mutating get {
            skipSpace()
            return rest.isEmpty
        }
    }

    mutating func value(depth: Int) -> JSONValue? {
        guard depth < Self.depthLimit else { return nil }
        skipSpace()
        switch rest.first {
        case UInt8(ascii: "{"): return object(depth: depth)
        case UInt8(ascii: "["): return array(depth: depth)
        case UInt8(ascii: "\""): return text().map { .string($0) }
        case UInt8(ascii: "t"): return take("true") ? .bool(true) : nil
        case UInt8(ascii: "f"): return take("false") ? .bool(false) : nil
        case UInt8(ascii: "n"): return take("null") ? .null : nil
        default: return number()
        }
    }

    private mutating func object(depth: Int) -> JSONValue? {
        var members: [String: JSONValue] = [:]
        rest.removeFirst()
        if take("}") { return .object(members) }
        repeat {
            skipSpace()
            guard rest.first == UInt8(ascii: "\""), let key = text(), take(":"), let value = value(depth: depth + 1)
            else { return nil }
            members[key] = value
        } while take(",")
        return take("}") ? .object(members) : nil
    }

    private mutating func array(depth: Int) -> JSONValue? {
        var elements: [JSONValue] = []
        rest.removeFirst()
        if take("]") { return .array(elements) }
        repeat {
            guard let element = value(depth: depth + 1) else { return nil }
            elements.append(element)
        } while take(",")
        return take("]") ? .array(elements) : nil
    }

    private mutating func number() -> JSONValue? {
        let digits = rest.prefix { "+-.0123456789eE".utf8.contains($0) }
        rest = rest.dropFirst(digits.count)
        return Double(String(decoding: digits, as: UTF8.self)).map { .number($0) }
    }

    private mutating func text() -> String? {
        rest.removeFirst()
        var units: [UInt8] = []
        while let byte = rest.popFirst() {
            switch byte {
            case UInt8(ascii: "\""): return String(decoding: units, as: UTF8.self)
            case UInt8(ascii: "\\"):
                guard let character = escaped() else { return nil }
                units += String(character).utf8
            default: units.append(byte)
            }
        }
        return nil
    }

    /// The character that stands behind a backslash.
    private mutating func escaped() -> Character? {
        switch rest.popFirst() {
        case UInt8(ascii: "n"): return "\n"
        case UInt8(ascii: "t"): return "\t"
        case UInt8(ascii: "r"): return "\r"
        case UInt8(ascii: "b"): return "\u{8}"
        case UInt8(ascii: "f"): return "\u{C}"
        case UInt8(ascii: "u"):
            guard var units = codeUnit().map({ [$0] }) else { return nil }
            // The second half of a pair.
            if UTF16.isLeadSurrogate(units[0]), take("\\u"), let unit = codeUnit() { units.append(unit) }
            return String(decoding: units, as: UTF16.self).first
        case let byte?: return Character(Unicode.Scalar(byte))
        case nil: return nil
        }
    }

    private mutating func codeUnit() -> UInt16? {
        let digits = rest.prefix(4)
        rest = rest.dropFirst(digits.count)
        return UInt16(String(decoding: digits, as: UTF8.self), radix: 16)
    }

    /// Whether `text` comes next, behind spaces; then it is behind.
    private mutating func take(_ text: StaticString) -> Bool {
        skipSpace()
        return text.withUTF8Buffer { text in
            guard rest.starts(with: text) else { return false }
            rest = rest.dropFirst(text.count)
            return true
        }
    }

    private mutating func skipSpace() {
        rest = rest.drop { $0 == 0x20 || $0 == 0x0A || $0 == 0x0D || $0 == 0x09 }
    }
}

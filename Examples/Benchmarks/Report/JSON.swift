/// A value to be written as JSON.
///
/// Written here because Foundation would be loaded by every worker, which is this same executable.
enum JSON: CustomStringConvertible {
    case null
    case number(Double)
    case string(String)
    case array([JSON])
    /// With its members in the order in which they are to stand.
    case object([(String, JSON)])

    var description: String { text(indent: "") }

    private func text(indent: String) -> String {
        let inner = indent + "  "
        switch self {
        case .null:
            return "null"
        case .number(let number):
            // JSON has no infinity, and a whole number needs no fraction.
            guard number.isFinite else { return "null" }
            return Int(exactly: number).map(String.init) ?? "\(number)"
        case .string(let string):
            return Self.quoted(string)
        case .array(let elements) where elements.allSatisfy(\.isScalar):
            return "[" + elements.map { $0.text(indent: inner) }.joined(separator: ", ") + "]"
        case .array(let elements):
            return "[\n" + elements.map { inner + $0.text(indent: inner) }.joined(separator: ",\n") + "\n\(indent)]"
        case .object(let members) where members.isEmpty:
            return "{}"
        case .object(let members):
            let lines = members.map { "\(inner)\(Self.quoted($0.0)): \($0.1.text(indent: inner))" }
            return "{\n" + lines.joined(separator: ",\n") + "\n\(indent)}"
        }
    }

    private var isScalar: Bool {
        switch self {
        case .null, .number, .string: true
        case .array, .object: false
        }
    }

    private static func quoted(_ string: String) -> String {
        var text = "\""
        for scalar in string.unicodeScalars {
            switch scalar {
            case "\"": text += "\\\""
            case "\\": text += "\\\\"
            case "\n": text += "\\n"
            case _ where scalar.value < 0x20:
                let hexadecimal = String(scalar.value, radix: 16)
                text += "\\u" + String(repeating: "0", count: 4 - hexadecimal.count) + hexadecimal
            default: text.unicodeScalars.append(scalar)
            }
        }
        return text + "\""
    }
}

import MultiprocessingRuntime

/// What an error says of itself, cut to a length that people read.
///
/// An error of an encoder or a decoder holds the value that it was about, and its own description
/// prints all of it, however large or deeply nested. Its context says what was wrong, and where.
func describe(_ error: any Error) -> String {
    switch error {
    case let error as EncodingError:
        guard case .invalidValue(_, let context) = error else { break }
        return describe(context.debugDescription, context.codingPath)
    case let error as DecodingError:
        switch error {
        case .typeMismatch(let type, let context):
            return describe("not a \(readableName(of: type)): \(context.debugDescription)", context.codingPath)
        case .valueNotFound(let type, let context):
            return describe("no \(readableName(of: type)): \(context.debugDescription)", context.codingPath)
        case .keyNotFound(let key, let context):
            return describe("no value for the key \(key.stringValue): \(context.debugDescription)", context.codingPath)
        case .dataCorrupted(let context):
            return describe(context.debugDescription, context.codingPath)
        @unknown default:
            break
        }
    default:
        break
    }
    return shortened(String(describing: error))
}

private func describe(_ text: String, _ path: [any CodingKey]) -> String {
    guard !path.isEmpty else { return shortened(text) }
    let keys = path.prefix(16).map(\.stringValue).joined(separator: ".")
    return "\(shortened(text)) (at \(shortened(keys))\(path.count > 16 ? "…" : ""))"
}

private func shortened(_ text: String) -> String {
    let limit = 2_000
    return text.utf8.count <= limit ? text : "\(text.prefix(limit))…"
}

/// A type of which arrays are written and read as a whole, and not element by element through containers.
protocol ListElement: Codable, Sendable {
    /// Appends an array's value.
    static func write(list: UnsafeBufferPointer<Self>, to encoder: ValueEncoder)

    /// Makes the array at `head`; nil if it can only be read, or its errors told, in the usual way.
    static func list(_ head: Head, from bytes: BorrowedBytes) -> [Self]?
}

extension Array: DirectlyEncoded where Element: ListElement {
    static func write(_ value: UnsafeRawPointer, to encoder: ValueEncoder) throws {
        let list = value.assumingMemoryBound(to: Self.self).pointee
        list.withUnsafeBufferPointer { Element.write(list: $0, to: encoder) }
    }
}

extension Array: DirectlyDecoded where Element: ListElement {
    static func read(_ head: Head, at step: PathStep, in decoder: ValueDecoder) throws -> [Element] {
        try Element.list(head, from: decoder.bytes) ?? decoder.readByInit(Self.self, head, step)
    }
}

extension ContiguousArray: DirectlyEncoded where Element: ListElement {
    static func write(_ value: UnsafeRawPointer, to encoder: ValueEncoder) throws {
        let list = value.assumingMemoryBound(to: Self.self).pointee
        list.withUnsafeBufferPointer { Element.write(list: $0, to: encoder) }
    }
}

extension ContiguousArray: DirectlyDecoded where Element: ListElement {
    static func read(_ head: Head, at step: PathStep, in decoder: ValueDecoder) throws -> ContiguousArray<Element> {
        // Both kinds of array share their storage, so nothing is copied.
        if let list = Element.list(head, from: decoder.bytes) { return ContiguousArray(list) }
        return try decoder.readByInit(Self.self, head, step)
    }
}

extension FixedNumber {
    static func write(list: UnsafeBufferPointer<Self>, to encoder: ValueEncoder) {
        write(list: list, to: encoder.buffer)
    }

    static func list(_ head: Head, from bytes: BorrowedBytes) -> [Self]? { array(head, from: bytes) }
}

/// The bytes are those that an unkeyed container of texts has.
extension String: ListElement {
    static func write(list: UnsafeBufferPointer<String>, to encoder: ValueEncoder) {
        let start = encoder.beginList()
        for text in list { encoder.buffer.append(text: text) }
        encoder.endList(from: start, count: list.count)
    }

    static func list(_ head: Head, from bytes: BorrowedBytes) -> [String]? {
        guard let (limit, count) = try? bytes.list(head) else { return nil }
        var position = head.payload
        var isComplete = true
        let texts = [String](unsafeUninitializedCapacity: count) { texts, initialized in
            while initialized < count {
                guard let head = try? bytes.head(at: position, limit: limit), head.isText, let text = bytes.text(head)
                else { break }
                texts.initializeElement(at: initialized, to: text)
                initialized += 1
                position = head.end
            }
            isComplete = initialized == count && position == limit
        }
        return isComplete ? texts : nil
    }
}

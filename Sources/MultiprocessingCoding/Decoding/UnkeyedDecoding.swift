/// The container through which a value decodes its elements in order.
struct UnkeyedDecoding: UnkeyedDecodingContainer {
    private let decoder: ValueDecoder

    /// Where the next element starts.
    private var position: Int

    /// Where the elements end.
    private let limit: Int

    /// The tag of the numbers in the current run, and where it ends.
    private var runTag: UInt8 = 0
    private var runEnd = 0

    /// The number of elements; at least as many bytes are there.
    let count: Int?

    private(set) var currentIndex = 0

    init(_ decoder: ValueDecoder) throws {
        self.decoder = decoder
        let head = decoder.head
        let bytes = decoder.bytes
        position = head.payload
        switch head.tag {
        case Tag.nothing:
            limit = head.end
            count = 0
        case Tag.list...Tag.list64:
            do {
                let elements: Int
                (limit, elements) = try bytes.list(head)
                count = elements
            } catch {
                throw decoder.damage(error, .none)
            }
        case Tag.numbers:
            limit = head.end
            guard let (_, _, elements) = bytes.numbers(head) else {
                throw decoder.mismatch([Any].self, head, .none)
            }
            count = elements
            enterRun(head)
        default:
            throw decoder.mismatch([Any].self, head, .none)
        }
    }

    var codingPath: [any CodingKey] { decoder.codingPath }

    var isAtEnd: Bool { position >= limit }

    private var step: PathStep {
        @inline(__always) get { .element(currentIndex) }
    }

    /// The head of the next element, which stays the next.
    @inline(__always)
    private mutating func head(_ type: Any.Type) throws -> Head {
        if position < runEnd {
            return Head(tag: runTag, payload: position, end: position &+ Tag.numberSize(runTag))
        }
        guard position < limit else { throw missing(type) }
        let head = try decoder.head(at: position, limit: limit, step)
        guard head.tag == Tag.run else { return head }
        enterRun(head)
        return try self.head(inRun: type)
    }

    @inline(never)
    private mutating func head(inRun type: Any.Type) throws -> Head {
        guard position < runEnd else {
            throw decoder.damage(CodingFailure(.impossibleLength, offset: position), step)
        }
        return try head(type)
    }

    private mutating func enterRun(_ head: Head) {
        guard let (tag, start, _) = decoder.bytes.numbers(head) else { return }
        runTag = tag
        position = start - decoder.bytes.base
        runEnd = head.end
    }

    @inline(never)
    private func missing(_ type: Any.Type) -> DecodingError {
        .valueNotFound(type, decoder.context("there are no more elements", step))
    }

    @inline(__always)
    private mutating func advance(_ head: Head) {
        position = head.end
        currentIndex &+= 1
    }

    mutating func decodeNil() throws -> Bool {
        let head = try head(Never.self)
        guard head.tag == Tag.null else { return false }
        advance(head)
        return true
    }

    mutating func decode<T: Decodable>(_ type: T.Type) throws -> T {
        let head = try head(type)
        let value = try decoder.read(type, head, step)
        advance(head)
        return value
    }

    mutating func decodeIfPresent<T: Decodable>(_ type: T.Type) throws -> T? {
        if isAtEnd { return nil }
        let head = try head(type)
        let value = try decoder.read(ifPresent: type, head, step)
        advance(head)
        return value
    }

    mutating func nestedContainer<NestedKey: CodingKey>(
        keyedBy type: NestedKey.Type
    ) throws -> KeyedDecodingContainer<NestedKey> {
        let head = try head(KeyedDecodingContainer<NestedKey>.self)
        let container = try decoder.makeNested(head, step).container(keyedBy: type)
        advance(head)
        return container
    }

    mutating func nestedUnkeyedContainer() throws -> any UnkeyedDecodingContainer {
        let head = try head((any UnkeyedDecodingContainer).self)
        let container = try decoder.makeNested(head, step).unkeyedContainer()
        advance(head)
        return container
    }

    mutating func superDecoder() throws -> any Decoder {
        let head = try head((any Decoder).self)
        defer { advance(head) }
        return try decoder.makeNested(head, step)
    }

    // MARK: The standard library's own types

    @inline(__always)
    private mutating func number<N: FixedNumber>() throws -> N {
        let head = try head(N.self)
        let number: N = try decoder.number(head, step)
        advance(head)
        return number
    }

    mutating func decode(_ type: Bool.Type) throws -> Bool {
        let head = try head(type)
        let value = try decoder.bool(head, step)
        advance(head)
        return value
    }

    mutating func decode(_ type: String.Type) throws -> String {
        let head = try head(type)
        let value = try decoder.text(head, step)
        advance(head)
        return value
    }

    mutating func decode(_ type: Double.Type) throws -> Double { try number() }
    mutating func decode(_ type: Float.Type) throws -> Float { try number() }
    mutating func decode(_ type: Int.Type) throws -> Int { try number() }
    mutating func decode(_ type: Int8.Type) throws -> Int8 { try number() }
    mutating func decode(_ type: Int16.Type) throws -> Int16 { try number() }
    mutating func decode(_ type: Int32.Type) throws -> Int32 { try number() }
    mutating func decode(_ type: Int64.Type) throws -> Int64 { try number() }
    mutating func decode(_ type: UInt.Type) throws -> UInt { try number() }
    mutating func decode(_ type: UInt8.Type) throws -> UInt8 { try number() }
    mutating func decode(_ type: UInt16.Type) throws -> UInt16 { try number() }
    mutating func decode(_ type: UInt32.Type) throws -> UInt32 { try number() }
    mutating func decode(_ type: UInt64.Type) throws -> UInt64 { try number() }
    mutating func decode(_ type: Int128.Type) throws -> Int128 { try number() }
    mutating func decode(_ type: UInt128.Type) throws -> UInt128 { try number() }
}

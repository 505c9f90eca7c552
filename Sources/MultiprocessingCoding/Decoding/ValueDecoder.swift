/// How to get from a container to a value in it.
enum PathStep {
    case none
    /// The offset of the entry, whose key is read when somebody asks.
    case entry(Int)
    case element(Int)
}

/// The decoder that one value's `init(from:)` is given.
///
/// It knows where the value starts and ends and reads it in place. Decoders are used again
/// for the next value at the same level of nesting, unless a value keeps its own.
final class ValueDecoder: Decoder {
    let storage: DecodingStorage

    // Exclusivity is unchecked because no access to these properties lasts longer than
    // one load or store: they are never passed inout.
    @exclusivity(unchecked) private(set) var head: Head
    /// Where the next key is expected.
    @exclusivity(unchecked) var nextEntry = 0
    /// The entry that was found last.
    @exclusivity(unchecked) var foundEntry = 0

    /// The number of entries that were passed over in search of a key.
    var passedEntries = 0
    /// The entries by the text of their keys, made when passing over them takes too long.
    var entries: [String: Int]?

    private var parent: ValueDecoder?
    private var step = PathStep.none
    private var depth = 0

    /// The decoder of the level below, while it is not in use.
    private var idleChild: ValueDecoder?

    init(storage: DecodingStorage) {
        self.storage = storage
        head = Head(tag: Tag.null, payload: 0, end: 0)
    }

    @inline(__always)
    var bytes: BorrowedBytes { storage.bytes }

    // MARK: Values

    @inline(__always)
    func head(at offset: Int, limit: Int, _ step: @autoclosure () -> PathStep) throws -> Head {
        do {
            return try bytes.head(at: offset, limit: limit)
        } catch {
            throw damage(error, step())
        }
    }

    /// Reads a value of any type.
    @inline(__always)
    func read<T: Decodable>(_ type: T.Type, _ head: Head, _ step: PathStep) throws -> T {
        let plan = ValuePlan.of(type)
        if let reader = plan.pointee.reader { return try read(by: reader, head, step) }
        if plan.pointee.kind == .ordinary { return try readByInit(type, head, step) }
        return try readSpecial(plan, head, step)
    }

    // Apart from the rest, because this asks the runtime for other types.
    @inline(never)
    private func readSpecial<T: Decodable>(
        _ plan: UnsafePointer<ValuePlan>, _ head: Head, _ step: PathStep
    ) throws -> T {
        if plan.pointee.kind == .object { return try read(object: T.self, head, step) }
        if let data = plan.pointee.data, let value = try read(bytes: data, head, step) as? T { return value }
        return try readByInit(T.self, head, step)
    }

    @inline(__always)
    private func read<T, Same: DirectlyDecoded>(by reader: Same.Type, _ head: Head, _ step: PathStep) throws -> T {
        // The reader was looked up by the type T, and it is that type.
        unsafeBitCast(try reader.read(head, at: step, in: self), to: T.self)
    }

    /// Reads the payload of an optional, or nil.
    func read<T: Decodable>(ifPresent type: T.Type, _ head: Head, _ step: PathStep) throws -> T? {
        switch head.tag {
        case Tag.null: nil
        case Tag.some: try read(type, self.head(at: head.payload, limit: head.end, step), step)
        default: try read(type, head, step)
        }
    }

    /// Reads a value as its own `init(from:)` has it.
    func readByInit<T: Decodable>(_ type: T.Type, _ head: Head, _ step: PathStep) throws -> T {
        var child = idleChild ?? ValueDecoder(storage: storage)
        idleChild = nil
        try child.open(head, in: self, step)
        defer {
            // A value that kept its decoder keeps it, and its path, for itself.
            if isKnownUniquelyReferenced(&child) {
                child.parent = nil
                idleChild = child
            } else {
                storage.mayBeKept = true
            }
        }
        return try T(from: child)
    }

    /// A decoder of its own for a nested container or a superclass.
    func makeNested(_ head: Head, _ step: PathStep) throws -> ValueDecoder {
        storage.mayBeKept = true
        let decoder = ValueDecoder(storage: storage)
        try decoder.open(head, in: self, step)
        return decoder
    }

    private func open(_ head: Head, in parent: ValueDecoder, _ step: PathStep) throws {
        // A value that its parent reads as a single value starts where that starts, and is no deeper.
        let isSame = head.payload == parent.head.payload && head.end == parent.head.end
        guard parent.depth < Tag.deepestNesting || isSame, storage.hasStack else {
            throw parent.tooDeep(step)
        }
        self.parent = parent
        self.step = step
        depth = isSame ? parent.depth : parent.depth + 1
        self.head = head
        nextEntry = head.payload
        passedEntries = 0
        if entries != nil { entries = nil }
    }

    @inline(__always)
    func bool(_ head: Head, _ step: @autoclosure () -> PathStep) throws -> Bool {
        switch head.tag {
        case Tag.yes: return true
        case Tag.no: return false
        default: throw mismatch(Bool.self, head, step())
        }
    }

    @inline(__always)
    func number<N: FixedNumber>(_ head: Head, _ step: @autoclosure () -> PathStep) throws -> N {
        guard let number = N.load(head, from: bytes) else { throw mismatch(N.self, head, step()) }
        return number
    }

    @inline(__always)
    func text(_ head: Head, _ step: @autoclosure () -> PathStep) throws -> String {
        guard head.isText else {
            throw mismatch(String.self, head, step())
        }
        guard let text = bytes.text(head) else {
            throw damage(CodingFailure(.invalidText, offset: head.payload), step())
        }
        return text
    }

    // MARK: Decoder

    var userInfo: [CodingUserInfoKey: Any] { storage.userInfo }

    var codingPath: [any CodingKey] {
        var path: [any CodingKey] = []
        var decoder = self
        // A loop, because the stack may be what is short.
        while let parent = decoder.parent {
            if let key = key(decoder.step) { path.append(key) }
            decoder = parent
        }
        return path.reversed()
    }

    func container<Key: CodingKey>(keyedBy type: Key.Type) throws -> KeyedDecodingContainer<Key> {
        KeyedDecodingContainer(try KeyedDecoding<Key>(self))
    }

    func unkeyedContainer() throws -> any UnkeyedDecodingContainer { try UnkeyedDecoding(self) }

    func singleValueContainer() throws -> any SingleValueDecodingContainer { self }

    // MARK: Errors

    /// The path to this value and on to one in it.
    func path(_ step: PathStep) -> [any CodingKey] {
        guard let key = key(step) else { return codingPath }
        return codingPath + [key]
    }

    /// The key that a step stands for, if it leads anywhere.
    private func key(_ step: PathStep) -> PathKey? {
        switch step {
        case .none: return nil
        case .element(let index): return PathKey(index: index)
        case .entry(let offset):
            guard let key = try? bytes.key(at: offset, limit: bytes.count) else { return nil }
            return bytes.pathKey(key.name, in: storage.keys)
        }
    }

    private func tooDeep(_ step: PathStep) -> DecodingError {
        let problem =
            storage.hasStack
            ? "values are nested more than \(Tag.deepestNesting) deep, each container counted (a case of an enum has up to three)"
            : "values are nested deeper than the stack of this thread allows"
        return .dataCorrupted(context(problem, step))
    }

    func context(_ problem: String, _ step: PathStep, _ cause: (any Error)? = nil) -> DecodingError.Context {
        DecodingError.Context(codingPath: path(step), debugDescription: problem, underlyingError: cause)
    }

    @inline(never)
    func damage(_ failure: CodingFailure, _ step: PathStep) -> DecodingError {
        .dataCorrupted(context(failure.description, step, failure))
    }

    /// Why the value at `head` cannot be read as a type.
    @inline(never)
    func mismatch(_ type: Any.Type, _ head: Head, _ step: PathStep) -> DecodingError {
        if head.end > bytes.count { return damage(CodingFailure(.bytesGone, offset: head.payload), step) }
        if head.tag == Tag.null || head.tag == Tag.some {
            return .valueNotFound(type, context("\(type) was expected, but nil was found", step))
        }
        let isNumber = head.tag < Tag.shortText || head.tag >= Tag.negative || Tag.isNumber(head.tag)
        let isFloat = Tag.float16...Tag.float64 ~= head.tag
        if isNumber, type is any FixedFloat.Type || (type is any FixedInteger.Type && !isFloat) {
            return .dataCorrupted(context("the number does not fit in \(type)", step))
        }
        return .typeMismatch(type, context("\(type) was expected, but \(Tag.describe(head.tag)) was found", step))
    }
}

import MultiprocessingCoding
import MultiprocessingSystem
import Synchronization

/// How the elements of a queue become items, and items elements again.
///
/// An item is read by itself, by any process of the tree: it names the keys that it uses.
class QueueCoding<Element: Codable & Sendable>: @unchecked Sendable {
    // Sendable: subclasses add nothing that changes, and what this one has is locked.

    /// How many bytes every element takes, if they are its bits; any bits are a value then.
    var bitSize: Int? { nil }

    /// Whether an element is made of its bytes by copying them and nothing else, so that it may be done under a lock.
    var isPlain: Bool { false }

    private let encoders = Mutex<[QueueEncoder]>([])
    private let keys = QueueKeys()

    init() {}

    static func make() -> QueueCoding<Element> {
        // Names classes for the coder.
        _ = CodecTable.shared
        let known: (any AnyObject)?
        if let bits = Element.self as? any FixedBits.Type {
            known = bits.queueCoding
        } else if let numbers = Element.self as? any QueueNumbers.Type {
            known = numbers.queueCoding
        } else {
            known = nil
        }
        return known as? QueueCoding<Element> ?? QueueCoding()
    }

    /// Calls `body` with the bytes of an element, and what they refer to.
    func encode<Result>(
        _ element: Element, _ body: (UnsafeRawBufferPointer, [Attachment]) throws -> Result
    ) throws -> Result {
        let encoder = encoders.withLock { $0.popLast() } ?? QueueEncoder()
        defer { keep(encoder) }
        try encoder.encode(element)
        let attachments = encoder.attachments
        return try encoder.buffer.withUnsafeBytes { try body($0, attachments) }
    }

    /// Appends the bytes of an element, for one of several items.
    func append(_ element: Element, to encoder: QueueEncoder) throws { try encoder.encode(element) }

    /// An encoder that has nothing encoded yet.
    func takeEncoder() -> QueueEncoder {
        encoders.withLock { $0.popLast() } ?? QueueEncoder()
    }

    func keep(_ encoder: QueueEncoder) {
        encoder.removeAll()
        encoders.withLock { encoders in
            if encoders.count < 8 { encoders.append(encoder) }
        }
    }

    /// Makes an element of its bytes.
    ///
    /// - Parameter attachments: What came beside the bytes, if anything.
    func decode(_ bytes: UnsafeRawBufferPointer, _ attachments: ReceivedAttachments? = nil) throws -> Element {
        let (value, entries) = try QueueEncoder.parts(of: bytes)
        let reader = ByteReader(value)
        if reader.remaining > ArrivingArray.largeSize { try reader.requireMemory() }
        let known: ReceivedKeys
        if let attachments {
            known = try QueueKeys.make(entries, userInfo: [.incoming: attachments])
        } else {
            known = try keys.find(entries)
        }
        return try BinaryDecoder(keys: known).decode(Element.self, from: value)
    }

    /// Whether an item of so many bytes can be an element.
    func canBe(_ size: Int) -> Bool { size >= QueueEncoder.trailerSize }
}

/// Writes elements as whole messages: the value, the keys that it uses, and how many bytes those take.
///
/// `Sendable` is unchecked because one at a time has it.
final class QueueEncoder: @unchecked Sendable {
    static let trailerSize = 4
    private static let keptSize = 1 << 20

    let buffer = ByteBuffer()
    private let session: EncodingSession

    init() {
        session = EncodingSession(ofWholeMessagesInto: buffer) { [.outgoing: CollectedAttachments(limit: .max)] }
    }

    private var collected: CollectedAttachments? {
        session.knownUserInfo?[.outgoing] as? CollectedAttachments
    }

    var attachments: [Attachment] { collected?.all ?? [] }

    /// Appends an element; on failure the bytes are as before.
    func encode(_ element: some Encodable) throws {
        do {
            try session.encode(element)
        } catch {
            // The keys that it has used.
            let start = buffer.count
            session.appendKeys()
            buffer.truncate(to: start)
            throw error
        }
        let start = buffer.count
        session.appendKeys()
        buffer.append(UInt32(buffer.count - start))
    }

    func removeAll() {
        buffer.removeAll(keepingCapacity: buffer.count <= Self.keptSize)
        collected?.removeAll()
    }

    /// The value and the keys of a message.
    static func parts(
        of bytes: UnsafeRawBufferPointer
    ) throws -> (value: UnsafeRawBufferPointer, keys: UnsafeRawBufferPointer) {
        let end = bytes.count - trailerSize
        guard end >= 0 else { throw SharedStateError.damagedQueue }
        let count = Int(bytes.loadUnaligned(fromByteOffset: end, as: UInt32.self))
        guard count <= end else { throw SharedStateError.damagedQueue }
        return (
            UnsafeRawBufferPointer(rebasing: bytes[..<(end - count)]),
            UnsafeRawBufferPointer(rebasing: bytes[(end - count)..<end])
        )
    }
}

/// The keys of messages that came, so that those of the next message with the same need not be read again.
final class QueueKeys: Sendable {
    private struct Known {
        let bytes: [UInt8]
        let keys: ReceivedKeys
    }

    private static let limit = 64

    private let known = Mutex<[Known]>([])
    private let none = ReceivedKeys(userInfo: CommonUserInfo.current)

    func find(_ entries: UnsafeRawBufferPointer) throws -> ReceivedKeys {
        if entries.isEmpty { return none }
        let found = known.withLock { known in
            known.first { $0.bytes.count == entries.count && $0.bytes.elementsEqual(entries) }?.keys
        }
        if let found { return found }
        let made = try Self.make(entries, userInfo: [:])
        known.withLock { known in
            if known.count == Self.limit { known.removeFirst() }
            known.append(Known(bytes: Array(entries), keys: made))
        }
        return made
    }

    static func make(
        _ entries: UnsafeRawBufferPointer, userInfo: [CodingUserInfoKey: any Sendable]
    ) throws -> ReceivedKeys {
        let keys = ReceivedKeys(userInfo: CommonUserInfo.current.merging(userInfo) { $1 })
        if !entries.isEmpty {
            var reader = ByteReader(entries)
            try keys.append(from: &reader)
        }
        return keys
    }
}

// MARK: Bits

extension FixedBits {
    fileprivate static var queueCoding: any AnyObject { QueueBits<Self>() }
}

/// Numbers, which travel as their bits.
private final class QueueBits<Value: FixedBits>: QueueCoding<Value>, @unchecked Sendable {
    override var bitSize: Int? { MemoryLayout<Value>.size }
    override var isPlain: Bool { true }

    override func encode<Result>(
        _ element: Value, _ body: (UnsafeRawBufferPointer, [Attachment]) throws -> Result
    ) throws -> Result {
        try withUnsafeBytes(of: element) { try body($0, []) }
    }

    override func decode(_ bytes: UnsafeRawBufferPointer, _: ReceivedAttachments?) throws -> Value {
        guard canBe(bytes.count) else { throw SharedStateError.damagedQueue }
        return bytes.loadUnaligned(as: Value.self)
    }

    override func canBe(_ size: Int) -> Bool { size == MemoryLayout<Value>.size }
}

/// An array whose elements' bits are their values.
protocol QueueNumbers {
    static var queueCoding: any AnyObject { get }
}

extension Array: QueueNumbers where Element: FixedBits {
    static var queueCoding: any AnyObject { QueueNumberArrays<Element>() }
}

/// Arrays of numbers, which travel as the numbers' bits, one behind another.
private final class QueueNumberArrays<Number: FixedBits>: QueueCoding<[Number]>, @unchecked Sendable {
    override var isPlain: Bool { true }

    override func encode<Result>(
        _ element: [Number], _ body: (UnsafeRawBufferPointer, [Attachment]) throws -> Result
    ) throws -> Result {
        try element.withUnsafeBytes { try body($0, []) }
    }

    override func append(_ element: [Number], to encoder: QueueEncoder) {
        element.withUnsafeBytes { encoder.buffer.append(contentsOf: $0) }
    }

    override func decode(_ bytes: UnsafeRawBufferPointer, _: ReceivedAttachments?) throws -> [Number] {
        guard canBe(bytes.count) else { throw SharedStateError.damagedQueue }
        let reader = ByteReader(bytes)
        try reader.requireMemory()
        let count = bytes.count / MemoryLayout<Number>.stride
        return [Number](unsafeUninitializedCapacity: count) { numbers, initialized in
            UnsafeMutableRawBufferPointer(numbers).copyMemory(from: bytes)
            initialized = count
        }
    }

    override func canBe(_ size: Int) -> Bool { size % MemoryLayout<Number>.stride == 0 }
}

package import MultiprocessingCoding
import MultiprocessingRuntime
package import MultiprocessingSystem
import Synchronization

/// A message while it is decoded: the bytes, and what its sender has sent before that they refer to.
package struct Incoming {
    /// Where in the bytes the next value begins.
    package var reader: ByteReader

    package let sender: Sender

    package init(_ reader: ByteReader, from sender: Sender) {
        self.reader = reader
        self.sender = sender
    }

    package init(_ bytes: UnsafeRawBufferPointer, from sender: Sender) {
        self.init(ByteReader(bytes), from: sender)
    }

    /// Reads a value that describes itself.
    package mutating func decode<Value: Decodable>(_ type: Value.Type = Value.self) throws -> Value {
        try BinaryDecoder(keys: sender.keys).decode(type, from: &reader)
    }

    /// Calls `body` with the bytes of an item that says how long it is, and goes on behind them whatever `body` reads.
    mutating func withItem<R>(_ body: (inout Incoming) throws -> R) throws -> R {
        let item = ByteReader(try reader.readItem())
        let rest = reader
        reader = item
        defer { reader = rest }
        return try body(&self)
    }
}

extension ByteReader {
    /// Reads the bytes of an item that says how long it is.
    mutating func readItem() throws -> UnsafeRawBufferPointer {
        let size: UInt64 = try read()
        guard size <= UInt64(remaining) else { throw CodingFailure(.impossibleLength, offset: offset) }
        return try readBytes(Int(size))
    }
}

/// One process that messages come from, and what it has sent that its later messages refer to.
package final class Sender: Sendable {
    /// Names of keys.
    package let keys: ReceivedKeys

    package let attachments: ReceivedAttachments

    /// - Parameters:
    ///   - userInfo: What values find in their decoders' `userInfo`, besides the sender's attachments.
    ///   - attachmentLimit: How many bytes its attachments may take together.
    package init(userInfo: [CodingUserInfoKey: any Sendable] = [:], attachmentLimit: Int = .max) {
        attachments = ReceivedAttachments(limit: attachmentLimit)
        let common = CommonUserInfo.current.merging(userInfo) { $1 }
        keys = ReceivedKeys(userInfo: common.merging([.incoming: attachments]) { $1 })
        attachments.belong(to: self)
    }

    /// Whether the sender may be another build.
    var isOfOtherBuild: Bool { keys.userInfo[.otherBuild] != nil }

    /// Reads part of a message of this sender.
    func read<R>(_ reader: inout ByteReader, _ body: (inout Incoming) throws -> R) rethrows -> R {
        var incoming = Incoming(reader, from: self)
        defer { reader = incoming.reader }
        return try body(&incoming)
    }
}

/// The attachments that one process has sent and not told to forget, by its numbers.
package final class ReceivedAttachments: Sendable {
    private struct State {
        var attachments: [UInt64: Attachment] = [:]
        var size = 0
    }

    private struct Owner {
        weak var sender: Sender?
    }

    private let state = Mutex(State())
    private let owner = Mutex(Owner())
    private let limit: Int

    /// What one counts for, besides its bytes.
    private static let overhead = 256

    init(limit: Int) {
        self.limit = limit
    }

    fileprivate func belong(to sender: Sender) {
        owner.withLock { $0.sender = sender }
    }

    /// Calls `body` with the bytes of an attachment as a message of who sent them.
    ///
    /// - Throws: What `body` throws, and an error if the sender is gone.
    func read<R>(_ bytes: ByteBuffer, _ body: (inout Incoming) throws -> R) throws -> R {
        guard let sender = owner.withLock({ $0.sender }) else { throw PortableFailure.unexpectedAttachment }
        return try bytes.withUnsafeBytes { bytes in
            var incoming = Incoming(bytes, from: sender)
            return try body(&incoming)
        }
    }

    /// The attachment with this number.
    subscript(number: UInt64) -> Attachment? {
        state.withLock { $0.attachments[number] }
    }

    /// How many there are.
    package var count: Int { state.withLock { $0.attachments.count } }

    /// Takes the payload of a frame that carries one: its number, and its bytes.
    ///
    /// - Parameter takeDescriptors: Called with the number for what came beside the frame.
    /// - Throws: When the sender has sent that number before, or more than it may, and what `takeDescriptors` throws.
    package func receive(
        from reader: inout ByteReader,
        _ takeDescriptors: (UInt64) throws -> Result<[OpenDescriptor], any Error> = { _ in .success([]) }
    ) throws {
        let number: UInt64 = try reader.read()
        let bytes = ByteBuffer(capacity: reader.remaining)
        bytes.append(contentsOf: try reader.readBytes(reader.remaining))
        try add(number, bytes, try takeDescriptors(number))
    }

    /// Takes one that came in another way than by a frame.
    ///
    /// - Parameter descriptors: What came beside its bytes, or why that was lost: whoever asks for it is told.
    /// - Throws: When the sender has sent that number before, or more than it may.
    package func add(
        _ number: UInt64,
        _ bytes: ByteBuffer,
        _ descriptors: Result<[OpenDescriptor], any Error>
    ) throws {
        let attachment: Attachment
        switch descriptors {
        case .success(let descriptors): attachment = Attachment(bytes, descriptors: descriptors)
        case .failure(let failure): attachment = Attachment(bytes, failure: failure)
        }
        try state.withLock { state in
            let (size, overflow) = state.size.addingReportingOverflow(bytes.count + Self.overhead)
            guard number != 0, !overflow, size <= limit,
                state.attachments.updateValue(attachment, forKey: number) == nil
            else { throw PortableFailure.unexpectedAttachment }
            state.size = size
        }
    }

    /// Forgets an attachment that no more bytes refer to; those who have it keep it.
    package func forget(_ number: UInt64) throws {
        // Let go of outside of the lock.
        let forgotten = state.withLock { state in
            let attachment = state.attachments.removeValue(forKey: number)
            if let attachment { state.size -= attachment.size + Self.overhead }
            return attachment
        }
        guard forgotten != nil else { throw PortableFailure.unexpectedAttachment }
    }
}

extension CodingUserInfoKey {
    /// Where a decoder has the attachments of the sender whose bytes it reads.
    package static let incoming = CodingUserInfoKey(rawValue: "Multiprocessing.incoming")!
}

extension Decoder {
    /// What was attached where the message was encoded.
    ///
    /// - Parameters:
    ///   - number: What ``Swift/Encoder/attach(_:for:)`` returned there.
    ///   - type: The type that needs it, for the error.
    /// - Throws: `DecodingError` when this is no decoder of a pool, or no such attachment came.
    package func attachment<Value>(_ number: UInt64, for type: Value.Type) throws -> Attachment {
        // Names are made for errors only: each takes some microseconds.
        guard let received = userObject(.incoming) as? ReceivedAttachments else {
            let (name, decoder) = (readableName(of: Value.self), readableName(of: Swift.type(of: self)))
            throw DecodingError.dataCorrupted(
                .init(
                    codingPath: codingPath,
                    debugDescription: """
                        a value of type \(name) cannot be decoded with \(decoder), because it stands for something that \
                        no bytes hold; have a pool send it
                        """))
        }
        guard let attachment = received[number] else {
            throw DecodingError.dataCorrupted(
                .init(
                    codingPath: codingPath,
                    debugDescription: """
                        a value of type \(readableName(of: Value.self)) refers to attachment \(number), which was not \
                        sent or is not needed any more
                        """))
        }
        if let failure = attachment.failure { throw failure }
        return attachment
    }
}

import MultiprocessingCoding
import Synchronization

/// A value that is sent to each worker at most once, however many items use it; made by ``Pool/broadcast(_:)``.
///
/// ```swift
/// let dictionary = pool.broadcast(try loadDictionary())
/// let known = try await pool.map(words) { dictionary.value.contains($0) }
/// ```
///
/// It is a handle, which costs next to nothing to copy: it may be captured, be an input or a part of one, or of a result,
/// in any number of calls. A worker process gets the value ahead of the first item that has a handle, and makes it
/// once, when that item's input or captures are read. On threads nothing is encoded or copied.
///
/// The value goes when the last handle goes: in the program with those that the caller and the items on their way hold, in a worker
/// process soon after that, unless something there still keeps a handle. From its first use on processes on, the program
/// has the encoded value too, for workers that are still to come.
///
/// Only a pool can send it: any other encoder refuses it with an error that says so. The handle works with each
/// pool, and a worker can pass it on to a pool of its own, which encodes it anew.
public struct Broadcast<Value: Codable & Sendable>: Portable {
    private let source: BroadcastSource<Value>

    // The second property: a structure of one object cannot be told from the object when it is captured alone.
    private let isOfThisProcess: Bool

    init(_ value: Value) {
        source = BroadcastSource(value)
        isOfThisProcess = true
    }

    /// The value; in a worker process its copy there.
    public var value: Value { source.value }

    /// Sends the value along with the message of a pool.
    ///
    /// - Throws: `EncodingError` when the encoder is no pool's, and what the value's own encoding throws.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(try encoder.attach(try source.attachment(for: encoder), for: self))
    }

    /// Takes the value that came with the message of a pool.
    ///
    /// - Throws: `DecodingError` when the decoder is no pool's, and what the value's own decoding throws.
    public init(from decoder: any Decoder) throws {
        let number = try decoder.singleValueContainer().decode(UInt64.self)
        let attachment = try decoder.attachment(number, for: Self.self)
        guard let received = decoder.userInfo[.incoming] as? ReceivedAttachments else {
            throw PortableFailure.unexpectedAttachment
        }
        // The bytes are of no use any more: where the value is sent on, it is encoded for that process.
        source = try attachment.object(keepsBytes: false) { bytes in
            try received.read(bytes) { BroadcastSource(try Codec<Value>.resolve().decode(from: &$0)) }
        }
        isOfThisProcess = false
    }
}

/// What all handles of one ``Broadcast`` in one process share.
private final class BroadcastSource<Value: Codable & Sendable>: Sendable {
    let value: Value

    /// What is sent of it, once it has been sent.
    private let sent = Mutex<Attachment?>(nil)

    init(_ value: Value) {
        self.value = value
    }

    /// The encoded value, made when it is first needed.
    func attachment(for encoder: any Encoder) throws -> Attachment {
        if let known = sent.withLock({ $0 }) { return known }
        // Another encoder could not send it, however large it is.
        guard encoder.userInfo[.outgoing] != nil else { return Attachment(ByteBuffer()) }
        var message = Outgoing()
        try Codec<Value>.resolve().encode(value, into: &message)
        let made = Attachment(message.bytes, attachments: message.attachments)
        return sent.withLock { sent in
            if let first = sent { return first }
            sent = made
            return made
        }
    }
}

package import MultiprocessingCoding
package import MultiprocessingSystem
import Synchronization

/// Something with an identity that encoded values refer to by number, and that travels apart from them.
///
/// A process is sent it once, ahead of the first bytes that refer to it, however many refer to it and from however deep
/// inside. It keeps it until the sender's object goes. The value that has the object attaches it in its `encode(to:)`
/// and writes the number, and its `init(from:)` asks for what came under that number:
///
/// ```swift
/// func encode(to encoder: any Encoder) throws {
///     var container = encoder.singleValueContainer()
///     try container.encode(try encoder.attach(attachment, for: self))
/// }
///
/// init(from decoder: any Decoder) throws {
///     attachment = try decoder.attachment(try decoder.singleValueContainer().decode(UInt64.self), for: Self.self)
/// }
/// ```
///
/// Sendable is unchecked for the subclass, which adds nothing.
package class Attachment: @unchecked Sendable {
    /// The number by which this process speaks of the object to others, from 1; of no other object before or after.
    package let number: UInt64

    /// What is sent of it.
    package let bytes: ByteBuffer

    /// How many bytes it had when it came.
    let size: Int

    /// What its own bytes refer to.
    package let attachments: [Attachment]

    /// What travels beside the bytes, at most ``Socket/maximumDescriptorCount``.
    package let descriptors: [OpenDescriptor]

    /// Why it did not come whole, if it did not.
    let failure: (any Error)?

    private struct Holder {
        weak var holder: (any AttachmentHolder)?
    }

    private let holders = Mutex<[Holder]>([])

    private struct Made {
        var object: (any AnyObject & Sendable)?
        /// How many threads read the bytes to make it.
        var makers = 0
    }

    /// What was made of the bytes.
    private let made = Mutex(Made())

    private static let count = Atomic<UInt64>(0)

    package init(
        _ bytes: ByteBuffer,
        attachments: [Attachment] = [],
        descriptors: [OpenDescriptor] = [],
        failure: (any Error)? = nil
    ) {
        self.bytes = bytes
        self.descriptors = descriptors
        self.failure = failure
        size = bytes.count
        self.attachments = attachments
        number = Self.count.wrappingAdd(1, ordering: .relaxed).newValue
    }

    deinit {
        for holder in holders.withLock({ $0 }) { holder.holder?.forget(attachment: number) }
    }

    /// Remembers a process that has been sent the object, and will be told when it goes.
    package final func addHolder(_ holder: any AttachmentHolder) {
        holders.withLock { holders in
            guard !holders.contains(where: { $0.holder === holder }) else { return }
            holders.removeAll { $0.holder == nil }
            holders.append(Holder(holder: holder))
        }
        for attachment in attachments { attachment.addHolder(holder) }
    }

    /// What the bytes stand for in this process: made once, whoever asks.
    ///
    /// - Parameters:
    ///   - keepsBytes: Whether the bytes are of use once the object is there; else their memory is given back.
    ///   - make: May be called by several threads at once; the first result counts.
    package final func object<Object: AnyObject & Sendable>(
        _ type: Object.Type = Object.self,
        keepsBytes: Bool = true,
        _ make: (ByteBuffer) throws -> Object
    ) throws -> Object {
        let known = made.withLock { made in
            if made.object == nil { made.makers += 1 }
            return made.object
        }
        if let known { return try Self.cast(known) }
        let result = Result { try make(bytes) }
        let (object, isUnread) = made.withLock { made in
            made.makers -= 1
            if made.object == nil, case .success(let object) = result { made.object = object }
            // Nobody begins to read them any more.
            return (made.object, made.makers == 0 && made.object != nil)
        }
        if isUnread, !keepsBytes { bytes.removeAll() }
        return try Self.cast(try object ?? result.get())
    }

    private static func cast<Object>(_ object: any AnyObject & Sendable) throws -> Object {
        guard let object = object as? Object else { throw PortableFailure.unexpectedAttachment }
        return object
    }
}

/// The way to a process that was sent attachments.
package protocol AttachmentHolder: AnyObject, Sendable {
    /// Tells the process that bytes will not refer to the attachment any more.
    ///
    /// Called on any thread, where the last reference to the attachment is let go.
    func forget(attachment: UInt64)
}

/// What all items of one call share, encoded once.
final class SharedInput: Attachment, @unchecked Sendable {
    // Sendable: it adds nothing to its superclass.

    /// - Parameter first: What the message's bytes begin with a copy of.
    convenience init(_ message: Outgoing, behind first: SharedInput? = nil) {
        self.init(message.bytes, attachments: (first?.attachments ?? []) + message.attachments)
    }
}

package import MultiprocessingCoding
import MultiprocessingRuntime
import Synchronization

/// A message while it is encoded: its bytes so far, and what its values attach to it.
///
/// A value deep inside finds the message by its encoder: see ``Swift/Encoder/attach(_:for:)``. Nothing is made for that
/// before a value asks, so that numbers cost their bytes alone.
package struct Outgoing {
    /// The bytes so far.
    package let bytes: ByteBuffer

    /// What values find in their encoders' `userInfo`, besides the message.
    private let userInfo: [CodingUserInfoKey: any Sendable]

    /// How many bytes an attachment may have.
    private let attachmentLimit: Int

    /// Encodes values that describe themselves; made for the first of them.
    private var session: EncodingSession?

    package init(
        _ bytes: ByteBuffer = ByteBuffer(),
        userInfo: [CodingUserInfoKey: any Sendable] = [:],
        attachmentLimit: Int = .max
    ) {
        self.bytes = bytes
        self.attachmentLimit = attachmentLimit
        self.userInfo = userInfo
    }

    /// Whether the receiver may be another build.
    var isForOtherBuild: Bool { userInfo[.otherBuild] != nil }

    /// What the values encoded so far refer to, each once.
    package var attachments: [Attachment] { collected?.all ?? [] }

    private var collected: CollectedAttachments? {
        session?.knownUserInfo?[.outgoing] as? CollectedAttachments
    }

    /// Appends a value that describes itself; on failure the bytes are as before.
    package mutating func encode<Value: Encodable>(_ value: Value) throws {
        if let session { return try session.encode(value) }
        let made: EncodingSession
        if userInfo.isEmpty {
            made = EncodingSession(into: bytes) { [attachmentLimit] in
                [.outgoing: CollectedAttachments(limit: attachmentLimit)]
            }
        } else {
            made = EncodingSession(into: bytes) { [userInfo, attachmentLimit] in
                userInfo.merging([.outgoing: CollectedAttachments(limit: attachmentLimit)]) { $1 }
            }
        }
        session = made
        try made.encode(value)
    }

    /// Begins another message in the same memory.
    mutating func removeAll(keepingCapacity: Bool = true) {
        bytes.removeAll(keepingCapacity: keepingCapacity)
        collected?.removeAll()
    }
}

extension CodingUserInfoKey {
    /// Where an encoder has the attachments of the message that it writes.
    package static let outgoing = CodingUserInfoKey(rawValue: "Multiprocessing.outgoing")!
}

/// The attachments of a message that is being encoded.
package final class CollectedAttachments: Sendable {
    private struct State {
        var all: [Attachment] = []
        var numbers: Set<UInt64> = []
    }

    private let state = Mutex(State())

    /// How many bytes one may have.
    let limit: Int

    init(limit: Int) {
        self.limit = limit
    }

    var all: [Attachment] { state.withLock { $0.all } }

    /// - Returns: `false` if it has too many bytes.
    func add(_ attachment: Attachment) -> Bool {
        guard attachment.bytes.count <= limit else { return false }
        state.withLock { state in
            if state.numbers.insert(attachment.number).inserted { state.all.append(attachment) }
        }
        return true
    }

    func removeAll() {
        // Released outside of the lock, since what goes with an attachment may be anything.
        _ = state.withLock { state in
            defer { state = State() }
            return state
        }
    }
}

extension Encoder {
    /// Where the attachments of the message are that is being encoded; `nil` when this is no encoder of a pool.
    package var collectedAttachments: CollectedAttachments? { userObject(.outgoing) as? CollectedAttachments }

    /// Sends an attachment along with the message that is being encoded.
    ///
    /// - Parameter value: The value that needs it, for the error.
    /// - Returns: The number to write, by which the other side finds it.
    /// - Throws: `EncodingError` when this is no encoder of a pool, with which the attachment could not travel.
    package func attach<Value>(_ attachment: Attachment, for value: Value) throws -> UInt64 {
        guard let collected = collectedAttachments else {
            let (name, encoder) = (readableName(of: Value.self), readableName(of: type(of: self)))
            throw EncodingError.invalidValue(
                value,
                .init(
                    codingPath: codingPath,
                    debugDescription: """
                        a value of type \(name) cannot be encoded with \(encoder), because it stands for something that \
                        no bytes hold; send it to a worker of a pool, in an input, a capture, a shared value or a result
                        """))
        }
        guard collected.add(attachment) else {
            throw EncodingError.invalidValue(
                value,
                .init(
                    codingPath: codingPath,
                    debugDescription: """
                        a value of type \(readableName(of: Value.self)) stands for \(attachment.bytes.count) bytes, and a \
                        worker sends its parent no more than \(collected.limit) of them so; return what it stands for
                        """))
        }
        return attachment.number
    }
}

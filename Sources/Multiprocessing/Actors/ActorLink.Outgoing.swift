import MultiprocessingCoding
import MultiprocessingSystem

extension ActorLink {
    /// What is to go out, and who sends it.
    struct Outgoing {
        /// How many bytes of one-way calls are gathered.
        private static let gatheredSize = 32 << 10

        var unsent = FrameLink.Unsent()
        var sentKeys = 0
        /// What the peer has of what is encoded by number.
        var sentAttachments: Set<UInt64> = []
        var appendedCount: UInt64 = 0
        /// Whether the loop waits for room.
        var isAwaited = false
        /// Whether a timer goes on, because too many descriptors are on their way.
        var isPaused = false
        /// Whether no more is read until some has gone out.
        var isReadingStopped = false
        /// Whether a thread sends what it has taken.
        var isSending = false
        /// One-way calls to which more may be added before they go out.
        var gathered: OneWayFrame?
        /// Whether the loop is about to send them.
        var isGathering = false
        /// Whether the end waits for that thread, which knows what went out.
        var isEndAwaited = false
        /// Whether the peer has not proved itself yet, and is told nothing.
        var isHeld: Bool
        /// What is sent when it has.
        var held: [ByteBuffer] = []
        var seal: FrameSeal?
        /// The socket, until the end.
        var end: LinkEnd?
        var isOver = false

        var sentCount: UInt64 { isHeld ? 0 : appendedCount - UInt64(unsent.byteCount + unsent.droppedCount) }

        /// What the calling thread is to send, if it is to send something.
        mutating func takeBatch() -> Batch? {
            guard !isSending, !isAwaited, !isPaused, !isHeld, let end else { return nil }
            finishGathered()
            if unsent.isEmpty { return nil }
            isSending = true
            defer { unsent = FrameLink.Unsent() }
            return Batch(unsent: unsent, end: end)
        }

        /// Takes what a thread could not send, which goes before what was added meanwhile.
        mutating func putBack(_ batch: Batch, _ rest: Rest) {
            isSending = false
            var unsent = batch.unsent
            unsent.append(self.unsent)
            self.unsent = unsent
            switch rest {
            case .none: break
            case .waits: isAwaited = true
            case .pauses: isPaused = true
            case .over:
                isOver = true
                self.unsent.removeAll()
            }
        }

        /// Adds a frame, behind names of keys that it may refer to.
        mutating func append(_ frame: ByteBuffer) {
            finishGathered()
            appendKeys()
            add(frame)
        }

        /// Adds names of keys that the peer does not have yet, since bytes may refer to them.
        private mutating func appendKeys() {
            guard KeyTable.shared.count > sentKeys else { return }
            let keys = ByteBuffer()
            Frame.append(.keys, to: keys) { sentKeys = KeyTable.shared.encodeEntries(from: sentKeys, into: $0) }
            add(keys)
        }

        private mutating func add(_ frame: ByteBuffer) {
            if isHeld {
                held.append(frame)
                appendedCount += UInt64(FrameSeal.size + frame.count)
                return
            }
            if let seal = seal?.seal(frame) { put(seal) }
            put(frame)
        }

        /// Has what a frame refers to go out ahead of it, once.
        mutating func append(_ attachment: Attachment) {
            guard sentAttachments.insert(attachment.number).inserted else { return }
            finishGathered()
            appendKeys()
            for inner in attachment.attachments { append(inner) }
            let frame = ByteBuffer(capacity: 64 + attachment.bytes.count)
            Frame.append(.attachment, number: UInt32(attachment.descriptors.count), to: frame) { buffer in
                buffer.append(attachment.number)
                attachment.bytes.withUnsafeBytes { buffer.append(contentsOf: $0) }
            }
            put(frame, attachment.descriptors.isEmpty ? nil : AnnouncedDescriptors(of: attachment))
        }

        /// Adds a one-way call to others of its kind.
        ///
        /// - Returns: Whether the loop has to be told, which sends them once it comes to it.
        mutating func gather(_ key: OneWayFrame.Key, _ append: (inout OneWayFrame) -> Void) -> Bool {
            if gathered?.key != key || KeyTable.shared.count > sentKeys { finishGathered() }
            if gathered == nil {
                appendKeys()
                gathered = OneWayFrame(key, capacity: Self.gatheredSize)
            }
            if var frame = gathered.take() {
                append(&frame)
                gathered = frame
                // So that one more of the same size has room.
                if frame.byteCount > Self.gatheredSize - Self.gatheredSize / 8 { finishGathered() }
            }
            guard !isGathering, !isSending, !isAwaited, !isPaused, !isHeld else { return false }
            isGathering = true
            return true
        }

        private mutating func finishGathered() {
            if let frame = gathered.take() { add(frame.finish()) }
        }

        private mutating func put(_ bytes: ByteBuffer, _ announced: AnnouncedDescriptors? = nil) {
            var segment = OwnedBytes(bytes, 0..<bytes.count)
            segment.announced = announced
            unsent.append(segment)
            appendedCount += UInt64(bytes.count)
        }

        /// Has what was held go out.
        mutating func letGo(_ seal: FrameSeal?) {
            self.seal = seal
            isHeld = false
            appendedCount = 0
            for frame in held { add(frame) }
            held = []
        }
    }

    /// What one thread sends.
    struct Batch: Sendable {
        var unsent: FrameLink.Unsent
        /// Keeps the socket.
        let end: LinkEnd

        mutating func send() -> Rest {
            while true {
                switch end.frames.send(&unsent) {
                case .sent: return .none
                case .mustWait: return .waits
                case .peerGone: return .over(isPeersWish: true)
                case .failed: return .over(isPeersWish: false)
                case .mustAnnounce: break
                }
                switch end.frames.sendAnnounced(&unsent) {
                case .sent: break
                case .mustWait: return .waits
                case .mustRetry: return .pauses
                case .peerGone: return .over(isPeersWish: true)
                case .failed: return .over(isPeersWish: false)
                }
            }
        }
    }

    /// What is to be done for what has not gone out.
    enum Rest {
        case none
        /// The loop has to wait for room.
        case waits
        /// A timer has to go on.
        case pauses
        /// Nothing goes out any more.
        case over(isPeersWish: Bool)
    }
}

/// The socket of a link, closed when nobody uses it any more.
final class LinkEnd: Sendable {
    let frames: FrameLink

    init(_ socket: consuming Socket) {
        frames = FrameLink(socket)
        ForkMark.keep(frames.number)
    }

    deinit {
        ForkMark.release(frames.number)
    }
}

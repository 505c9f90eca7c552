import MultiprocessingCoding
package import MultiprocessingSystem
import Synchronization

/// One end of the lane beside the one for work: short messages in both directions, at any time, from any thread.
///
/// Sending never waits. What the socket does not take is kept, up to a bound, and goes out when its owner says
/// that there is room. Of what running work says of itself only the latest is kept: it replaces what it was before.
package final class ControlLane: Sendable {
    /// What came of a message.
    package enum Sending {
        /// All has gone out.
        case sent
        /// It is kept; whoever gets this has ``continueSending()`` called when the socket takes more.
        case mustWait
        /// It is kept, and somebody was told to wait already.
        case kept
        /// Too much is kept, because the peer reads nothing: the message is refused.
        case refused
        /// There is nobody who could read it.
        case peerGone
    }

    private struct Outgoing {
        /// The message that is being sent, as far as it has not gone out.
        var unsent = FrameLink.Unsent()
        var kept = RingQueue<ControlMessage>()
        /// The latest that work has said, if it has not gone out.
        var progress: ItemProgress?
        /// Whether somebody waits for room.
        var isAwaited = false
        var isOver = false

        /// Takes the next message to send, if none is being sent; false if there is none.
        mutating func prepare() -> Bool {
            if !unsent.isEmpty { return true }
            guard let message = kept.popFirst() ?? progress.take().map(ControlMessage.progress) else { return false }
            let bytes = ByteBuffer(capacity: 64)
            message.append(to: bytes)
            unsent.append(OwnedBytes(bytes, 0..<bytes.count))
            return true
        }
    }

    /// How many messages are kept that replace no other.
    ///
    /// A worker holds a few chunks, each of which is cancelled
    /// once or twice, and answers each question once.
    package static let keptLimit = 1_024

    private let link: FrameLink
    private let outgoing = Mutex(Outgoing())

    package init(_ socket: consuming Socket) {
        link = FrameLink(socket)
    }

    package var number: DescriptorNumber { link.number }

    // MARK: Sending

    /// Sends a message, behind those that are kept.
    package func send(_ message: ControlMessage) -> Sending {
        outgoing.withLock { outgoing in
            if outgoing.isOver { return .peerGone }
            if case .progress(let progress) = message {
                outgoing.progress = progress
            } else {
                guard outgoing.kept.count < Self.keptLimit else { return .refused }
                outgoing.kept.append(message)
            }
            return outgoing.isAwaited ? .kept : send(&outgoing)
        }
    }

    /// Sends what was kept, because the socket may take more now.
    package func continueSending() -> Sending {
        outgoing.withLock { send(&$0) }
    }

    /// Sends what was kept; blocks the calling thread while the peer does not read.
    package func finishSending() {
        while case .mustWait = continueSending() {
            guard link.waitForRoom() else { return }
        }
    }

    private func send(_ outgoing: inout Outgoing) -> Sending {
        while outgoing.prepare() {
            switch link.send(&outgoing.unsent) {
            case .sent: break
            case .mustWait:
                outgoing.isAwaited = true
                return .mustWait
            // No message has descriptors to announce.
            case .peerGone, .failed, .mustAnnounce:
                outgoing = Outgoing()
                outgoing.isOver = true
                return .peerGone
            }
        }
        outgoing.isAwaited = false
        return .sent
    }

    // MARK: Reading

    /// Reads what is there, returns at once, and hands on each message that is complete.
    ///
    /// - Throws: For bytes that are no message, as soon as that shows.
    package func receive(
        _ reader: inout ControlReader,
        into buffer: UnsafeMutableRawBufferPointer,
        _ deliver: (ControlMessage) throws -> Void
    ) throws -> ReceiveResult {
        try reader.receive(from: link, into: buffer, deliver)
    }

    /// Reads what is there; blocks the calling thread until there is something.
    ///
    /// - Returns: How many bytes were read; zero at the end.
    package func receiveSome(into buffer: UnsafeMutableRawBufferPointer) -> Int {
        link.receiveSome(into: buffer)
    }

    /// Ends the lane for both sides.
    package func shutDown() {
        link.shutDown()
    }
}

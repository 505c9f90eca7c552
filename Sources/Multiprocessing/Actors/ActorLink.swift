import MultiprocessingCoding
import MultiprocessingSystem
import Synchronization

/// One end of a connection between who calls actors and their host: frames both ways, from any thread.
///
/// `Sendable` is unchecked for the variables of the reading side, which only the loop's thread uses.
final class ActorLink: @unchecked Sendable {
    /// Takes a frame, on the loop's thread; the link ends if it throws.
    typealias Deliver = @Sendable (Frame.Header, inout ByteReader) throws -> Void

    /// Is called once, on the loop's thread, with how many bytes went out.
    typealias End = @Sendable (_ sentCount: UInt64) -> Void

    private struct Outgoing {
        var unsent = FrameLink.Unsent()
        var sentKeys = 0
        var appendedCount: UInt64 = 0
        /// Whether the loop waits for room.
        var isAwaited = false
        var isOver = false

        var sentCount: UInt64 { appendedCount - UInt64(unsent.byteCount + unsent.droppedCount) }

        mutating func append(_ frame: ByteBuffer) {
            unsent.append(OwnedBytes(frame, 0..<frame.count))
            appendedCount += UInt64(frame.count)
        }
    }

    private let frames: FrameLink
    private let loop: ActorLoop
    private let outgoing = Mutex(Outgoing())

    // Of the loop's thread.
    private var assembler = FrameAssembler()
    private var registration: EventLoop.Registration?
    private var hasEnded = false
    private var deliver: Deliver?
    private var end: End?

    /// How many bytes may wait to be sent before no more is read: a host takes no calls of who reads no answers.
    private let unsentLimit: Int

    init(_ socket: consuming Socket, on loop: ActorLoop, unsentLimit: Int = .max) {
        frames = FrameLink(socket)
        ForkMark.keep(frames.number)
        self.loop = loop
        self.unsentLimit = unsentLimit
    }

    deinit {
        ForkMark.release(frames.number)
    }

    /// Begins to read; what the closures refer to is kept until the end.
    func open(_ deliver: @escaping Deliver, onEnd end: @escaping End) {
        loop.events.execute {
            self.deliver = deliver
            self.end = end
            do throws(SystemError) {
                self.registration = try self.loop.events.register(self.frames.number, .read) { ready in
                    if ready.contains(.write) { self.continueSending() }
                    if ready.contains(.read) { self.read() }
                }
            } catch {
                return self.finish()
            }
            self.updateInterest()
        }
    }

    /// Ends the connection for both sides; the end is then seen as that of a peer that has gone.
    func close() {
        frames.shutDown()
    }

    // MARK: Sending

    /// Sends a frame, behind names of keys that it may refer to; never waits.
    ///
    /// - Returns: How many bytes will have gone out when it has; `nil` when the connection is over.
    @discardableResult
    func send(_ frame: ByteBuffer) -> UInt64? {
        let (position, mustWatch): (UInt64?, Bool) = outgoing.withLock { outgoing in
            guard !outgoing.isOver else { return (nil, false) }
            if KeyTable.shared.count > outgoing.sentKeys {
                let keys = ByteBuffer()
                Frame.append(.keys, to: keys) {
                    outgoing.sentKeys = KeyTable.shared.encodeEntries(from: outgoing.sentKeys, into: $0)
                }
                outgoing.append(keys)
            }
            outgoing.append(frame)
            let position = outgoing.appendedCount
            if outgoing.isAwaited { return (position, false) }
            send(&outgoing)
            return (position, outgoing.isAwaited)
        }
        if mustWatch { loop.events.execute { self.updateInterest() } }
        return position
    }

    private func send(_ outgoing: inout Outgoing) {
        switch frames.send(&outgoing.unsent) {
        case .sent:
            outgoing.isAwaited = false
        case .mustWait:
            outgoing.isAwaited = true
        // Nothing is announced here. What the peer has sent is read to its end.
        case .peerGone, .failed, .mustAnnounce:
            outgoing.isAwaited = false
            outgoing.isOver = true
        }
    }

    private func continueSending() {
        outgoing.withLock { send(&$0) }
        updateInterest()
    }

    // MARK: Reading

    private func updateInterest() {
        guard let registration else { return }
        let interest = outgoing.withLock { outgoing in
            var interest: Interest = outgoing.isAwaited ? [.write] : []
            if outgoing.unsent.byteCount < unsentLimit { interest.insert(.read) }
            return interest
        }
        // Refused only once the registration has ended, and then there is nothing to watch.
        try? registration.setInterest(interest)
    }

    private func read() {
        guard !hasEnded, let deliver else { return }
        do {
            let result = try frames.receive(
                &assembler, into: loop.buffer,
                land: { _ in throw PortableFailure.unexpectedArray },
                { header, reader, _ in try deliver(header, &reader) })
            if case .endOfStream = result { return finish() }
            if outgoing.withLock({ $0.unsent.byteCount >= unsentLimit }) { updateInterest() }
        } catch {
            finish()
        }
    }

    private func finish() {
        guard !hasEnded else { return }
        hasEnded = true
        registration?.deregister()
        registration = nil
        frames.shutDown()
        let sentCount = outgoing.withLock { outgoing in
            outgoing.isOver = true
            return outgoing.sentCount
        }
        end?(sentCount)
        deliver = nil
        end = nil
    }
}

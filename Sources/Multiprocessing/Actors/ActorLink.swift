import MultiprocessingCoding
import MultiprocessingSystem
import Synchronization

/// One end of a connection between who calls actors and their host: frames both ways, from any thread.
///
/// `Sendable` is unchecked for the variables of the reading side, which only the loop's thread uses.
final class ActorLink: AttachmentHolder, @unchecked Sendable {
    /// Takes a frame, on the loop's thread; the link ends if it throws.
    typealias Deliver = @Sendable (Frame.Header, inout ByteReader) throws -> Void

    /// Is called once, on the loop's thread, with how many bytes went out, and why, if the peer has not gone.
    typealias End = @Sendable (_ sentCount: UInt64, _ failure: (any Error)?) -> Void

    /// Is called once, on the loop's thread, when the peer has proved itself; the link ends if it throws.
    typealias Proved = @Sendable (Handshake) throws -> Void

    /// How the peer proves itself, and how long it may take.
    struct Proof {
        var handshake: Handshake
        let limit: Duration
        /// What came of the next message.
        fileprivate var message: [UInt8] = []

        init(_ handshake: Handshake, within limit: Duration) {
            self.handshake = handshake
            self.limit = limit
        }
    }

    private struct Outgoing {
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
            guard !isSending, !isAwaited, !isPaused, !isHeld, !unsent.isEmpty, let end else { return nil }
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

        mutating func append(_ frame: ByteBuffer) {
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
            for inner in attachment.attachments { append(inner) }
            let frame = ByteBuffer(capacity: 64 + attachment.bytes.count)
            Frame.append(.attachment, number: UInt32(attachment.descriptors.count), to: frame) { buffer in
                buffer.append(attachment.number)
                attachment.bytes.withUnsafeBytes { buffer.append(contentsOf: $0) }
            }
            put(frame, attachment.descriptors.isEmpty ? nil : AnnouncedDescriptors(of: attachment))
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
            for frame in held { append(frame) }
            held = []
        }
    }

    private let loop: ActorLoop
    private let outgoing: Mutex<Outgoing>

    // Of the loop's thread.
    private var reading: LinkEnd?
    private var proofTimer: EventLoop.Timer?
    private var assembler = FrameAssembler()
    private var registration: EventLoop.Registration?
    private var hasEnded = false
    /// Why it has ended, if the peer has not gone.
    private var failure: (any Error)?
    private var deliver: Deliver?
    private var end: End?
    private var proved: Proved?
    private var proof: Proof?
    private var seal: FrameSeal?
    private var arrived = ArrivedDescriptors()

    /// Whether the peer is a process of this program on this machine, and descriptors travel between the two.
    private let carriesDescriptors: Bool

    /// How many bytes may wait to be sent before no more is read: a host takes no calls of who reads no answers.
    private let unsentLimit: Int

    /// The largest payload that is taken.
    private let messageLimit: UInt64

    /// - Parameter proof: How the peer has to prove itself before anything else is sent or taken.
    init(
        _ socket: consuming Socket,
        on loop: ActorLoop,
        unsentLimit: Int = .max,
        messageLimit: UInt64 = .max,
        proof: Proof? = nil
    ) {
        let end = LinkEnd(socket)
        reading = end
        self.loop = loop
        self.unsentLimit = unsentLimit
        self.messageLimit = messageLimit
        self.proof = proof
        carriesDescriptors = proof == nil
        outgoing = Mutex(Outgoing(isHeld: proof != nil, end: end))
    }

    /// Begins to read; what the closures refer to is kept until the end.
    func open(_ deliver: @escaping Deliver, onProved proved: Proved? = nil, onEnd end: @escaping End) {
        loop.events.execute {
            self.deliver = deliver
            self.proved = proved
            self.end = end
            guard let reading = self.reading else { return }
            do throws(SystemError) {
                self.registration = try self.loop.events.register(reading.frames.number, .read) { ready in
                    if ready.contains(.write) { self.continueSending() }
                    if ready.contains(.read) { self.read() }
                }
            } catch {
                return self.finish(error)
            }
            self.beginProof()
            self.updateInterest()
        }
    }

    /// Ends the connection for both sides; the end is then seen as that of a peer that has gone.
    func close() {
        outgoing.withLock { $0.end }?.frames.shutDown()
    }

    // MARK: Sending

    /// Sends a frame, behind names of keys that it may refer to; never waits.
    ///
    /// One thread at a time sends. What others want to send meanwhile goes out with its next call.
    ///
    /// - Parameter attachments: What it refers to; none to another program.
    /// - Returns: How many bytes will have gone out when it has; `nil` when the connection is over.
    @discardableResult
    func send(_ frame: ByteBuffer, _ attachments: [Attachment] = []) -> UInt64? {
        for attachment in attachments { attachment.addHolder(self) }
        let (position, batch): (UInt64?, Batch?) = outgoing.withLock { outgoing in
            guard !outgoing.isOver else { return (nil, nil) }
            if KeyTable.shared.count > outgoing.sentKeys {
                let keys = ByteBuffer()
                Frame.append(.keys, to: keys) {
                    outgoing.sentKeys = KeyTable.shared.encodeEntries(from: outgoing.sentKeys, into: $0)
                }
                outgoing.append(keys)
            }
            for attachment in attachments { outgoing.append(attachment) }
            outgoing.append(frame)
            return (outgoing.appendedCount, outgoing.takeBatch())
        }
        if let batch { send(batch) }
        return position
    }

    func forget(attachment number: UInt64) {
        let isKnown = outgoing.withLock { $0.sentAttachments.remove(number) != nil }
        if isKnown { send(ActorFrame.make(.forget, number)) }
    }

    /// How often one thread goes on for others before the loop does.
    private static let roundLimit = 8

    /// Sends what the calling thread has taken, and then what others have added.
    private func send(_ first: consuming Batch) {
        var batch = first
        for _ in 1..<Self.roundLimit {
            guard let next = sendOnce(batch) else { return }
            batch = next
        }
        let last = batch
        loop.events.execute {
            if let next = self.sendOnce(last) { self.send(next) }
        }
    }

    /// - Returns: What others have added meanwhile, if it is to be sent now.
    private func sendOnce(_ first: Batch) -> Batch? {
        var batch = first
        let rest = batch.send()
        let (next, isEndAwaited, isReadingStopped): (Batch?, Bool, Bool) = outgoing.withLock { outgoing in
            outgoing.putBack(batch, rest)
            let next = outgoing.isOver ? nil : outgoing.takeBatch()
            return (next, outgoing.isEndAwaited, outgoing.isReadingStopped)
        }
        // What was too much to read on beside it is with this thread, or gone.
        if isReadingStopped { loop.events.execute { self.updateInterest() } }
        switch rest {
        case .none: break
        case .waits: loop.events.execute { self.updateInterest() }
        case .pauses: loop.events.execute { self.continueLater() }
        // The end comes by the reading side, which has read what the peer has sent.
        case .over(let isPeersWish): if !isPeersWish { batch.end.frames.shutDown() }
        }
        if isEndAwaited { loop.events.execute { self.reportEnd() } }
        return next
    }

    /// What one thread sends.
    private struct Batch: Sendable {
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
    private enum Rest {
        case none
        /// The loop has to wait for room.
        case waits
        /// A timer has to go on.
        case pauses
        /// Nothing goes out any more.
        case over(isPeersWish: Bool)
    }

    private func continueSending() {
        let batch = outgoing.withLock { outgoing in
            outgoing.isAwaited = false
            outgoing.isPaused = false
            return outgoing.takeBatch()
        }
        if let batch { send(batch) }
        updateInterest()
    }

    private func continueLater() {
        guard !hasEnded else { return }
        loop.events.schedule(after: .milliseconds(Int64(DescriptorLane.retryMilliseconds))) { [weak self] in
            self?.continueSending()
        }
    }

    // MARK: Reading

    private func updateInterest() {
        guard let registration else { return }
        let interest = outgoing.withLock { outgoing in
            var interest: Interest = outgoing.isAwaited ? [.write] : []
            outgoing.isReadingStopped = !outgoing.isHeld && outgoing.unsent.byteCount >= unsentLimit
            if !outgoing.isReadingStopped { interest.insert(.read) }
            return interest
        }
        // Refused only once the registration has ended, and then there is nothing to watch.
        try? registration.setInterest(interest)
    }

    private func read() {
        guard !hasEnded, let deliver, let reading else { return }
        if proof != nil { return readProof(reading) }
        do {
            let result: ReceiveResult
            if carriesDescriptors {
                result = try reading.frames.receive(
                    &assembler, into: loop.buffer, descriptors: { arrived.add($0) },
                    land: { _ in throw PortableFailure.unexpectedArray },
                    { header, reader, _ in try deliver(header, &reader) })
                try arrived.check()
            } else {
                result = try reading.frames.receive(
                    &assembler, into: loop.buffer, admit: admit,
                    land: { _ in throw PortableFailure.unexpectedArray },
                    { header, reader, _ in
                        if try seal?.open(header, reader) != false { try deliver(header, &reader) }
                    })
            }
            if case .endOfStream = result { return finish() }
            if outgoing.withLock({ $0.unsent.byteCount >= unsentLimit }) { updateInterest() }
        } catch {
            finish(error)
        }
    }

    /// Takes what has come with a frame of ``Frame/Kind/attachment``.
    ///
    /// On the loop's thread, while the frame is delivered.
    func takeAttachment(_ header: Frame.Header, _ reader: inout ByteReader, from sender: Sender) throws {
        try sender.attachments.receive(from: &reader) { _ in try arrived.take(Int(header.number)) }
    }

    private func admit(_ header: Frame.Header) throws {
        guard header.length <= messageLimit else { throw ActorCallError.tooLarge(header.length, messageLimit) }
    }

    // MARK: Proof

    private func beginProof() {
        guard let proof else { return }
        if !say(proof.handshake.opening) { return finish(nil) }
        proofTimer = loop.events.schedule(after: proof.limit) { [weak self] in
            if let self, self.proof != nil { self.finish(ActorCallError.noProof(after: proof.limit)) }
        }
    }

    /// Takes what has come of the peer's proof, and no byte of what is behind it.
    private func readProof(_ reading: LinkEnd) {
        guard var proof else { return }
        if let errno = reading.frames.takeError() { return finish(ActorCallError.unreachable("\(errno)")) }
        let missing = proof.handshake.awaitedCount - proof.message.count
        let room = UnsafeMutableRawBufferPointer(rebasing: loop.buffer[..<missing])
        switch reading.frames.receive(to: nil, or: room) {
        case .endOfStream: return finish(nil)
        case .wouldBlock: return
        case .received(let count): proof.message.append(contentsOf: room[..<count])
        }
        if proof.message.count == proof.handshake.awaitedCount {
            do throws(Handshake.Failure) {
                let step = try proof.handshake.take(proof.message)
                guard say(step.reply) else { return finish(nil) }
                proof.message = []
                if step.isOver { return prove(proof) }
            } catch {
                if error == .key, proof.handshake.role != .client { _ = say(Handshake.refusal) }
                return finish(ActorCallError.refused(error))
            }
        }
        self.proof = proof
    }

    private func prove(_ proof: Proof) {
        self.proof = nil
        proofTimer?.cancel()
        do {
            try proved?(proof.handshake)
        } catch {
            return finish(error)
        }
        let seals = proof.handshake.seals
        seal = seals?.receiving
        outgoing.withLock { $0.letGo(seals?.sending) }
        continueSending()
    }

    /// Sends a few bytes of the proof, for which the socket of a new connection has room.
    private func say(_ bytes: [UInt8]) -> Bool {
        guard !bytes.isEmpty else { return true }
        var unsent = FrameLink.Unsent()
        let buffer = ByteBuffer(capacity: bytes.count)
        bytes.withUnsafeBytes { buffer.append(contentsOf: $0) }
        unsent.append(OwnedBytes(buffer, 0..<bytes.count))
        if case .sent? = reading?.frames.send(&unsent) { return true }
        return false
    }

    private func finish(_ failure: (any Error)? = nil) {
        guard !hasEnded else { return }
        hasEnded = true
        registration?.deregister()
        registration = nil
        proofTimer?.cancel()
        reading?.frames.shutDown()
        reading = nil
        self.failure = failure
        let isSending = outgoing.withLock { outgoing in
            outgoing.isOver = true
            // Whoever keeps the link keeps no descriptor.
            outgoing.end = nil
            outgoing.isEndAwaited = outgoing.isSending
            return outgoing.isSending
        }
        if !isSending { reportEnd() }
    }

    private func reportEnd() {
        end?(outgoing.withLock { $0.sentCount }, failure)
        deliver = nil
        end = nil
        proved = nil
        proof = nil
    }
}

/// The socket of a link, closed when nobody uses it any more.
private final class LinkEnd: Sendable {
    let frames: FrameLink

    init(_ socket: consuming Socket) {
        frames = FrameLink(socket)
        ForkMark.keep(frames.number)
    }

    deinit {
        ForkMark.release(frames.number)
    }
}

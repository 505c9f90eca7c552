import CMultiprocessing
import MultiprocessingCoding
import MultiprocessingSystem
import Synchronization

/// The parent's side of one worker process: what goes to it, what comes from it, and its end.
///
/// Work is written by the thread that has it, without waiting; what the socket does not take
/// is written by the loop when it does. Everything that comes from the worker is read on the
/// loop, by the ``WorkerLink/Inbox``.
final class WorkerLink: AttachmentHolder {
    let id: WorkerID
    let process: ProcessHandle

    let loop: WorkerLoop
    let board: ProgressBoard
    let frames: FrameLink
    let streams: WorkerStreams
    let limits: ResourceLimits

    let events: WorkerEvents
    let control: Control
    let handover: Handover
    let outbox: Mutex<Outbox>
    let inbox: Inbox
    private let isKilled = Atomic(false)
    private let isCutOff = Atomic(false)
    /// The limit for which the worker was ended.
    private let passed = Mutex<PassedLimit?>(nil)
    private let isWatchingStage = Atomic(false)

    /// How long a result may lie with a worker that has more to do.
    private static let stageInterval = Duration.milliseconds(2)

    /// How long a worker may take to end by itself.
    private static let endLimit = Duration.seconds(5)

    /// Starts a worker process.
    ///
    /// Blocks until it has replaced its image, well below a millisecond.
    ///
    /// - Parameter onEnd: Called on the loop when the process is gone: with the reason if it
    ///   never became ready, and its end is then not reported to the pool; otherwise with `nil`.
    init(
        id: WorkerID,
        launcher: any Launcher,
        loop: WorkerLoop,
        events: WorkerEvents,
        onEnd: @escaping @Sendable (WorkerFailure?) -> Void
    ) throws(SystemError) {
        self.id = id
        self.loop = loop
        self.events = events
        let launched = try launcher.launch(id)
        board = launched.board
        process = launched.process
        streams = launched.streams
        limits = launched.limits
        frames = FrameLink(launched.socket)
        control = Control(ControlLane(launched.control))
        handover = Handover(DescriptorLane(launched.descriptors))
        outbox = Mutex(Outbox())
        inbox = Inbox(events: events, control: control, board: board, onEnd: onEnd)
        for number in [frames.number, control.lane.number, handover.lane.number] { ForkMark.keep(number) }
    }

    deinit {
        for number in [frames.number, control.lane.number, handover.lane.number] { ForkMark.release(number) }
    }

    /// Begins to watch the worker.
    func open() {
        loop.events.execute { self.inbox.open(self) }
    }

    // MARK: Work

    /// Sends chunks to the worker, which is idle.
    func assign(_ chunk: Chunk, then others: [Chunk]) {
        if others.isEmpty, chunk.isCancelled {
            // By another thread on the way here, before there was anything to tell the worker. One that is
            // gone has nothing to report: the chunk may be with another by now.
            if outbox.withLock({ !$0.isClosed }) { events.ended(chunk, on: id, nanoseconds: 0, isLast: true) }
            return
        }
        chunk.portable?.forEachAttachment { $0.addHolder(self) }
        for other in others { other.portable?.forEachAttachment { $0.addHolder(self) } }
        let attachedSize = outbox.withLock { outbox in
            guard !outbox.isClosed else { return 0 }
            outbox.append(chunk, then: others)
            send(&outbox)
            return outbox.takeAttachedSize()
        }
        if attachedSize > 0 { events.sent(attachedSize, to: id) }
        // A cancellation that another thread brought a moment ago did not find the chunk here.
        if chunk.isCancelled { cancel(chunk) }
        for other in others where other.isCancelled { cancel(other) }
        if !others.isEmpty || chunk.isPrompt { watchStage() }
    }

    /// Tells the worker that a chunk that it holds was cancelled.
    func cancel(_ chunk: Chunk) {
        // One that is only interrupted is told so when its results do not count any more.
        guard chunk.isCancelled else { return }
        guard let sequence = outbox.withLock({ $0.ledger.sequence(of: chunk) }) else { return }
        control.send(.cancel(sequence), self)
    }

    /// Takes back what the worker has not begun, and reports it.
    func reclaim() {
        // On the loop, which is who changes a chunk that the worker holds.
        loop.events.execute { [self] in
            inbox.whenReading(self) {
                let chunks = self.outbox.withLock { $0.ledger.takeBack(self.board.takeBack()) }
                if chunks == nil { self.inbox.fail(self, "it has begun what it cannot have begun") }
                self.events.reclaimed(chunks ?? [], from: self.id)
            }
        }
    }

    /// Asks the worker, which has been silent for long, whether it still works on what it holds.
    ///
    /// Its answer is the inbox's: a worker that has nothing left to do and still owes a result is ended.
    func inquire() {
        outbox.withLock { outbox in
            guard !outbox.isClosed, outbox.appendInquiry() else { return }
            send(&outbox)
        }
        loop.events.execute { [self] in
            inbox.whenReading(self) { self.inbox.checkDecision(self) }
        }
    }

    /// Has the calling thread take the worker's results; `nil` while another does.
    func watch() -> (any WorkerWatch)? {
        guard inbox.beginReading() else { return nil }
        board.isWatched.store(1)
        return Watch(link: self)
    }

    /// The right to read, for a thread other than the loop's.
    private struct Watch: WorkerWatch {
        let link: WorkerLink

        func poll() {
            link.inbox.takeStaged(link)
        }

        func end() {
            link.board.isWatched.store(0)
            // Behind this fence either the worker sees that nobody watches, and sends, or its results are seen here.
            mp_fence()
            link.inbox.takeStaged(link)
            link.inbox.endReading(link)
        }
    }

    /// Has the loop look, now and then, for results that the worker has ready while it runs on.
    private func watchStage() {
        guard !isWatchingStage.exchange(true, ordering: .acquiringAndReleasing) else { return }
        loop.events.execute { self.lookAtStageLater() }
    }

    private func lookAtStageLater() {
        let interval = holdsPrompt ? inbox.pace.interval : Self.stageInterval
        loop.events.schedule(after: interval) { [weak self] in
            guard let self else { return }
            inbox.lookAtStage(self)
            // Behind the last chunk nothing waits in the stage while it runs: its end is sent.
            if holdsMany { return lookAtStageLater() }
            isWatchingStage.store(false, ordering: .releasing)
            // Work that came between the two looks for its watcher itself; this is for the gap.
            if holdsMany { watchStage() }
        }
    }

    private var holdsMany: Bool {
        outbox.withLock { $0.ledger.count > 1 || $0.ledger.first?.chunk.isPrompt ?? false }
    }

    private var holdsPrompt: Bool { outbox.withLock { $0.ledger.first?.chunk.isPrompt ?? false } }

    /// Tells the worker that an attachment is not needed any more.
    func forget(attachment: UInt64) {
        outbox.withLock { outbox in
            guard !outbox.isClosed, outbox.knownAttachments.remove(attachment) != nil else { return }
            outbox.appendForget(attachment)
            send(&outbox)
        }
    }

    /// Asks the worker, which is idle, to end, and ends it if it does not.
    func stop() {
        outbox.withLock { outbox in
            guard !outbox.isClosed else { return }
            outbox.appendStop()
            send(&outbox)
        }
        loop.events.schedule(after: Self.endLimit) { [weak self] in self?.kill() }
    }

    /// Kills the worker and all that it started.
    ///
    /// - Parameter reportingAsKilled: Whether the worker's end is the pool's own doing.
    func kill(reportingAsKilled: Bool = true) {
        if reportingAsKilled { isKilled.store(true, ordering: .relaxed) }
        do throws(SystemError) {
            try process.killGroup()
        } catch {
            cutOff(error)
        }
    }

    /// Ends a worker that uses more than it may.
    func end(passing limit: PassedLimit) {
        passed.withLock { $0 = limit }
        kill(reportingAsKilled: false)
    }

    /// Ends a worker that cannot be served.
    func refuse(_ reason: String) {
        loop.events.execute { self.inbox.fail(self, reason) }
    }

    var passedLimit: PassedLimit? { passed.withLock { $0 } }

    /// Ends a worker that this process may not kill, because it has given up its privileges since.
    ///
    /// The worker ends itself when its sockets end, also while it runs an item. One that cannot, because
    /// it is stopped, is left behind.
    private func cutOff(_ error: SystemError) {
        guard !isCutOff.exchange(true, ordering: .relaxed) else { return }
        control.lane.shutDown()
        frames.shutDown()
        loop.events.schedule(after: Self.endLimit) { [weak self] in
            guard let self else { return }
            inbox.leaveBehind(self, error)
        }
    }

    var wasKilled: Bool { isKilled.load(ordering: .relaxed) }

    // MARK: For the inbox, on the loop

    /// The chunk whose results come next.
    var current: Chunk? {
        outbox.withLock { $0.ledger.first?.chunk }
    }

    /// Whether what comes is nobody's, because the worker was interrupted and has not recovered.
    var isDropping: Bool { outbox.withLock { $0.ledger.isDropping } }

    /// Whether the worker was forbidden to go on with the chunk whose results come next.
    var isStoppedInCurrent: Bool { outbox.withLock { $0.ledger.isStoppedInFirst } }

    /// Lets go of the chunk that has ended; `nil` if its end cannot be true.
    func finishCurrent(_ sequence: UInt64) -> WorkerLedger.End? {
        outbox.withLock { $0.ledger.end(sequence) }
    }

    /// Whether the worker has not ended all chunks up to this one.
    func owes(_ sequence: UInt64) -> Bool {
        outbox.withLock { outbox in outbox.ledger.first.map { $0.sequence <= sequence } ?? false }
    }

    /// Whether the worker can have been asked for this answer: perhaps not with the last question, for an answer
    /// may be read after the next question was sent.
    func hasInquired(_ sequence: UInt64) -> Bool {
        outbox.withLock { sequence > 0 && sequence <= $0.inquired }
    }

    /// Hands on what an item of the worker says of itself, if somebody waits for it.
    func report(_ progress: ItemProgress) throws {
        switch outbox.withLock({ $0.ledger.place(of: progress.item, in: progress.sequence) }) {
        case .item(let item, let chunk):
            events.progressed(
                on: id, chunk: chunk, item: item, fraction: progress.fraction, text: progress.text)
        case .gone: break
        case .impossible: throw PortableFailure.unexpectedProgress
        }
    }

    /// Sends what the socket did not take before.
    func continueSending() {
        outbox.withLock { send(&$0) }
    }

    /// Takes no more work, drops what was not sent, and returns what the worker held, and how far it had come.
    func close() -> (held: [WorkerLedger.Entry], progress: WorkerLedger.Progress?) {
        outbox.withLock { outbox in
            outbox.isClosed = true
            outbox.unsent.removeAll()
            let progress = outbox.ledger.progress(board.begun)
            return (outbox.ledger.removeAll(), progress)
        }
    }

    /// Writes as much as the socket takes; never waits.
    private func send(_ outbox: inout Outbox) {
        var result = frames.send(&outbox.unsent)
        while result == .mustAnnounce, let announced = outbox.unsent.announced {
            switch handover.send(announced, self) {
            case .done: outbox.unsent.noteAnnounced()
            // The handover has the link go on when there is room.
            case .mustWait: return setInterest(sending: false, &outbox)
            case .peerGone: outbox.unsent.removeAll()
            case .failed:
                outbox.unsent.removeAll()
                kill(reportingAsKilled: false)
            }
            result = frames.send(&outbox.unsent)
        }
        setInterest(sending: result == .mustWait, &outbox)
        // The worker can make no sense of half a frame. Where it is gone, the end of the process is noticed elsewhere,
        // and tells what became of the work.
        if result == .failed { kill(reportingAsKilled: false) }
    }

    private func setInterest(sending: Bool, _ outbox: inout Outbox) {
        guard outbox.isWaitingToSend != sending else { return }
        outbox.isWaitingToSend = sending
        loop.events.execute { self.inbox.setInterest(sending: sending) }
    }
}

import MultiprocessingCoding
import MultiprocessingRuntime
import MultiprocessingSystem
import Synchronization

extension WorkerLink {
    /// The reading side of a link: results, standard error, and the end.
    ///
    /// Everything here happens on the loop's thread, but for what takes the worker's output: that is
    /// for whoever has the right to read, which the loop hands to a thread that waits for a result.
    /// Sendable is unchecked for that reason.
    final class Inbox: @unchecked Sendable {
        let events: WorkerEvents
        let control: Control
        let onEnd: @Sendable (WorkerFailure?) -> Void

        var assembler = FrameAssembler()
        let results: StagedResults
        let sender = Sender(attachmentLimit: Inbox.attachmentLimit)

        /// How much is read in one turn of the loop, so that one worker's flood does not hold up the others.
        private static let turnSize = 1 << 20

        /// How many bytes a worker's attachments may take, which it can have sent because it is out of its mind.
        private static let attachmentLimit = 64 << 20

        var isReady = false
        var protocolError: String?
        /// Whether the worker's results can be believed: what it sent and what stands on its board makes sense.
        var isTrusted = true
        /// What the parent has decided that the worker is to do before the next item.
        var decision = ProgressBoard.Order.goOn
        var killError: SystemError?
        var hasEnded = false

        var output: EventLoop.Registration?
        var exit: EventLoop.Registration?
        var startTimer: EventLoop.Timer?
        private let isBeingRead = Atomic(false)
        /// What the loop has to do when it gets the right to read.
        private let deferred = Mutex<[@Sendable () -> Void]>([])
        /// Whether the output waits for the right to read.
        private var isOutputDeferred = false
        private var isSending = false
        var pace = HandOverPace()
        var isReadingOutput = true

        /// How long a worker may take until it says hello; starting one takes milliseconds.
        private static let startLimit = Duration.seconds(30)

        init(
            events: WorkerEvents, control: Control, board: ProgressBoard,
            onEnd: @escaping @Sendable (WorkerFailure?) -> Void
        ) {
            self.events = events
            self.control = control
            results = StagedResults(board)
            self.onEnd = onEnd
        }

        // MARK: Watching

        func open(_ link: WorkerLink) {
            do throws(SystemError) {
                // First, so that a worker that cannot be watched otherwise is still reaped.
                exit = try link.loop.events.register(link.process.exitDescriptor, .read) { _ in
                    // Once: its readiness stays.
                    try? self.exit?.setInterest([])
                    // Who waits for what it held goes on at once.
                    link.process.publishEnd()
                    self.whenReading(link) { self.processEnded(link) }
                }
                output = try link.loop.events.register(link.frames.number, .read) { ready in
                    if ready.contains(.write) { link.continueSending() }
                    if ready.contains(.read) { self.outputReady(link) }
                }
                try control.open(link, self)
                try link.streams.open(on: link.loop.events)
                startTimer = link.loop.events.schedule(after: Self.startLimit) { [weak self] in
                    self?.fail(link, "it said nothing for \(Self.startLimit)")
                }
            } catch {
                fail(link, "\(error)")
                if exit == nil { reapUnwatched(link) }
            }
        }

        func setInterest(sending: Bool) {
            isSending = sending
            updateInterest()
        }

        private func updateInterest() {
            var interest: Interest = []
            if isReadingOutput, !isOutputDeferred { interest.insert(.read) }
            if isSending { interest.insert(.write) }
            // Refused only once the registration has ended, and then there is nothing to watch.
            try? output?.setInterest(interest)
        }

        /// Ends a worker that breaks the rules; its end is then seen as any other.
        func fail(_ link: WorkerLink, _ reason: String) {
            if protocolError == nil { protocolError = reason }
            isTrusted = false
            link.kill(reportingAsKilled: false)
        }

        /// Gives up a worker that can neither be killed nor ends by itself, and says so.
        func leaveBehind(_ link: WorkerLink, _ error: SystemError) {
            guard !hasEnded else { return }
            killError = error
            let text = """
                Multiprocessing: worker process \(link.process.id) could not be ended (\(error)) and is left behind; \
                end a pool before the program gives up the privileges that it started the workers with

                """
            Array(text.utf8).withUnsafeBytes { StandardErrorRelay.shared.write($0) }
            whenReading(link) { self.processEnded(link) }
        }

        /// Without a descriptor to watch, the end of the killed worker is asked for.
        private func reapUnwatched(_ link: WorkerLink) {
            if (try? link.process.reap()) == nil {
                link.loop.events.schedule(after: .milliseconds(10)) { self.reapUnwatched(link) }
            } else {
                processEnded(link)
            }
        }

        // MARK: The right to read

        func beginReading() -> Bool {
            isBeingRead.compareExchange(expected: false, desired: true, ordering: .acquiringAndReleasing).exchanged
        }

        func endReading(_ link: WorkerLink) {
            isBeingRead.store(false, ordering: .sequentiallyConsistent)
            let bodies = deferred.withLock { bodies in
                defer { bodies = [] }
                return bodies
            }
            for body in bodies {
                link.loop.events.execute { self.whenReading(link, body) }
            }
        }

        /// Calls `body` with the right to read: now, or on the loop when another thread gives it back.
        ///
        /// Only the loop may call this.
        func whenReading(_ link: WorkerLink, _ body: @escaping @Sendable () -> Void) {
            if !beginReading() {
                deferred.withLock { $0.append(body) }
                // The other may have given it back before it could see what was added.
                if beginReading() { endReading(link) }
                return
            }
            body()
            endReading(link)
        }

        // MARK: Results

        private func outputReady(_ link: WorkerLink) {
            isOutputDeferred = true
            whenReading(link) {
                if self.isOutputDeferred {
                    self.isOutputDeferred = false
                    self.updateInterest()
                }
                self.readOutput(link)
                // A worker that was watched may have left in the stage what comes behind these bytes.
                self.takeStaged(link)
            }
            // Readiness stays while another thread reads; the loop is not to go round for it.
            if isOutputDeferred { updateInterest() }
        }

        func readOutput(_ link: WorkerLink) {
            guard isReadingOutput else { return }
            var rest = Self.turnSize
            while rest > 0 {
                let isLarge = assembler.room != nil
                switch receive(link) {
                case .received(let count) where isLarge || count == link.loop.buffer.count: rest -= count
                case .received, .wouldBlock: return
                case .endOfStream:
                    // A worker that lives on without its socket is of no use, and nobody would notice it.
                    isReadingOutput = false
                    updateInterest()
                    link.kill(reportingAsKilled: false)
                    return
                }
            }
        }

        func receive(_ link: WorkerLink) -> ReceiveResult {
            // The bytes of a large value go where they are to lie.
            let room = protocolError == nil ? assembler.room : nil
            let buffer = link.loop.buffer
            let result = link.frames.receive(to: room, or: buffer, limit: Self.turnSize)
            if case .received(let count) = result {
                guard let known = results.receive(count, isInFrame: room != nil) else {
                    fail(link, "it keeps no count of what it sends")
                    return result
                }
                if room != nil {
                    understand(link) { try assembler.takeRead(count) { try handle($0, &$1, $2, link) } }
                } else {
                    take(UnsafeRawBufferPointer(rebasing: buffer[known..<count]), link)
                }
            }
            return result
        }

        /// Takes the results that the worker has ready but has not sent, because it has more to do.
        func takeStaged(_ link: WorkerLink) {
            guard isReady, isReadingOutput, assembler.isBetweenFrames else { return }
            if !results.takeReady({ take($0, link) }) { fail(link, "it has more results ready than have room") }
        }

        /// Looks, now and then, for what the worker has ready, and hands over what is wanted before its chunk has ended.
        func lookAtStage(_ link: WorkerLink) {
            let chunk = link.current
            let isDue = chunk.map { pace.isDue($0) } ?? false
            whenReading(link) {
                self.takeStaged(link)
                // With the right to read the chunk is this thread's, if it is still the worker's.
                if isDue, self.isTrusted, let chunk, link.current === chunk { self.pace.note(chunk.handOverFinished()) }
            }
        }

        func take(_ bytes: UnsafeRawBufferPointer, _ link: WorkerLink) {
            guard protocolError == nil else { return }
            understand(link) {
                try assembler.take(
                    bytes,
                    admit: { try admit($0, link) },
                    land: { header in
                        if let current = try receiver(link) { return try current.landing(size: header.length) }
                        return try ArrivingArray(size: header.length, of: UInt8.self)
                    },
                    { try handle($0, &$1, $2, link) })
            }
        }

        /// Refuses a frame of which a worker cannot send the rest, so that nobody waits for it.
        private func admit(_ header: Frame.Header, _ link: WorkerLink) throws {
            guard header.isOfWorker else { throw PortableFailure.unknownFrame }
            let count: Int
            switch header.kind {
            case .values: count = Int(header.number)
            case .array, .failure: count = 1
            default: count = 0
            }
            guard count == 0 || count <= link.current?.remainingCount ?? 0 || link.isDropping else {
                throw PortableFailure.unexpectedResult
            }
        }

        private func understand(_ link: WorkerLink, _ body: () throws -> Void) {
            do {
                try body()
            } catch {
                fail(link, "it sent bytes that make no sense: \(error)")
            }
        }

        private func handle(
            _ header: Frame.Header,
            _ reader: inout ByteReader,
            _ landing: ArrivingArray?,
            _ link: WorkerLink
        ) throws {
            guard header.isOfWorker else { throw PortableFailure.unknownFrame }
            switch header.kind {
            case .hello:
                guard !isReady else { throw PortableFailure.secondHello }
                if let image = try Hello(from: &reader).difference(from: .scan()) {
                    return fail(link, PortableFailure.otherBuild(of: image).description)
                }
                isReady = true
                startTimer?.cancel()
                events.ready(link.id)
            case .keys:
                try sender.keys.append(from: &reader)
            case .attachment:
                try sender.attachments.receive(from: &reader) { number in
                    try link.handover.lane.receive(for: number, Int(header.number))
                }
            case .forget:
                try sender.attachments.forget(try reader.read())
            case .values:
                guard let current = try receiver(link) else { return }
                try sender.read(&reader) { try current.receiveValues(Int(header.number), from: &$0) }
                guard reader.remaining == 0 else { throw PortableFailure.unexpectedResult }
            case .array:
                guard let landing else { throw PortableFailure.unexpectedResult }
                try receiver(link)?.receiveArray(landing)
            case .failure:
                guard let current = try receiver(link) else { return }
                guard current.remainingCount > 0 else { throw PortableFailure.unexpectedResult }
                current.receiveFailure(try sender.read(&reader) { try ErrorCoding.decode(from: &$0) })
            case .chunkEnd:
                let sequence: UInt64 = try reader.read()
                let nanoseconds: UInt64 = try reader.read()
                if header.number != 0 { control.takeReports(link, self) }
                switch link.finishCurrent(sequence) {
                case .chunk(let chunk, let isLast)?:
                    events.ended(chunk, on: link.id, nanoseconds: nanoseconds, isLast: isLast)
                case .recovered?: events.recovered(link.id)
                case .stopped?, .dropped?: break
                case nil: throw PortableFailure.missingResults
                }
            case .define, .variable, .chunk, .stop, .inquiry, .cancel, .watchActor, .answer, .progress, .actorEnded,
                .call, .cancelCall,
                .returned,
                .threw, .refused, .hold, .drop, .find, .seal, .method:
                throw PortableFailure.unknownFrame
            }
        }

        /// Whose results come; `nil` when they are dropped.
        private func receiver(_ link: WorkerLink) throws -> Chunk? {
            if let current = link.current { return current }
            guard link.isDropping else { throw PortableFailure.unexpectedResult }
            return nil
        }

        // MARK: Answers

        /// The most that is read for one answer; a worker's socket holds less.
        private static let answerLimit = 64 << 20

        /// Ends a worker that has had itself wait for a decision, of which its parent knows nothing.
        func checkDecision(_ link: WorkerLink) {
            if link.board.decision != decision { fail(link, "it has changed what its parent had decided") }
        }

        /// Takes the worker's word that it has done all up to a chunk: the results have been sent, then.
        func settle(_ sequence: UInt64, _ link: WorkerLink) {
            takeStaged(link)
            readOutput(link) { link.owes(sequence) }
            if link.owes(sequence) { fail(link, "it has nothing left to do and has kept a result back") }
        }

        /// Reads what has come while `isWanted`, but no more than a worker's socket holds.
        func readOutput(_ link: WorkerLink, while isWanted: () -> Bool) {
            let end = results.receivedCount + UInt64(Self.answerLimit)
            while isWanted(), isReadingOutput, results.receivedCount < end {
                let before = results.receivedCount
                readOutput(link)
                if results.receivedCount == before { break }
            }
        }
    }
}

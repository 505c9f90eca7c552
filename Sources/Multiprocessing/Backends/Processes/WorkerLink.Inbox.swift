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
        private let events: WorkerEvents
        private let control: Control
        private let onEnd: @Sendable (WorkerFailure?) -> Void

        private var assembler = FrameAssembler()
        /// How many bytes of the worker's output have come through the socket.
        private var receivedCount: UInt64 = 0
        /// How many bytes of its output were taken, through the socket or from its stage.
        private var takenCount: UInt64 = 0
        /// How many bytes of it the worker has said that it left out.
        private var droppedCount: UInt64 = 0
        private let sender = Sender(attachmentLimit: Inbox.attachmentLimit)

        /// How much is read in one turn of the loop, so that one worker's flood does not hold up the others.
        private static let turnSize = 1 << 20

        /// How many bytes a worker's attachments may take, which it can have sent because it is out of its mind.
        private static let attachmentLimit = 64 << 20

        /// How much is read of what an ended worker left in its socket.
        private static let restSize = 16 << 20

        private var isReady = false
        private var protocolError: String?
        /// Whether the worker's results can be believed: what it sent and what stands on its board makes sense.
        private var isTrusted = true
        private var killError: SystemError?
        private var hasEnded = false

        private var output: EventLoop.Registration?
        private var exit: EventLoop.Registration?
        private var startTimer: EventLoop.Timer?
        private let isBeingRead = Atomic(false)
        /// What the loop has to do when it gets the right to read.
        private let deferred = Mutex<[@Sendable () -> Void]>([])
        /// Whether the output waits for the right to read.
        private var isOutputDeferred = false
        private var isSending = false
        private var isReadingOutput = true

        /// How long a worker may take until it says hello; starting one takes milliseconds.
        private static let startLimit = Duration.seconds(30)

        init(events: WorkerEvents, control: Control, onEnd: @escaping @Sendable (WorkerFailure?) -> Void) {
            self.events = events
            self.control = control
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
                output = try link.loop.events.register(link.socket.number, .read) { ready in
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

        private func readOutput(_ link: WorkerLink) {
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

        private func receive(_ link: WorkerLink) -> ReceiveResult {
            // The bytes of a large value go where they are to lie.
            let room = protocolError == nil ? assembler.room?.prefix(Self.turnSize) : nil
            let buffer = room.map { UnsafeMutableRawBufferPointer(rebasing: $0) } ?? link.loop.buffer
            guard let result = try? link.socket.receive(into: buffer) else { return .endOfStream }
            if case .received(let count) = result {
                // What was found in the stage comes again through the socket, unless the worker knew of it
                // in time. What it left out is all known, so the rest of what is known is still to come.
                let dropped = link.board.dropped.load()
                let expected = takenCount &- dropped &- receivedCount
                // Only whole frames are found in the stage, so none comes again within one.
                guard expected <= takenCount, dropped >= droppedCount, room == nil || expected == 0 else {
                    fail(link, "it keeps no count of what it sends")
                    return result
                }
                droppedCount = dropped
                let known = Int(min(UInt64(count), expected))
                receivedCount += UInt64(count)
                takenCount += UInt64(count - known)
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
            let board = link.board
            let base = board.base.load()
            let published = board.published.load()
            let (start, overflow) = takenCount.subtractingReportingOverflow(base)
            guard isReady, isReadingOutput, assembler.isBetweenFrames, !overflow, start < published else { return }
            guard published <= UInt64(board.stage.count) else {
                return fail(link, "it has more results ready than have room")
            }
            withUnsafeTemporaryAllocation(byteCount: Int(published - start), alignment: 16) { bytes in
                bytes.copyMemory(from: UnsafeRawBufferPointer(rebasing: board.stage[Int(start)..<Int(published)]))
                // The worker moves the base before it overwrites what it has sent, so if the base still
                // is where it was, the copy is whole. Adding nothing orders the look behind the copy.
                guard board.base.add(0) == base else { return }
                takenCount = base + published
                board.taken.store(takenCount)
                take(UnsafeRawBufferPointer(bytes), link)
            }
        }

        private func take(_ bytes: UnsafeRawBufferPointer, _ link: WorkerLink) {
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
            case .define, .variable, .chunk, .stop, .inquiry, .cancel, .answer, .progress:
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

        /// Takes the worker's word that it has done all up to a chunk: the results have been sent, then.
        func settle(_ sequence: UInt64, _ link: WorkerLink) {
            takeStaged(link)
            readOutput(link) { link.owes(sequence) }
            if link.owes(sequence) { fail(link, "it has nothing left to do and has kept a result back") }
        }

        /// Reads what has come while `isWanted`, but no more than a worker's socket holds.
        private func readOutput(_ link: WorkerLink, while isWanted: () -> Bool) {
            let end = receivedCount + UInt64(Self.answerLimit)
            while isWanted(), isReadingOutput, receivedCount < end {
                let before = receivedCount
                readOutput(link)
                if receivedCount == before { break }
            }
        }

        // MARK: Interruption

        /// Takes every result that there is of what a worker was stopped in; false if it cannot be believed.
        func takeAll(_ link: WorkerLink) -> Bool {
            readOutput(link) { true }
            takeStaged(link)
            if link.isStoppedInCurrent { takeOpenRun(link) }
            return isTrusted
        }

        /// Takes the complete values of the run that a worker, which goes on, is adding to.
        ///
        /// They come again with the whole run, when they are dropped. The worker writes nothing over them before
        /// it moves the base, so what was counted before the copy, and is copied before the base has moved, is
        /// whole.
        private func takeOpenRun(_ link: WorkerLink) {
            let board = link.board
            let base = board.base.load()
            let published = board.published.load()
            guard isReady, isTrusted, isReadingOutput, assembler.isBetweenFrames,
                board.openRun.load() == published + 1, takenCount == base &+ published,
                published <= UInt64(board.stage.count - Frame.Header.size)
            else { return }
            let count = board.runCount(at: Int(published))
            let run = ByteBuffer(capacity: board.stage.count - Int(published))
            run.append(contentsOf: UnsafeRawBufferPointer(rebasing: board.stage[Int(published)...]))
            guard count > 0, board.base.add(0) == base else { return }
            run.withUnsafeBytes { salvageRun($0, count: Int(count), link) }
            if !isTrusted { fail(link, "the results that it has ready make no sense") }
        }

        // MARK: The end

        /// Settles what the worker held, in this order: what it sent, what it had ready to send,
        /// what it said; only then is an item called lost.
        private func processEnded(_ link: WorkerLink) {
            guard !hasEnded else { return }
            hasEnded = true
            // Before the child is reaped, while its number still names its process group.
            link.kill(reportingAsKilled: false)
            control.takeReports(link, self)
            readRestOfOutput(link)
            salvage(link)
            link.streams.readRest()
            isReadingOutput = false
            let status = try? link.process.reap()
            for registration in [output, exit] { registration?.deregister() }
            control.close()
            link.handover.close()
            link.streams.close()
            startTimer?.cancel()

            let failure = WorkerFailure(
                processID: link.process.id.rawValue,
                status: status,
                standardError: link.streams.errorTail,
                protocolError: protocolError,
                killError: killError,
                passedLimit: link.passedLimit
                    ?? PassedLimit(of: link.limits, status: status, lastWords: link.streams.errorTail))
            let (held, progress) = link.close()
            guard isReady || link.wasKilled else { return onEnd(failure) }
            onEnd(nil)
            report(held, progress, failure, link)
        }

        private func report(
            _ held: [WorkerLedger.Entry],
            _ progress: WorkerLedger.Progress?,
            _ failure: WorkerFailure,
            _ link: WorkerLink
        ) {
            let error = PoolError.workerCrashed(failure)
            let holding = held.isEmpty ? .unbegun : account(held, progress)
            let report = { @Sendable [events, id = link.id] in events.workerEnded(id, holding: holding, error: error) }
            // What it said comes before what became of it, unless the pool does not want to know.
            link.wasKilled ? report() : link.streams.whenDelivered(on: link.loop.events, report)
        }

        /// What had become of what the worker held, as far as it can be believed.
        private func account(_ held: [WorkerLedger.Entry], _ progress: WorkerLedger.Progress?) -> HeldWork {
            // What came from a worker that cannot be believed is nobody's result.
            if !isTrusted { held[0].chunk.discardResults(from: held[0].sentFrom) }
            switch progress {
            case .unbegun:
                return .unbegun
            case .begun(0, let end) where isTrusted:
                // All results that there were have come, so of a stride that was begun one item at most has run.
                // The worker may also have died between two strides, with no item to blame.
                let chunk = held[0].chunk
                return end > chunk.finishedCount ? .begun(chunk, end: chunk.finishedCount + 1) : .unbegun
            case .begun(let index, let end):
                return .begun(held[index].chunk, end: end)
            case nil:
                // One that says what cannot be may have begun all that it held.
                let last = held[held.count - 1].chunk
                return .begun(last, end: last.count)
            }
        }

        private func readRestOfOutput(_ link: WorkerLink) {
            guard isReadingOutput else { return }
            // A socket holds less than a megabyte, unless the system was told otherwise; a program that the
            // worker left behind could go on writing for ever.
            var rest = Self.restSize
            while rest > 0, case .received(let count) = receive(link) { rest -= count }
        }

        /// Takes the results that the worker had ready but did not get to send; see ``ProgressBoard``.
        ///
        /// From a copy: a process that the worker has started may have its memory, and change it yet.
        private func salvage(_ link: WorkerLink) {
            let board = link.board
            let published = board.published.load()
            let openRun = board.openRun.load()
            let (start, overflow) = takenCount.subtractingReportingOverflow(board.base.load())
            guard isReady, isTrusted else { return }
            guard !overflow, max(start, published) <= UInt64(board.stage.count) else {
                isTrusted = false
                return
            }
            // A worker that had just sent all that was ready had not noted it yet.
            guard start <= published else { return }
            let staged = ByteBuffer(capacity: board.stage.count - Int(start))
            staged.append(contentsOf: UnsafeRawBufferPointer(rebasing: board.stage[Int(start)...]))
            staged.withUnsafeBytes { bytes in
                let count = Int(published - start)
                take(UnsafeRawBufferPointer(rebasing: bytes[..<count]), link)
                guard openRun == published + 1, isTrusted, assembler.isBetweenFrames else { return }
                salvageRun(UnsafeRawBufferPointer(rebasing: bytes[count...]), link)
            }
        }

        /// Takes the complete values of a run that the worker was still adding to.
        ///
        /// - Parameter count: How many are complete, if its header may have been copied before they were.
        private func salvageRun(_ run: UnsafeRawBufferPointer, count: Int? = nil, _ link: WorkerLink) {
            var reader = ByteReader(run)
            guard let header = try? Frame.Header.read(from: &reader), header.kind == .values, header.number > 0,
                let chunk = link.current
            else { return }
            do {
                try sender.read(&reader) { try chunk.receiveValues(count ?? Int(header.number), from: &$0) }
            } catch {
                isTrusted = false
            }
        }
    }
}

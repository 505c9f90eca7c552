import MultiprocessingCoding
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
        private let onEnd: @Sendable (WorkerFailure?) -> Void

        private var assembler = FrameAssembler()
        /// How many bytes of the worker's output have come through the socket.
        private var receivedCount: UInt64 = 0
        /// How many bytes of its output were taken, through the socket or from its stage.
        private var takenCount: UInt64 = 0
        private let keys = ReceivedKeys()
        private let errorTail = ErrorTail()

        /// How much is read in one turn of the loop, so that one worker's flood does not hold up the others.
        private static let turnSize = 1 << 20

        private var isReady = false
        private var protocolError: String?

        private var output: EventLoop.Registration?
        private var errors: EventLoop.Registration?
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

        init(events: WorkerEvents, onEnd: @escaping @Sendable (WorkerFailure?) -> Void) {
            self.events = events
            self.onEnd = onEnd
        }

        // MARK: Watching

        func open(_ link: WorkerLink) {
            do throws(SystemError) {
                // First, so that a worker that cannot be watched otherwise is still reaped.
                exit = try link.loop.events.register(link.process.exitDescriptor, .read) { _ in
                    // Once: its readiness stays.
                    try? self.exit?.setInterest([])
                    self.whenReading(link) { self.processEnded(link) }
                }
                output = try link.loop.events.register(link.socket.number, .read) { ready in
                    if ready.contains(.write) { link.continueSending() }
                    if ready.contains(.read) { self.outputReady(link) }
                }
                errors = try link.loop.events.register(link.errorPipe.number, .read) { _ in self.readErrors(link) }
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
        private func fail(_ link: WorkerLink, _ reason: String) {
            if protocolError == nil { protocolError = reason }
            link.kill(reportingAsKilled: false)
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
                let expected = takenCount &- link.board.dropped.load() &- receivedCount
                // Only whole frames are found in the stage, so none comes again within one.
                guard expected <= takenCount, room == nil || expected == 0 else {
                    fail(link, "it keeps no count of what it sends")
                    return result
                }
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
            guard isReady, isReadingOutput, assembler.isBetweenFrames, !overflow, start < published,
                published <= UInt64(board.stage.count)
            else { return }
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
                    land: { header in
                        guard let current = link.current, current.remainingCount > 0 else {
                            throw PortableFailure.unexpectedResult
                        }
                        return try current.landing(size: header.length)
                    },
                    { try handle($0, &$1, $2, link) })
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
            _ landing: Landing?,
            _ link: WorkerLink
        ) throws {
            switch header.kind {
            case .hello:
                guard let own = Hello.own, try Hello.read(from: &reader) == own else {
                    throw PortableFailure.wrongExecutable
                }
                isReady = true
                startTimer?.cancel()
                events.ready(link.id)
            case .keys:
                try keys.append(from: &reader)
            case .values:
                guard let current = link.current else { throw PortableFailure.unexpectedResult }
                try current.receiveValues(Int(header.number), from: &reader, keys: keys)
            case .array:
                guard let landing, let current = link.current else { throw PortableFailure.unexpectedResult }
                try current.receiveArray(landing)
            case .failure:
                guard let current = link.current, current.remainingCount > 0 else {
                    throw PortableFailure.unexpectedResult
                }
                current.receiveFailure(try ErrorCoding.decode(from: &reader, keys: keys))
            case .chunkEnd:
                let sequence: UInt64 = try reader.read()
                let nanoseconds: UInt64 = try reader.read()
                guard let (chunk, isLast) = link.finishCurrent(sequence) else {
                    throw PortableFailure.unexpectedResult
                }
                events.ended(chunk, on: link.id, nanoseconds: nanoseconds, isLast: isLast)
            case .define, .context, .forget, .variable, .chunk, .stop:
                throw PortableFailure.unknownFrame
            }
        }

        // MARK: Standard error

        private func readErrors(_ link: WorkerLink) {
            withUnsafeTemporaryAllocation(byteCount: 16 << 10, alignment: 1) { buffer in
                switch (try? link.errorPipe.read(into: buffer)) ?? .endOfStream {
                case .received(let count):
                    errorTail.append(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
                    relay(buffer[..<count], link)
                case .wouldBlock:
                    break
                case .endOfStream:
                    errors?.deregister()
                }
            }
        }

        private func relay(_ bytes: Slice<UnsafeMutableRawBufferPointer>, _ link: WorkerLink) {
            let hasRoom = StandardErrorRelay.shared.write(Array(bytes)) {
                link.loop.events.execute { try? self.errors?.setInterest(.read) }
            }
            // The worker is made to wait, as it would be if it wrote there itself.
            if !hasRoom { try? errors?.setInterest([]) }
        }

        private func readRestOfErrors(_ link: WorkerLink) {
            withUnsafeTemporaryAllocation(byteCount: 16 << 10, alignment: 1) { buffer in
                // A pipe holds 64 KiB; a program that the worker left behind could go on writing for ever.
                for _ in 0..<64 {
                    guard case .received(let count)? = try? link.errorPipe.read(into: buffer) else { return }
                    errorTail.append(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
                    _ = StandardErrorRelay.shared.write(Array(buffer[..<count])) {}
                }
            }
        }

        // MARK: The end

        /// Settles what the worker held, in this order: what it sent, what it had ready to send,
        /// what it said; only then is an item called lost.
        private func processEnded(_ link: WorkerLink) {
            // Before the child is reaped, while its number still names its process group.
            link.kill(reportingAsKilled: false)
            readRestOfOutput(link)
            salvage(link)
            readRestOfErrors(link)
            let status = try? link.process.reap()
            for registration in [output, errors, exit] { registration?.deregister() }
            startTimer?.cancel()

            let failure = WorkerFailure(
                processID: link.process.id.rawValue,
                status: status,
                standardError: errorTail.text,
                protocolError: protocolError)
            let held = link.close()
            guard isReady || link.wasKilled else { return onEnd(failure) }
            onEnd(nil)
            report(held, failure, link)
        }

        private func report(_ held: Outbox.Held?, _ failure: WorkerFailure, _ link: WorkerLink) {
            let error = PoolError.workerCrashed(failure)
            var holding = HeldWork.nothing
            if let held {
                let chunk = held.chunk
                let begun = link.board.begun.itemCount(ofChunk: held.sequence, stride: chunk.strideLength)
                // The worker may also have died between two strides, with no item to blame.
                let wasRunning = begun > chunk.finishedCount - held.sentFrom
                holding = wasRunning ? .startedChunk : .unstartedChunk
                if wasRunning, chunk.remainingCount > 0 { chunk.receiveFailure(error) }
            }
            events.workerEnded(link.id, holding: holding, error: error)
        }

        private func readRestOfOutput(_ link: WorkerLink) {
            guard isReadingOutput else { return }
            while case .received = receive(link) {}
        }

        /// Takes the results that the worker had ready but did not get to send; see ``Board``.
        private func salvage(_ link: WorkerLink) {
            let board = link.board
            let published = board.published.load()
            let (start, overflow) = takenCount.subtractingReportingOverflow(board.base.load())
            guard protocolError == nil, !overflow, start <= published, published <= UInt64(board.stage.count) else {
                return
            }
            take(UnsafeRawBufferPointer(rebasing: board.stage[Int(start)..<Int(published)]), link)
            let openRun = board.openRun.load()
            guard openRun == published + 1, assembler.missing == nil else { return }
            salvageRun(UnsafeRawBufferPointer(rebasing: board.stage[Int(published)...]), link)
        }

        /// Takes the complete values of a run that the worker was still adding to.
        private func salvageRun(_ run: UnsafeRawBufferPointer, _ link: WorkerLink) {
            var reader = ByteReader(run)
            guard let header = try? Frame.Header.read(from: &reader), header.kind == .values, header.number > 0,
                let chunk = link.current
            else { return }
            // Bytes that the dying worker damaged lose results and nothing else.
            try? chunk.receiveValues(Int(header.number), from: &reader, keys: keys)
        }
    }
}

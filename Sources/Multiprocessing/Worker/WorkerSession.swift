import MultiprocessingCoding
import MultiprocessingRuntime
import MultiprocessingSystem
import Synchronization

/// The life of a worker process: reads work, runs it and sends results, one chunk at a time.
///
/// Everything here happens on the process's main thread, in tasks whose executor it is, so
/// that synchronous work runs where it was read, without a hop. `Sendable` is unchecked for
/// that reason.
final class WorkerSession: @unchecked Sendable {
    let stage: ResultStage
    /// The parent, as whose messages inputs come.
    let sender = Sender()

    /// Where one result at a time is encoded.
    // Exclusivity is unchecked because what is encoded knows nothing of the session.
    @exclusivity(unchecked)
    var message = Outgoing(ByteBuffer(capacity: 4_096), attachmentLimit: Frame.workerAttachmentLimit)

    /// What the parent was sent that results refer to.
    private let sent = SentAttachments()

    private let executor: MainThreadExecutor
    private let input: FrameReader
    private let canceller: WorkerCanceller
    private let descriptors: DescriptorLane

    /// The task that serves; after a cancellation another one.
    private var task: Task<Void, Never>?

    private let wait = BusyWait(.worker)

    /// When results were last sent, in nanoseconds of the monotonic clock.
    private var lastFlush: UInt64 = 0

    /// How long results may wait for others to be sent with, in nanoseconds; a write costs some thousand.
    private static let flushInterval: UInt64 = 100_000

    /// How many bytes of results may wait.
    private static let flushSize = 64 << 10

    private var functions: [UInt32: (any WorkerFunction, variables: [UInt32])] = [:]

    /// The input of the chunk that comes next, if it is a large array.
    private var array: ArrivingArray?

    init(
        executor: MainThreadExecutor,
        input: FrameReader,
        stage: ResultStage,
        canceller: WorkerCanceller,
        descriptors: DescriptorLane
    ) {
        self.executor = executor
        self.descriptors = descriptors
        self.input = input
        self.stage = stage
        self.canceller = canceller
    }

    /// Greets the parent and serves until it is gone; called on the main thread.
    func run() -> Never {
        let payload = ByteBuffer()
        Hello(.scan()).append(to: payload)
        stage.append(.hello, payload: payload)
        stage.flush()
        serve()
        executor.run()
    }

    /// Stages the failure of the chunk's next item.
    func fail(_ error: any Error) {
        message.removeAll()
        ErrorCoding.encode(error, into: &message)
        stage.sendNewKeys()
        sendAttachments()
        stage.append(.failure, payload: message.bytes)
    }

    /// Stages what the message refers to, ahead of it, as far as the parent does not have it.
    func sendAttachments() {
        let attachments = message.attachments
        if attachments.isEmpty { return }
        sent.add(attachments) { attachment in
            let payload = ByteBuffer(capacity: 8 + attachment.bytes.count)
            payload.append(attachment.number)
            attachment.bytes.withUnsafeBytes { payload.append(contentsOf: $0) }
            let count = attachment.descriptors.count
            if count > 0 { handOver(attachment) }
            stage.append(.attachment, number: UInt32(count), payload: payload)
        }
    }

    /// Sends what travels beside an attachment, which has to be there before the frame can be seen.
    private func handOver(_ attachment: Attachment) {
        do throws(SystemError) {
            // The parent reads the lane when it comes to the frames that are staged.
            try descriptors.sendBlocking(AnnouncedDescriptors(of: attachment)) { stage.flush() }
        } catch {
            WorkerProcess.fail("it cannot hand over descriptors: \(error)")
        }
    }

    /// Stages the failure of all items of a chunk, of which none can run.
    func fail(_ chunk: WorkerChunk, _ error: any Error) {
        var stride: Range<Int>? = chunk.firstStride
        while let items = stride {
            for item in items where !chunk.isCancelled && chunk.begin(item) { fail(error) }
            stride = nextStride(of: chunk, behind: items.upperBound)
        }
    }

    /// Begins the items behind those up to `end`; `nil` if there are none, or the worker is not to go on.
    func nextStride(of chunk: WorkerChunk, behind end: Int) -> Range<Int>? {
        if chunk.isPrompt { stage.publishValues() }
        guard end < chunk.count, !chunk.isCancelled, stage.begin(end / chunk.stride, of: chunk) else { return nil }
        return end..<min(end + chunk.stride, chunk.count)
    }

    private func serve() {
        task = Task(executorPreference: executor) {
            do {
                while let frame = try self.nextFrame() {
                    // A large payload lies in the frame's landing.
                    defer { withExtendedLifetime(frame) {} }
                    if try await self.handle(frame) == .taskSpent { return self.serve() }
                }
                WorkerProcess.endOrphaned()
            } catch {
                WorkerProcess.fail("its parent sent bytes that make no sense: \(error)")
            }
        }
    }

    /// Blocks the main thread until there is a frame, before which all results are sent, and meanwhile serves the main queue if it is in use.
    private func nextFrame() throws -> ReceivedFrame? {
        if !input.hasFrame, stage.stagedCount > 0 {
            if stage.stagedCount < Self.flushSize, stage.isWatched {
                // Whoever waits for single items one after another sends the next at once.
                if input.isEmpty { _ = wait.wait { input.poll() } }
            }
            // The wait may have outlasted the watching.
            if !input.hasFrame, !(stage.stagedCount < Self.flushSize && stage.isWatched) {
                flush(at: MonotonicTime.now().nanoseconds)
            }
        }
        if input.isEmpty { executor.waitForInput(input.number) }
        return try input.next { header in
            guard let function = functions[header.number] else { throw PortableFailure.unknownFunction }
            return try function.0.landing(size: header.length)
        }
    }

    private enum Step {
        case goOn
        /// The task was cancelled with its chunk; what comes next needs another.
        case taskSpent
    }

    private func handle(_ frame: ReceivedFrame) async throws -> Step {
        let header = frame.header
        var reader = ByteReader(frame.payload)
        switch header.kind {
        case .keys:
            try sender.keys.append(from: &reader)
        case .define:
            functions[header.number] = try FunctionDefinition.resolve(
                Array(try reader.readBytes(reader.remaining)))
        case .attachment:
            try sender.attachments.receive(from: &reader) { number in
                try descriptors.receive(for: number, Int(header.number))
            }
        case .variable:
            sender.read(&reader) { ReceivedVariables.shared.receive(header.number, &$0) }
        case .forget:
            try sender.attachments.forget(try reader.read())
        case .chunk:
            let array = array
            self.array = nil
            return try await runChunk(count: Int(header.number), &reader, array)
        case .array:
            guard let landing = frame.landing else { throw PortableFailure.unexpectedArray }
            array = landing
        case .inquiry:
            let sequence: UInt64 = try reader.read()
            flush(at: MonotonicTime.now().nanoseconds)
            canceller.answer(sequence)
        case .stop:
            WorkerProcess.exitInOrder()
        case .hello, .values, .failure, .chunkEnd, .cancel, .watchActor, .answer, .progress, .actorEnded, .call,
            .cancelCall, .returned, .threw,
            .refused, .hold, .drop, .find, .seal, .method:
            throw PortableFailure.unknownFrame
        }
        return .goOn
    }

    private func runChunk(count: Int, _ reader: inout ByteReader, _ array: ArrivingArray?) async throws -> Step {
        let header = try Frame.ChunkHeader.read(from: &reader)
        guard let (function, variables) = functions[header.function] else { throw PortableFailure.unknownFunction }
        let context = header.context == 0 ? nil : sender.attachments[header.context]
        if header.context != 0, context == nil { throw PortableFailure.unknownContext }

        let chunk = WorkerChunk(header, count: count, board: stage.board)
        let start = MonotonicTime.now().nanoseconds
        if chunk.isTimed { stage.board.begunAt.store(start) }
        // Taken back before it was begun: the parent waits for nothing.
        guard count == 0 || stage.begin(0, of: chunk) else { return .goOn }
        WorkerProcess.attempt.store(Int(header.attempt), ordering: .relaxed)
        canceller.begin(chunk, task)
        var items = Incoming(reader, from: sender)
        await function.run(chunk, &items, array, context, variables, self)
        let end = MonotonicTime.now().nanoseconds
        let ending = canceller.end()
        // A large result is let go with its chunk.
        message.removeAll(keepingCapacity: message.bytes.count <= 1 << 20)

        for number in sent.takeForgotten() {
            message.bytes.append(number)
            stage.append(.forget, payload: message.bytes)
            message.removeAll()
        }
        message.bytes.append(header.sequence)
        message.bytes.append(end - start)
        stage.append(.chunkEnd, number: ending.hasReported ? 1 : 0, payload: message.bytes)
        if stage.stagedCount > Self.flushSize || (end - lastFlush > Self.flushInterval && !stage.isWatched) {
            flush(at: end)
        }
        return ending.isTaskSpent ? .taskSpent : .goOn
    }

    private func flush(at now: UInt64) {
        lastFlush = now
        // What the work printed is seen when its result is.
        ThisProcess.flushOutput()
        stage.flush()
    }
}

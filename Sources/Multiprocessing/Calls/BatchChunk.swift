import MultiprocessingCoding
import MultiprocessingSystem
import Synchronization

/// A chunk of several items of one call, whose results go to that call's pipeline.
///
/// It may hold many of what the caller calls a chunk: a worker begins them stride by stride,
/// and what it has not begun can be given to another.
final class BatchChunk<Input: Sendable, Output: Sendable>: StridedChunk, @unchecked Sendable {
    /// The number of the first item in its call.
    let index: Int

    let pipeline: CallProgress<Output>

    /// The run on a thread from which an item can be taken, if it is one of strides.
    let stagedRun = Mutex<StagedRun<Output>?>(nil)

    /// What is run, until the chunk has ended; guarded, because a part can be split off meanwhile.
    private let contents: Mutex<Contents?>

    /// Where the values of the items belong, if the call has places for them; the pipeline keeps those.
    let places: UnsafeMutablePointer<Output>?

    // The owner's: see Chunk. What came of the items that have ended, but for those that were handed over.
    @exclusivity(unchecked) var result = ChunkResult<Output>()

    /// How many items were handed over before the end, and the failures of those.
    @exclusivity(unchecked) private var handedCount = 0
    @exclusivity(unchecked) private var handedFailures: (count: Int, first: (any Error)?) = (0, nil)

    private struct Contents {
        let work: ItemFunction<Input, Output>
        /// The inputs on threads; those of a part are a part of the whole's.
        let inputs: ArraySlice<Input>
        /// The inputs on processes.
        let portable: PortableChunk?
        /// How many items there are, less the parts that were split off.
        var count: Int
        /// Whether those who wait were told that nothing will come: then no part is split off that would tell them otherwise.
        var isAbandoned = false

        /// Splits off the items from the one at `offset` on.
        mutating func split(at offset: Int) -> Contents {
            defer { count = offset }
            return Contents(
                work: work, inputs: inputs.dropFirst(offset), portable: portable?.part(from: offset),
                count: count - offset)
        }

        /// The item at `offset` alone.
        func item(at offset: Int) -> Contents {
            Contents(
                work: work, inputs: inputs.dropFirst(offset).prefix(1), portable: portable?.part(from: offset), count: 1
            )
        }
    }

    /// Encodes the inputs when the pool's workers are other processes.
    ///
    /// - Parameters:
    ///   - index: The number of the first item in its call.
    ///   - stride: How many items a worker begins together.
    /// - Throws: ``PoolError`` when the work or an input cannot be sent.
    init(
        index: Int,
        inputs: ArraySlice<Input>,
        stride: Int,
        work: ItemFunction<Input, Output>,
        pipeline: CallProgress<Output>
    ) throws {
        self.index = index
        self.pipeline = pipeline
        // No longer than the chunk, so that no sum or product of the two is out of range.
        // With a limit it has to be known which item runs; without a way to know, each begins by itself.
        let canWatch = RemoteFence.isAvailable && (pipeline.core.needsPortableWork || work.body.isSynchronous)
        let limits = pipeline.options.limits
        // Each begins by itself as well where each may wait for so long only.
        let begins = limits.queueTimeout == nil && (limits.timeout == nil || canWatch) ? stride : 1
        let stride = max(1, min(begins, inputs.count))
        places = pipeline.outputs?.places(of: index..<index + inputs.count)
        let portable: PortableChunk?
        if pipeline.core.needsPortableWork {
            portable = try work.portableChunk(inputs)
            contents = Mutex(Contents(work: work, inputs: [], portable: portable, count: inputs.count))
        } else {
            portable = nil
            contents = Mutex(Contents(work: work, inputs: inputs, portable: nil, count: inputs.count))
        }
        super.init(count: inputs.count, stride: stride)
        self.limits = limits
        label = pipeline.options.label
        inputSize = portable?.size ?? 0
    }

    /// Makes a chunk of the items of another from the one at `offset` on.
    private init(_ whole: BatchChunk, _ contents: sending Contents, from offset: Int) {
        let count = contents.count
        index = whole.index + offset
        pipeline = whole.pipeline
        places = whole.places.map { $0 + offset }
        self.contents = Mutex(contents)
        super.init(count: count, stride: whole.stride)
    }

    // With retries a failure may not be the last word.
    override var stopsAtFailure: Bool { pipeline.stopsAtFailure && pipeline.options.retry == nil }

    override var caller: CallerContext { pipeline.caller }

    override var portable: PortableChunk? { contents.withLock { $0?.portable } }

    override var failures: (count: Int, first: (any Error)?) {
        (handedFailures.count + result.failures.count, handedFailures.first ?? result.failures.first?.error)
    }

    var hasFailed: Bool { handedFailures.count > 0 || !result.failures.isEmpty }

    override var wantsToRun: Bool {
        super.wantsToRun && !(stopsAtFailure && hasFailed)
    }

    // MARK: Parts

    override func split(keeping count: Int) -> Chunk? {
        guard count > 0, count < self.count else { return nil }
        return contents.withLock { contents in
            guard contents?.isAbandoned == false, let part = split(&contents, at: count) else { return nil }
            self.count = count
            countStrides(from: max(strideBase, finishedCount))
            return part
        }
    }

    override func splitUnbegun() -> Chunk? {
        // All with the lock held: the thread that runs the chunk finds its new end in the claims, and must
        // not report that end before the pipeline knows of the part that is missing.
        contents.withLock { contents in
            guard contents?.isAbandoned == false else { return nil }
            return revokeUnbegun().flatMap { split(&contents, at: $0) }
        }
    }

    /// A part that the call's pipeline waits for as it does for the whole.
    private func split(_ contents: inout Contents?, at offset: Int) -> Chunk? {
        guard let rest = contents?.split(at: offset) else { return nil }
        let part = BatchChunk(self, rest, from: offset)
        part.follow(self)
        pipeline.add(part, at: part.index)
        // Seen by the part, or by the pipeline which now knows of it.
        if isCancelled { part.markCancelled() }
        return part
    }

    // MARK: Running on a thread

    override func run() async {
        guard let contents = contents.withLock({ $0 }) else { return }
        switch contents.work.body {
        case .synchronous(let body) where (limits.timeout != nil || isPrompt) && RemoteFence.isAvailable:
            return runWatched(contents.inputs, contents.work.loop ?? ItemLoop(body))
        case _ where limits.timeout != nil:
            return await runGuarded(contents.inputs, contents.work.body)
        case .synchronous(let body):
            runSynchronously(contents.inputs, contents.work.loop ?? ItemLoop(body))
        case .asynchronous(let body):
            if places == nil { result.outputs.reserveCapacity(count) }
            while let inputs = nextStride(contents.inputs), await runAsynchronously(inputs, body) {}
        }
        noteParts()
    }

    override var runningItem: (item: Int, since: UInt64?)? {
        guard let run = stagedRun.withLock({ $0 }) else { return super.runningItem }
        return run.watch.current
    }

    override func takeRunning(_ item: Int?) -> GuardedRun.Taking {
        let run = stagedRun.withLock { $0 }
        let taking = run?.watch.take(item) ?? super.takeRunning(item)
        guard case .taken(let item) = taking else { return taking }
        // From here on the chunk is the caller's. What comes of the item is the thread's to drop.
        if let run { receive(run, run.takenCount.load(ordering: .acquiring)..<item - run.start) }
        stagedRun.withLock { $0 = nil }
        contents.withLock { _ in
            noteParts()
            countStrides(from: item + 1)
        }
        return taking
    }

    // MARK: Results before the end

    override func handOverFinished() -> Bool {
        guard isPrompt else { return false }
        var tell: (() -> Void)?
        if contents.withLock({ $0?.portable != nil }) {
            tell = storeFinished()
        } else if let run = stagedRun.withLock({ $0 }) {
            // Stored while the thread is held, so that what comes of the chunk's end is behind it.
            let told = run.watch.hold(behind: run.start + run.takenCount.load(ordering: .relaxed)) { item in
                let taken = run.takenCount.load(ordering: .relaxed)
                receive(run, taken..<item - run.start)
                run.takenCount.store(item - run.start, ordering: .releasing)
                return storeFinished()
            }
            tell = told ?? nil
        }
        tell?()
        return tell != nil
    }

    // With retries a failure may not be the last word, and is told of at the end.
    override var tellsLosses: Bool { !pipeline.stopsAtFailure && pipeline.options.retry == nil }

    override func tellLosses() {
        failLost()
        storeFinished()?()
    }

    /// Puts what has come since the last time where the call finds it; returns what tells whoever waits for it, if something
    /// has.
    private func storeFinished() -> (() -> Void)? {
        let offset = handedCount
        guard finishedCount > offset else { return nil }
        var part = takeResult()
        part.isPart = true
        return pipeline.receivePart(part, of: self, at: index, from: offset)
    }

    /// Takes what has come of the items that have ended, of which the first is the first that was not handed over.
    private func takeResult() -> ChunkResult<Output> {
        var part = result
        result = ChunkResult()
        part.count = finishedCount - handedCount
        if !part.failures.isEmpty {
            handedFailures = failures(with: part.failures)
            if handedCount > 0 { part.failures = part.failures.map { ($0.offset - handedCount, $0.error) } }
        }
        handedCount = finishedCount
        return part
    }

    private func failures(with others: [(offset: Int, error: any Error)]) -> (count: Int, first: (any Error)?) {
        (handedFailures.count + others.count, handedFailures.first ?? others.first?.error)
    }

    // MARK: Results of a process

    override func receiveValues(_ count: Int, from incoming: inout Incoming) throws {
        let start = incoming.reader.offset
        defer { receivedSize += incoming.reader.offset - start }
        guard let work = contents.withLock({ $0?.work }), count <= self.count - finishedCount else {
            throw PortableFailure.unexpectedResult
        }
        if let function = work.function, function.hasBitwiseOutput {
            if let places {
                try function.decodeOutputs(count, from: &incoming, to: places + finishedCount)
            } else {
                try function.decodeOutputs(count, from: &incoming, into: &result.outputs)
            }
            finishedCount += count
            return
        }
        for _ in 0..<count {
            switch try work.decodeOutput(from: &incoming) {
            case .success(let value):
                receive(value)
            case .failure(let error):
                receiveFailure(error)
            }
        }
    }

    override func landing(size: UInt64) throws -> ArrivingArray {
        guard let function = contents.withLock({ $0?.work.function }) else { throw PortableFailure.unexpectedResult }
        return try function.landing(size: size)
    }

    override func receiveArray(_ landing: ArrivingArray) throws {
        receivedSize += landing.size
        guard remainingCount > 0, let function = contents.withLock({ $0?.work.function }) else {
            throw PortableFailure.unexpectedResult
        }
        receive(try function.output(in: landing))
    }

    func receive(_ value: Output) {
        if let places {
            (places + finishedCount).initialize(to: value)
        } else {
            result.outputs.append(value)
        }
        finishedCount += 1
    }

    override func discardResults(from start: Int) {
        // What was handed over was believed, as what had ended.
        let start = max(start, handedCount)
        guard start < finishedCount else { return }
        let failed = result.failures.prefix { $0.offset < start }.count
        result.failures.removeLast(result.failures.count - failed)
        // Those in places of their own are written again, or never looked at.
        if places == nil { result.outputs.removeLast(result.outputs.count - (start - handedCount - failed)) }
        finishedCount = start
    }

    override func receiveFailure(_ error: any Error) {
        result.failures.append((finishedCount, error))
        finishedCount += 1
    }

    // MARK: The end

    override func end(failing error: any Error, nanoseconds: UInt64) {
        while finishedCount < count { receiveFailure(error) }
        let offset = handedCount
        var result = takeResult()
        result.nanoseconds = nanoseconds
        result.size = inputSize + receivedSize
        result.isPart = offset > 0
        // Let go of outside of the lock: the caller's own values may go with it.
        let contents = contents.withLock { $0.take() }
        pipeline.receive(result, of: self, at: index, from: offset) { nextAttempt(at: $0 + offset, contents) }
    }

    override func abandon(_ error: any Error) {
        // Without the parts that were split off, which tell of their own items; after the end there is nothing to tell.
        let contents: Contents? = contents.withLock { contents in
            contents?.isAbandoned = true
            return contents
        }
        guard let contents else { return }
        var isTold = false
        // Again if its worker has handed over some more meanwhile.
        while !isTold, let start = pipeline.handedCount(of: self, at: index) {
            var lost = ChunkResult<Output>()
            lost.count = max(0, contents.count - start)
            lost.failures = (0..<lost.count).map { ($0, error) }
            isTold = pipeline.receive(lost, of: self, at: index, from: start) { nextAttempt(at: $0 + start, contents) }
        }
    }

    /// The chunk in which the item at `offset` is tried again, alone.
    private func nextAttempt(at offset: Int, _ contents: Contents?) -> Chunk? {
        guard let contents else { return nil }
        let next = BatchChunk(self, contents.item(at: offset), from: offset)
        next.limits = limits
        next.label = label
        next.attempt = attempt + 1
        return next
    }
}

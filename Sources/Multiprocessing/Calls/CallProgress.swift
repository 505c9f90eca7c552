import Synchronization

/// The chunks of one call on their way: how many are out, what came back, and who waits for it.
///
/// One task feeds it and one task drains it (often the same). Safe from any thread.
final class CallProgress<Output: Sendable>: Sendable {
    typealias Waiter = UnsafeContinuation<Void, Never>

    let core: PoolCore
    let stopsAtFailure: Bool

    let options: CallOptions

    /// Who is told how the call comes along.
    let reporter: ProgressReporter?

    /// What the items see of the task that made the call.
    let caller: CallerContext

    /// Whether results are wanted as they come, and so have to be remembered in that order.
    private let keepsArrivals: Bool

    /// Where values are put at once, instead of into the results of their chunks; only if it stops at a failure.
    let outputs: OutputArray<Output>?

    /// How many of a stream's asynchronous inputs may go together.
    let groupSize = Atomic(1)

    private let state = Mutex(State())

    /// - Parameter total: How many inputs there are, as far as is known.
    init(
        core: PoolCore,
        stopsAtFailure: Bool,
        keepsArrivals: Bool,
        options: CallOptions,
        total: Int?,
        outputs: OutputArray<Output>? = nil
    ) {
        self.core = core
        self.options = options
        reporter = options.progress.map { ProgressReporter(total: total, $0) }
        caller = core.needsPortableWork ? .none : .current(isForOne: false)
        self.outputs = outputs
        self.stopsAtFailure = stopsAtFailure
        self.keepsArrivals = keepsArrivals
    }

    /// Reads or changes the state; `body` is short and calls nothing that waits.
    func withState<R: Sendable>(_ body: (inout sending State) -> R) -> R {
        state.withLock { body(&$0) }
    }

    // MARK: Feeding

    /// Makes chunks of the inputs and submits them.
    ///
    /// An input that cannot be encoded fails alone, as if it had run.
    ///
    /// - Parameters:
    ///   - stride: How many of them a worker begins together.
    ///   - isPrompt: Whether what has come of some items is wanted while others run.
    func submit<Input: Sendable>(
        _ inputs: ArraySlice<Input>, stride: Int, isPrompt: Bool = false, _ work: ItemFunction<Input, Output>
    ) {
        submit(inputs, stride: stride, isPrompt: isPrompt, work, at: reserve(inputs.count))
    }

    /// The number of the first of so many items, which are about to be submitted.
    func reserve(_ count: Int) -> Int {
        state.withLock { state in
            defer { state.nextIndex += count }
            state.pulledCount += count
            return state.nextIndex
        }
    }

    /// Makes a chunk of each input and submits them together, so that workers are told once of them.
    ///
    /// An input that cannot be encoded fails alone, as if it had run.
    func submitEach<Input: Sendable>(_ inputs: [Input], _ work: ItemFunction<Input, Output>) {
        guard inputs.count > 1 else { return submit(inputs[...], stride: 1, work) }
        let start = reserve(inputs.count)
        var chunks: [Chunk] = []
        chunks.reserveCapacity(inputs.count)
        var places: [Int] = []
        places.reserveCapacity(inputs.count)
        var failures: [(index: Int, error: any Error)] = []
        for (offset, input) in inputs.enumerated() {
            do {
                // Each in memory of its own, which goes when the item has ended.
                chunks.append(
                    try BatchChunk(index: start + offset, inputs: [input], stride: 1, work: work, pipeline: self))
                places.append(start + offset)
            } catch {
                failures.append((start + offset, error))
            }
        }
        let isWanted = state.withLock { state in
            guard !state.isCancelled, !(stopsAtFailure && state.lowestFailure != nil) else { return false }
            for (index, chunk) in zip(places, chunks) {
                state.inFlight[index] = BatchHandle(chunk: chunk, size: chunk.inputSize)
                state.inFlightBytes += chunk.inputSize
            }
            return true
        }
        if isWanted { core.submit(chunks) }
        for (index, error) in failures {
            take(ChunkResult(failures: [(0, error)], count: 1), at: index, of: nil, retries: [])
        }
    }

    /// Makes a chunk of the inputs, which have numbers already.
    func submit<Input: Sendable>(
        _ inputs: ArraySlice<Input>,
        stride: Int,
        isPrompt: Bool = false,
        _ work: ItemFunction<Input, Output>,
        at index: Int
    ) {
        do {
            let chunk = try BatchChunk(index: index, inputs: inputs, stride: stride, work: work, pipeline: self)
            chunk.isPrompt = isPrompt
            let isWanted = state.withLock { state in
                // What comes before a failure is wanted, though it may be submitted later.
                guard !state.isCancelled, !(stopsAtFailure && index > state.lowestFailure?.index ?? .max) else {
                    return false
                }
                state.inFlight[index] = BatchHandle(chunk: chunk, size: chunk.inputSize)
                state.inFlightBytes += chunk.inputSize
                return true
            }
            if isWanted { core.submit(chunk) }
        } catch  where inputs.count > 1 {
            for (offset, input) in inputs.enumerated() { submit([input][...], stride: 1, work, at: index + offset) }
        } catch {
            take(ChunkResult(failures: [(0, error)], count: 1), at: index, of: nil, retries: [])
        }
    }

    /// Waits for a part that was split off a chunk as for any other.
    func add(_ part: Chunk, at index: Int) {
        let isWanted = state.withLock { state in
            state.inFlight[index] = BatchHandle(chunk: part, size: 0)
            return !state.isCancelled && !(stopsAtFailure && index > state.lowestFailure?.index ?? .max)
        }
        if !isWanted { part.markCancelled() }
    }

    /// Says that no chunk will be added, and what the input threw, if it did.
    func endInput(_ error: (any Error)? = nil) {
        let (consumer, producer, total) = state.withLock { state in
            state.isInputEnded = true
            state.inputError = error
            let (consumer, producer) = state.takeReady()
            return (consumer, producer, state.nextIndex)
        }
        reporter?.note(total: total)
        consumer?.resume()
        producer?.resume()
    }

    // MARK: Results

    /// Takes the end of a chunk; only the first end of each counts.
    ///
    /// - Parameters:
    ///   - offset: How many of its items were handed over before.
    ///   - nextAttempt: Makes the chunk in which the item at an offset, of those of the result, is tried again.
    /// - Returns: `false`, and nothing is taken, if others were handed over before than that.
    @discardableResult
    func receive(
        _ result: ChunkResult<Output>,
        of chunk: Chunk,
        at index: Int,
        from offset: Int = 0,
        nextAttempt: (_ offset: Int) -> Chunk?
    ) -> Bool {
        // Asked before anything is added to what it is told.
        let retries = retries(result, of: chunk, at: index, nextAttempt)
        return take(
            told(result, of: chunk), at: index, of: Origin(chunk: chunk, offset: offset, isEnd: true), retries: retries)
    }

    /// Takes what came of some of a chunk's items, while others run; nothing of a chunk that has ended.
    ///
    /// - Returns: What to do when the chunk is let go of.
    func receivePart(
        _ result: ChunkResult<Output>, of chunk: Chunk, at index: Int, from offset: Int
    ) -> () -> Void {
        // Before whoever reads the stream can come to its end.
        reporter?.note(completed: result.count - result.failures.count, failed: result.failures.count)
        let origin = Origin(chunk: chunk, offset: offset, isEnd: false)
        guard let taken = store(told(result, of: chunk), at: index, of: origin, retries: []).taken else {
            // Values that nobody wants go with the chunk let go of.
            return { withExtendedLifetime(result) {} }
        }
        return { self.settle(taken) }
    }

    /// How many items of a chunk were handed over before its end; `nil` after that.
    func handedCount(of chunk: Chunk, at index: Int) -> Int? {
        state.withLock { state in
            guard let handle = state.inFlight[index], handle.chunk === chunk else { return nil }
            return handle.handedCount
        }
    }

    /// Of which chunk a result is, and behind how many of its items that were handed over before.
    private struct Origin {
        let chunk: Chunk
        let offset: Int
        let isEnd: Bool
    }

    /// The failures that are tried again; asks the caller's predicate, so no lock is held.
    private func retries(
        _ result: ChunkResult<Output>,
        of chunk: Chunk,
        at index: Int,
        _ nextAttempt: (_ offset: Int) -> Chunk?
    ) -> [Retry] {
        guard let policy = options.retry, !result.failures.isEmpty, chunk.attempt < policy.attempts,
            state.withLock({ $0.inFlight[index]?.chunk === chunk }), core.takesRetries
        else { return [] }
        return result.failures.compactMap { offset, error in
            guard policy.wants(anotherAfter: chunk.attempt, failing: error), let next = nextAttempt(offset) else {
                return nil
            }
            return Retry(offset: offset, chunk: next, pause: policy.delay.pause(after: chunk.attempt))
        }
    }

    /// The result with failures that say which attempt they end, if it is not the first.
    private func told(_ result: ChunkResult<Output>, of chunk: Chunk) -> ChunkResult<Output> {
        guard let policy = options.retry, chunk.attempt > 1, !result.failures.isEmpty else { return result }
        var told = result
        told.failures = result.failures.map { ($0.offset, policy.told($0.error, ofAttempt: chunk.attempt)) }
        return told
    }

    /// - Parameters:
    ///   - first: The number of the chunk's first item.
    ///   - origin: The chunk; `nil` for one that was never sent.
    /// - Returns: `false` if the result is not the next of its chunk.
    @discardableResult
    private func take(
        _ result: ChunkResult<Output>, at first: Int, of origin: Origin?, retries: [Retry]
    ) -> Bool {
        let (taken, isNext) = store(result, at: first, of: origin, retries: retries)
        if let taken {
            let failed = result.failures.count - taken.retries.count
            reporter?.note(completed: result.count - result.failures.count, failed: failed)
            settle(taken)
        }
        return isNext
    }

    private func store(
        _ result: ChunkResult<Output>, at first: Int, of origin: Origin?, retries: [Retry]
    ) -> (taken: Taken?, isNext: Bool) {
        let index = first + (origin?.offset ?? 0)
        return state.withLock { state in
            if let origin {
                guard let handle = state.inFlight[first], handle.chunk === origin.chunk else { return (nil, true) }
                guard handle.handedCount == origin.offset else { return (nil, false) }
                if origin.isEnd {
                    state.inFlight[first] = nil
                    state.inFlightBytes -= handle.size
                    if handle.isRetry { state.retriedCount -= 1 }
                } else {
                    state.inFlight[first]?.handedCount += result.count
                }
            }
            let lowest = state.lowestFailure?.index
            var retries = retries
            if state.isCancelled || (stopsAtFailure && index > lowest ?? .max) { retries = [] }
            if retries.isEmpty {
                state.store(result, of: index, keepsArrival: keepsArrivals)
            } else {
                for (offset, part) in result.parts(without: retries.map(\.offset)) {
                    state.store(part, of: index + offset, keepsArrival: keepsArrivals)
                }
                for retry in retries {
                    state.inFlight[index + retry.offset] = BatchHandle(chunk: retry.chunk, size: 0, isRetry: true)
                }
                state.retriedCount += retries.count
            }
            let failure = state.lowestFailure?.index
            let overtaken = stopsAtFailure && failure != lowest ? failure.map { state.chunks(behind: $0) } : nil
            return (Taken(ready: state.takeReady(), overtaken: overtaken ?? [], retries: retries), true)
        }
    }

    /// Tells everybody of results that were stored; with nothing held.
    private func settle(_ taken: Taken) {
        // Here and not when the consumer wakes: until then the workers would go on with them.
        for chunk in taken.overtaken { core.cancel(chunk) }
        for retry in taken.retries { core.retry(retry.chunk, after: retry.pause) }
        taken.ready.0?.resume()
        taken.ready.1?.resume()
    }

    /// An item that is tried again.
    private struct Retry {
        let offset: Int
        let chunk: Chunk
        let pause: Duration
    }

    /// What follows from the end of a chunk.
    private struct Taken {
        let ready: (Waiter?, Waiter?)
        let overtaken: [Chunk]
        let retries: [Retry]
    }

    /// Takes how many items were given out by now, which makes room for others; returns how many were taken from the input.
    func noteDelivery(of count: Int) -> Int {
        let (pulled, consumer, producer) = state.withLock { state in
            state.deliveredCount = count
            let (consumer, producer) = state.takeReady()
            return (state.pulledCount, consumer, producer)
        }
        consumer?.resume()
        producer?.resume()
        return pulled
    }

    // MARK: Waiting

    /// Suspends until `condition` holds or the call is cancelled.
    nonisolated(nonsending) func wait(until condition: @escaping @Sendable (borrowing State) -> Bool) async {
        await withUnsafeContinuation { (waiter: Waiter) in
            let isReady = state.withLock { state in
                if state.isCancelled || condition(state) { return true }
                state.consumer = (condition, waiter)
                return false
            }
            if isReady { waiter.resume() }
        }
    }

    /// As ``wait(until:)``, for the task that feeds the pipeline.
    func waitToFeed(until condition: @escaping @Sendable (borrowing State) -> Bool) async {
        if state.withLock({ $0.isCancelled || condition($0) }) { return }
        await withUnsafeContinuation { (waiter: Waiter) in
            let isReady = state.withLock { state in
                if state.isCancelled || condition(state) { return true }
                state.producer = (condition, waiter)
                return false
            }
            if isReady { waiter.resume() }
        }
    }

    /// Wakes whoever waits for something that has come to hold.
    func wakeReady() {
        let (consumer, producer) = state.withLock { $0.takeReady() }
        consumer?.resume()
        producer?.resume()
    }

    // MARK: Cancelling

    /// Cancels every chunk that is out, and wakes whoever waits.
    func cancel() {
        let (chunks, ready, onCancel) = state.withLock { state in
            state.isCancelled = true
            return (state.chunks(), state.takeReady(), state.onCancel.take())
        }
        onCancel?()
        for chunk in chunks { core.cancel(chunk) }
        ready.0?.resume()
        ready.1?.resume()
    }

    /// Tells who is told of the progress that all inputs have been taken.
    func noteTotal() {
        if let reporter { reporter.note(total: state.withLock { $0.nextIndex }) }
    }

    /// Makes the last report of progress, if somebody is told; returns when it has been made.
    nonisolated(nonsending) func endProgress() async {
        await reporter?.end()
    }

    var isCancelled: Bool { state.withLock { $0.isCancelled } }

    /// How many first attempts are out.
    var activeCount: Int { state.withLock { $0.activeCount } }

    /// Whether the encoded inputs that are out take so much memory that items are not grouped any more.
    var isHeavy: Bool { state.withLock { $0.inFlightBytes } > 1 << 20 }

    /// Whether an item has failed.
    var hasFailed: Bool { state.withLock { $0.lowestFailure != nil } }

    /// Calls `body` when the pipeline is cancelled, or at once if it is; for one caller.
    func whenCancelled(_ body: @escaping @Sendable () -> Void) {
        let isCancelled = state.withLock { state in
            if !state.isCancelled { state.onCancel = body }
            return state.isCancelled
        }
        if isCancelled { body() }
    }

    /// Cancels every chunk that is out; their ends are still taken.
    func cancelChunks() {
        let chunks = state.withLock { $0.chunks() }
        for chunk in chunks { core.cancel(chunk) }
    }
}

/// A chunk that is out, and the bytes that it keeps in memory.
struct BatchHandle: Sendable {
    let chunk: Chunk
    let size: Int
    /// Whether it is a further attempt of an item.
    var isRetry = false
    /// How many of the chunk's items were handed over before its end.
    var handedCount = 0
}

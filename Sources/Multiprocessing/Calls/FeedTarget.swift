import Dispatch
import MultiprocessingSystem
import Synchronization

/// Where the task that reads a stream's asynchronous input puts it, for as long as the stream is read.
///
/// The input may be deaf to cancellation and keep that task for ever. So the task holds nothing but this
/// while it waits for the input, and the pool and the pipeline go with the stream.
///
/// Inputs that come one upon another are gathered: see ``InputGroup``. When the task suspends within its input, nobody is
/// told. So while something is gathered the clock looks, and has sent what is overdue.
final class FeedTarget<Input: Sendable, Output: Sendable>: Sendable {
    fileprivate struct Contents {
        let pipeline: CallProgress<Output>
        let plan: StreamPlan<Input, Output>
        var group = InputGroup<Input>()
        /// How many threads are about to submit what they took.
        var submitterCount = 0
        /// What to say at the end of the input, if that waits for those.
        var end: End?
    }

    fileprivate enum Look {
        case over
        case tooEarly
        case overdue
    }

    fileprivate struct End {
        let error: (any Error)?
    }

    private let contents: Mutex<Contents?>
    private let chunkSize: Int
    private let gathers: Bool

    init(_ pipeline: CallProgress<Output>, _ plan: StreamPlan<Input, Output>) {
        contents = Mutex(Contents(pipeline: pipeline, plan: plan))
        chunkSize = plan.chunkSize
        gathers = plan.gathersInputs
    }

    /// Moves the input to the pool, chunk by chunk or in groups, as long as there is room.
    func read<Base: AsyncSequence>(_ base: Base) async where Base.Element == Input {
        do {
            var iterator = base.makeAsyncIterator()
            if gathers {
                while let count = await waitForRoom(), try await gather(count, &iterator) {}
            } else {
                while await waitForRoom() != nil, try await readChunk(&iterator) {}
            }
            end(nil)
        } catch {
            end(error)
        }
    }

    /// Suspends until another chunk, or group, may be read; returns how many inputs, and `nil` when none is wanted any more.
    private func waitForRoom() async -> Int? {
        guard let contents = contents.withLock({ $0 }) else { return nil }
        let (pipeline, plan) = (contents.pipeline, contents.plan)
        let size = gathers && !pipeline.isHeavy ? pipeline.groupSize.load(ordering: .relaxed) : chunkSize
        await pipeline.waitToFeed { state in
            plan.room(for: size, pulled: state.pulledCount, delivered: state.deliveredCount)
        }
        return pipeline.isCancelled || (plan.stopsAtFailure && pipeline.hasFailed) ? nil : size
    }

    // MARK: Chunk by chunk

    /// Moves one chunk; `false` at the end.
    private func readChunk<Iterator: AsyncIteratorProtocol>(_ iterator: inout Iterator) async throws -> Bool
    where Iterator.Element == Input {
        var batch: [Input] = []
        do {
            while batch.count < chunkSize, let element = try await iterator.next() { batch.append(element) }
        } catch {
            // What was read before the input failed is still run.
            submit(batch)
            throw error
        }
        submit(batch)
        return batch.count == chunkSize
    }

    /// Makes a chunk of what was read; what nobody waits for any more is dropped.
    private func submit(_ inputs: [Input]) {
        guard !inputs.isEmpty, let contents = contents.withLock({ $0 }) else { return }
        contents.pipeline.submit(inputs[...], stride: inputs.count, contents.plan.work)
    }

    // MARK: In groups

    /// Moves so many inputs, for which there is room; `false` at the end.
    private func gather<Iterator: AsyncIteratorProtocol>(_ count: Int, _ iterator: inout Iterator) async throws -> Bool
    where Iterator.Element == Input {
        // What was read is still run if the input fails.
        defer { submitGroup() }
        noteAsking()
        for _ in 0..<count {
            guard let input = try await iterator.next() else { return false }
            add(input)
        }
        return true
    }

    private func noteAsking() {
        let now = MonotonicTime.now().nanoseconds
        contents.withLock { $0?.group.noteAsking(now) }
    }

    private func add(_ input: Input) {
        let now = MonotonicTime.now().nanoseconds
        let (goes, isToBeWatched) = contents.withLock { contents in contents?.add(input, now) ?? (false, false) }
        if goes {
            submitGroup()
            noteAsking()
        } else if isToBeWatched {
            lookLater()
        }
    }

    /// Makes a chunk of what was gathered.
    private func submitGroup() {
        guard let taken = contents.withLock({ $0?.takeGroup() }) else { return }
        let inputs = taken.inputs
        taken.pipeline.submit(
            inputs[...], stride: chunkSize, isPrompt: inputs.count > 1, taken.work, at: taken.index)
        let end = contents.withLock { contents -> (CallProgress<Output>, End)? in
            contents?.submitterCount -= 1
            guard contents?.submitterCount == 0, let end = contents?.end else { return nil }
            return contents.take().map { ($0.pipeline, end) }
        }
        if let (pipeline, end) = end { pipeline.endInput(end.error) }
    }

    private func lookLater() {
        let time = MonotonicTime.now().nanoseconds + InputGroup<Input>.lookInterval
        let alarm = AlarmClock.shared.call(at: MonotonicTime(nanoseconds: time)) { self.look() }
        // Nothing to measure time with.
        if alarm == nil { submitLate() }
    }

    /// Sends what nobody else does, because the task that reads the input waits for it.
    private func look() {
        let now = MonotonicTime.now().nanoseconds
        let look = contents.withLock { $0?.look(now) } ?? .over
        switch look {
        case .over: break
        case .tooEarly: lookLater()
        // Encoding the inputs calls what the user has written.
        case .overdue: DispatchQueue.global().async { self.submitLate() }
        }
    }

    private func submitLate() {
        contents.withLock { $0?.group.isWatched = false }
        submitGroup()
    }

    // MARK: The end

    /// Says that the input has ended, and what it threw, if it did.
    private func end(_ error: (any Error)?) {
        let pipeline = contents.withLock { contents -> CallProgress<Output>? in
            guard contents?.submitterCount == 0 else {
                contents?.end = End(error: error)
                return nil
            }
            return contents.take()?.pipeline
        }
        pipeline?.endInput(error)
    }

    /// Forgets the stream, which was cancelled.
    func letGo() {
        // Let go of outside of the lock: the pool may go with it.
        _ = contents.withLock { $0.take() }
    }
}

extension FeedTarget.Contents {
    /// Takes an input that has come; returns whether what is gathered is to go now, and if not, whether it is to be watched.
    fileprivate mutating func add(_ input: Input, _ now: UInt64) -> (goes: Bool, isToBeWatched: Bool) {
        let size = pipeline.groupSize.load(ordering: .relaxed)
        switch group.add(input, size: size, now: now) {
        case .goes: return (true, false)
        case .goesIfWanted where pipeline.activeCount < 2 * plan.core.workerCount: return (true, false)
        case .goesIfWanted, .waits:
            defer { group.isWatched = true }
            return (false, !group.isWatched)
        }
    }

    /// What is to be done about what is gathered.
    fileprivate mutating func look(_ now: UInt64) -> FeedTarget.Look {
        if group.isEmpty {
            group.isWatched = false
            return .over
        }
        return group.isOverdue(now) ? .overdue : .tooEarly
    }

    /// Takes what is gathered, and the numbers of the items while nobody else can.
    fileprivate mutating func takeGroup() -> GatheredInputs<Input, Output>? {
        guard !group.isEmpty else { return nil }
        let inputs = group.take()
        submitterCount += 1
        return GatheredInputs(
            inputs: inputs, index: pipeline.reserve(inputs.count), pipeline: pipeline, work: plan.work)
    }
}

/// Inputs that are about to be submitted, and where.
private struct GatheredInputs<Input: Sendable, Output: Sendable>: Sendable {
    let inputs: [Input]
    let index: Int
    let pipeline: CallProgress<Output>
    let work: ItemFunction<Input, Output>
}

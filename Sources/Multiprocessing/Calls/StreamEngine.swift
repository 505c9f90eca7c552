/// Gives the results of a stream, one at a time, and feeds it meanwhile.
protocol StreamEngine<Output> {
    associatedtype Output: Sendable

    /// The next result; `nil` at the end. A cancelled consumer gets one `CancellationError`.
    nonisolated(nonsending) mutating func next() async -> Result<Output, any Error>?

    /// Stops: nothing more is taken from the input, and what runs is cancelled.
    mutating func stop()

    /// Makes the last report of progress of a stream that is over.
    nonisolated(nonsending) func endProgress() async
}

/// The engine of a stream over a sequence, whose elements are taken in the consumer's own calls.
///
/// So nothing is taken that was not asked for, and the sequence need not be `Sendable`.
struct SequenceEngine<Base: Sequence, Output: Sendable>: StreamEngine where Base.Element: Sendable {
    private let plan: StreamPlan<Base.Element, Output>
    private let owner: PipelineOwner<Output>
    private var drain: ResultDrain<Output>
    private var source: InputBatches<Base.Element>
    private var pulledCount = 0
    private var deliveredCount = 0
    private var isFinished = false

    init(_ base: Base, _ plan: StreamPlan<Base.Element, Output>) throws {
        let plan = try plan.carrying()
        self.plan = plan
        let hint = base.underestimatedCount
        owner = PipelineOwner(plan.makePipeline(total: hint > 0 ? hint : nil))
        drain = ResultDrain(owner.pipeline, order: plan.order)
        source = InputBatches(
            Intake(IteratorSequence(base.makeIterator())),
            sizer: ChunkSizer(fixed: plan.chunkSize, workerCount: plan.core.workerCount))
    }

    nonisolated(nonsending) mutating func next() async -> Result<Output, any Error>? {
        guard !isFinished else { return nil }
        let pipeline = owner.pipeline
        return await withCancellation(isolation: #isolation) {
            while true {
                if pipeline.isCancelled {
                    isFinished = true
                    await pipeline.endProgress()
                    return .failure(CancellationError())
                }
                feed()
                if let item = drain.takeItem() {
                    deliveredCount += 1
                    return item
                }
                if drain.isAtEnd {
                    isFinished = true
                    await pipeline.endProgress()
                    return nil
                }
                await drain.waitForChunk()
            }
        } onCancel: {
            pipeline.cancel()
        }
    }

    mutating func stop() {
        isFinished = true
        owner.pipeline.cancel()
    }

    nonisolated(nonsending) func endProgress() async { await owner.pipeline.endProgress() }

    private mutating func feed() {
        while !source.isExhausted, plan.room(pulled: pulledCount, delivered: deliveredCount),
            !(plan.stopsAtFailure && owner.pipeline.hasFailed)
        {
            let batch = source.next()
            pulledCount += batch.count
            if !batch.isEmpty { owner.pipeline.submit(batch, stride: batch.count, plan.work) }
        }
        if source.isExhausted { owner.pipeline.endInput() }
    }
}

/// The engine of a stream over an asynchronous sequence, which a task of its own takes from.
///
/// The consumer must be able to get a result while the next input is still awaited.
struct AsyncSequenceEngine<Base: AsyncSequence & Sendable, Output: Sendable>: StreamEngine
where Base.Element: Sendable {
    private let base: Base
    private let plan: StreamPlan<Base.Element, Output>
    private let owner: PipelineOwner<Output>
    private var drain: ResultDrain<Output>
    private var isFeeding = false
    private var isFinished = false

    init(_ base: Base, _ plan: StreamPlan<Base.Element, Output>) throws {
        self.base = base
        self.plan = try plan.carrying()
        owner = PipelineOwner(plan.makePipeline())
        drain = ResultDrain(owner.pipeline, order: plan.order)
    }

    nonisolated(nonsending) mutating func next() async -> Result<Output, any Error>? {
        guard !isFinished else { return nil }
        startFeeding()
        let pipeline = owner.pipeline
        return await withCancellation(isolation: #isolation) {
            while true {
                if pipeline.isCancelled {
                    isFinished = true
                    await pipeline.endProgress()
                    return .failure(CancellationError())
                }
                if let item = drain.takeItem() { return item }
                if drain.isAtEnd {
                    isFinished = true
                    await pipeline.endProgress()
                    return pipeline.withState { $0.inputError.take() }.map { .failure($0) }
                }
                await drain.waitForChunk()
            }
        } onCancel: {
            pipeline.cancel()
        }
    }

    mutating func stop() {
        isFinished = true
        owner.pipeline.cancel()
    }

    nonisolated(nonsending) func endProgress() async { await owner.pipeline.endProgress() }

    private mutating func startFeeding() {
        guard !isFeeding else { return }
        isFeeding = true
        let target = FeedTarget(owner.pipeline, plan)
        let (base, chunkSize) = (base, plan.chunkSize)
        let feeder = Task {
            do {
                var iterator = base.makeAsyncIterator()
                while await target.waitForRoom(), try await Self.feed(target, chunkSize, &iterator) {}
                target.end()
            } catch {
                target.end(error)
            }
        }
        owner.pipeline.whenCancelled {
            feeder.cancel()
            target.letGo()
        }
    }

    /// Moves one chunk from the input to the pool; `false` at the end.
    private static func feed(
        _ target: FeedTarget<Base.Element, Output>,
        _ chunkSize: Int,
        _ iterator: inout Base.AsyncIterator
    ) async throws -> Bool {
        var batch: [Base.Element] = []
        do {
            while batch.count < chunkSize, let element = try await iterator.next() { batch.append(element) }
        } catch {
            // What was read before the input failed is still run.
            target.submit(batch)
            throw error
        }
        target.submit(batch)
        return batch.count == chunkSize
    }
}

/// An engine, or the reason why there is none, which is then the stream's only result.
enum PlannedEngine<Engine: StreamEngine>: StreamEngine {
    typealias Output = Engine.Output

    case ready(Engine)
    case refused(any Error)
    case finished

    init(_ make: () throws -> Engine) {
        do {
            self = .ready(try make())
        } catch {
            self = .refused(error)
        }
    }

    nonisolated(nonsending) mutating func next() async -> Result<Output, any Error>? {
        switch self {
        case .ready(var engine):
            // Kept out of `self` meanwhile, so that the engine's storage has one owner and is not copied.
            self = .finished
            let result = await engine.next()
            self = .ready(engine)
            return result
        case .refused(let error):
            self = .finished
            return .failure(error)
        case .finished:
            return nil
        }
    }

    nonisolated(nonsending) func endProgress() async {
        if case .ready(let engine) = self { await engine.endProgress() }
    }

    mutating func stop() {
        if case .ready(var engine) = self { engine.stop() }
        self = .finished
    }
}

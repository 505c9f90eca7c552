import MultiprocessingSystem

/// An engine whose results come off a pipeline: what those over sequences of both kinds have in common.
class PipelineEngine<Output: Sendable>: StreamEngine<Output> {
    private let owner: PipelineOwner<Output>

    /// The consumer's side of the pipeline.
    final var drain: ResultDrain<Output>

    /// How many results were handed out before the present run, and how many are in that.
    private(set) final var deliveredCount = 0
    private var runCount = 0
    private var isFinished = false

    init<Input>(_ pipeline: CallProgress<Output>, _ plan: StreamPlan<Input, Output>) {
        owner = PipelineOwner(pipeline)
        drain = ResultDrain(pipeline, plan)
    }

    final var pipeline: CallProgress<Output> { owner.pipeline }

    /// Sees to it that inputs come, as many as there is room for; called before results are looked for.
    func feed() {}

    final override nonisolated(nonsending) func nextRun(within limit: Duration?) async -> StreamRun<Output>? {
        guard !isFinished else { return nil }
        let deadline = limit.map { MonotonicTime.now().advanced(by: $0) }
        deliveredCount += runCount
        runCount = 0
        while true {
            if Task.isCancelled { pipeline.cancel() }
            if pipeline.isCancelled {
                isFinished = true
                await pipeline.endProgress()
                return .cancelled
            }
            feed()
            if let run = drain.takeRun() {
                runCount = run.count
                return run
            }
            if drain.isAtEnd {
                isFinished = true
                await pipeline.endProgress()
                return pipeline.withState { $0.inputError.take() }.map { StreamRun(failure: $0) }
            }
            if let deadline, MonotonicTime.now() >= deadline { return StreamRun() }
            await drain.waitForChunk(until: deadline)
        }
    }

    final override nonisolated(nonsending) func stop() async {
        isFinished = true
        pipeline.cancel()
        await pipeline.endProgress()
    }
}

/// Cancels what is out when the consumer lets go of its iterator.
private final class PipelineOwner<Output: Sendable>: Sendable {
    let pipeline: CallProgress<Output>

    init(_ pipeline: CallProgress<Output>) {
        self.pipeline = pipeline
    }

    deinit {
        pipeline.reporter?.stop()
        pipeline.cancel()
    }
}

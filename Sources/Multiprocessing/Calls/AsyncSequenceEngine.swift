/// The engine of a stream over an asynchronous sequence, which a task of its own takes from.
///
/// The consumer must be able to get a result while the next input is still awaited.
final class AsyncSequenceEngine<Base: AsyncSequence & Sendable, Output: Sendable>: StreamEngine<Output>
where Base.Element: Sendable {
    private let base: Base
    private let plan: StreamPlan<Base.Element, Output>
    private let owner: PipelineOwner<Output>
    private var drain: ResultDrain<Output>
    /// How many results were handed out before the present run, and how many are in that.
    private var deliveredCount = 0
    private var runCount = 0
    private var isFeeding = false
    private var isFinished = false

    init(_ base: Base, _ plan: StreamPlan<Base.Element, Output>) throws {
        self.base = base
        self.plan = try plan.carrying()
        owner = PipelineOwner(plan.makePipeline())
        drain = ResultDrain(owner.pipeline, plan)
    }

    override nonisolated(nonsending) func nextRun() async -> StreamRun<Output>? {
        guard !isFinished else { return nil }
        startFeeding()
        let pipeline = owner.pipeline
        deliveredCount += runCount
        runCount = 0
        while true {
            if Task.isCancelled { pipeline.cancel() }
            if pipeline.isCancelled {
                isFinished = true
                await pipeline.endProgress()
                return .cancelled
            }
            if let run = drain.takeRun() {
                runCount = run.count
                return run
            }
            if drain.isAtEnd {
                isFinished = true
                await pipeline.endProgress()
                return pipeline.withState { $0.inputError.take() }.map { StreamRun(failure: $0) }
            }
            await drain.waitForChunk()
        }
    }

    /// The result that is about to be handed out makes room, which the task that reads the input is told at once.
    override func makeRoom(given: Int) -> Int {
        let delivered = deliveredCount + given + 1
        let pulled = owner.pipeline.noteDelivery(of: delivered)
        return given + plan.deliveriesUntilRoom(for: plan.chunkSize, pulled: pulled, delivered: delivered)
    }

    override nonisolated(nonsending) func stop() async {
        isFinished = true
        owner.pipeline.cancel()
        await owner.pipeline.endProgress()
    }

    private func startFeeding() {
        guard !isFeeding else { return }
        isFeeding = true
        let target = FeedTarget(owner.pipeline, plan)
        let base = base
        let feeder = Task { await target.read(base) }
        owner.pipeline.whenCancelled {
            feeder.cancel()
            target.letGo()
        }
    }
}

import Synchronization

/// The engine of a stream over an asynchronous sequence, which a task of its own takes from.
///
/// The consumer must be able to get a result while the next input is still awaited.
final class AsyncSequenceEngine<Base: AsyncSequence & Sendable, Output: Sendable>: PipelineEngine<Output>
where Base.Element: Sendable {
    private let base: Base
    private let plan: StreamPlan<Base.Element, Output>
    private var isFeeding = false

    init(_ base: Base, _ plan: StreamPlan<Base.Element, Output>) throws {
        let plan = try plan.carrying()
        self.base = base
        self.plan = plan
        super.init(plan.makePipeline(), plan)
    }

    override func feed() {
        startFeeding()
        _ = tell(delivered: deliveredCount)
    }

    /// The result that is about to be handed out makes room, which the task that reads the input is told at once.
    override func makeRoom(given: Int) -> Int {
        given + tell(delivered: deliveredCount + given + 1)
    }

    /// Tells the task that reads the input how far the consumer is; returns after how many further results to tell it again.
    private func tell(delivered: Int) -> Int {
        guard plan.gathersInputs else {
            let pulled = pipeline.noteDelivery(of: delivered)
            return plan.deliveriesUntilRoom(for: plan.chunkSize, pulled: pulled, delivered: delivered)
        }
        let size = drain.sizer.size
        pipeline.groupSize.store(size, ordering: .relaxed)
        let pulled = pipeline.noteDelivery(of: delivered)
        // Meanwhile others are taken, and not always as many as there was room for.
        return min(
            plan.deliveriesUntilRoom(for: size, pulled: pulled, delivered: delivered), max(1, size / 4))
    }

    private func startFeeding() {
        guard !isFeeding else { return }
        isFeeding = true
        let target = FeedTarget(pipeline, plan)
        let base = base
        let feeder = Task { await target.read(base) }
        pipeline.whenCancelled {
            feeder.cancel()
            target.letGo()
        }
    }
}

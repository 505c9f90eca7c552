/// The engine of a stream over a sequence, whose elements are taken in the consumer's own calls.
///
/// So nothing is taken that was not asked for, and the sequence need not be `Sendable`.
final class SequenceEngine<Input: Sendable, Output: Sendable>: StreamEngine<Output> {
    private let plan: StreamPlan<Input, Output>
    private let owner: PipelineOwner<Output>
    private let intake: StreamIntake<Input>
    private var drain: ResultDrain<Output>
    /// What was taken and not yet submitted.
    private var pending: [Input] = []
    private var pulledCount = 0
    /// How many results were handed out before the present run, and how many are in that.
    private var deliveredCount = 0
    private var runCount = 0
    private var isExhausted = false
    private var isInputEnded = false
    private var isFinished = false

    init(_ plan: StreamPlan<Input, Output>, _ makeIntake: () -> StreamIntake<Input>) throws {
        let plan = try plan.carrying()
        self.plan = plan
        intake = makeIntake()
        owner = PipelineOwner(plan.makePipeline(total: intake.hint > 0 ? intake.hint : nil))
        drain = ResultDrain(owner.pipeline, plan)
    }

    override nonisolated(nonsending) func nextRun() async -> StreamRun<Output>? {
        guard !isFinished else { return nil }
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
            feed(delivered: deliveredCount)
            if let run = drain.takeRun() {
                runCount = run.count
                return run
            }
            if drain.isAtEnd {
                isFinished = true
                await pipeline.endProgress()
                return nil
            }
            await drain.waitForChunk()
        }
    }

    override func makeRoom(given: Int) -> Int {
        let delivered = deliveredCount + given
        feed(delivered: delivered)
        if isExhausted { return .max }
        return given + plan.deliveriesUntilRoom(for: takingCount, pulled: pulledCount, delivered: delivered)
    }

    override nonisolated(nonsending) func stop() async {
        isFinished = true
        owner.pipeline.cancel()
        await owner.pipeline.endProgress()
    }

    /// How many inputs are taken together.
    private var takingCount: Int { drain.sizer.size }

    /// Takes as many inputs as there is room for.
    private func feed(delivered: Int) {
        while !isExhausted, plan.room(for: takingCount, pulled: pulledCount, delivered: delivered),
            !(plan.stopsAtFailure && owner.pipeline.hasFailed)
        {
            let wanted = takingCount
            let count = pending.count
            let end = intake.take(wanted, plan.chunkSize, &pending)
            let taken = pending.count - count
            pulledCount += taken
            isExhausted = end == .ended
            if wanted > 1 || end == .slow { submitPending() }
            // As much as would be taken if nothing were quick, so that what is there already is given out.
            if end == .slow { drain.sizer.startAgain() }
        }
        // All that was taken is sent at once, together: nothing waits here while the consumer is elsewhere.
        submitPending()
    }

    private func submitPending() {
        if !pending.isEmpty {
            if drain.sizer.size > 1 {
                let inputs = pending
                pending = []
                // Of several chunks the results of the first are not to wait for the last.
                let isGroup = inputs.count > plan.chunkSize
                owner.pipeline.submit(inputs[...], stride: plan.chunkSize, isPrompt: isGroup, plan.work)
                if owner.pipeline.withState({ $0.inFlightBytes }) > Self.byteBudget { drain.sizer.startAgain() }
            } else {
                owner.pipeline.submitEach(pending, plan.work)
                pending.removeAll(keepingCapacity: true)
            }
        }
        if isExhausted, !isInputEnded {
            isInputEnded = true
            owner.pipeline.endInput()
        }
    }

    /// Encoded inputs that may be on their way before items are not grouped any more.
    private static var byteBudget: Int { 1 << 20 }
}

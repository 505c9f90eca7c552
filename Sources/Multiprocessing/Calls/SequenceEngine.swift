/// The engine of a stream over a sequence, whose elements are taken in the consumer's own calls.
///
/// So nothing is taken that was not asked for, and the sequence need not be `Sendable`.
final class SequenceEngine<Input: Sendable, Output: Sendable>: PipelineEngine<Output> {
    private let plan: StreamPlan<Input, Output>
    private let intake: StreamIntake<Input>
    /// What was taken and not yet submitted.
    private var pending: [Input] = []
    private var pulledCount = 0
    private var isExhausted = false
    private var isInputEnded = false

    init(_ plan: StreamPlan<Input, Output>, _ makeIntake: () -> StreamIntake<Input>) throws {
        let plan = try plan.carrying()
        self.plan = plan
        intake = makeIntake()
        super.init(plan.makePipeline(total: intake.hint > 0 ? intake.hint : nil), plan)
    }

    override func feed() { feed(delivered: deliveredCount) }

    override func makeRoom(given: Int) -> Int {
        let delivered = deliveredCount + given
        feed(delivered: delivered)
        if isExhausted { return .max }
        return given + plan.deliveriesUntilRoom(for: takingCount, pulled: pulledCount, delivered: delivered)
    }

    /// How many inputs are taken together.
    private var takingCount: Int { drain.sizer.size }

    /// Takes as many inputs as there is room for.
    private func feed(delivered: Int) {
        while !isExhausted, plan.room(for: takingCount, pulled: pulledCount, delivered: delivered),
            !(plan.stopsAtFailure && pipeline.hasFailed)
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
                pipeline.submit(inputs[...], stride: plan.chunkSize, isPrompt: isGroup, plan.work)
                if pipeline.isHeavy { drain.sizer.startAgain() }
            } else {
                pipeline.submitEach(pending, plan.work)
                pending.removeAll(keepingCapacity: true)
            }
        }
        if isExhausted, !isInputEnded {
            isInputEnded = true
            pipeline.endInput()
        }
    }
}

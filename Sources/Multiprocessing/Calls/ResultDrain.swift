import MultiprocessingSystem
import Synchronization

/// The consumer's side of a stream: takes the results that are there off a pipeline in the wanted order.
struct ResultDrain<Output: Sendable> {
    let pipeline: CallProgress<Output>
    private let order: StreamOrder
    private var nextIndex = 0
    /// What was taken and not yet given out, the next one last.
    private var runs: [StreamRun<Output>] = []

    /// Learns from what was taken how many items go together.
    var sizer: GroupSizer

    init<Input>(_ pipeline: CallProgress<Output>, _ plan: StreamPlan<Input, Output>) {
        self.pipeline = pipeline
        order = plan.order
        sizer = plan.makeSizer()
    }

    /// The next results, as many as there are up to a failure; `nil` if there is none.
    mutating func takeRun() -> StreamRun<Output>? {
        if runs.isEmpty { takeChunks() }
        return runs.popLast()
    }

    private mutating func takeChunks() {
        let wanted = nextIndex
        let byInput = order.kind == .input
        let chunks = pipeline.withState { byInput ? $0.takeAll(from: wanted) : $0.takeAllArrived() }
        guard !chunks.isEmpty else { return }
        for chunk in chunks {
            nextIndex += chunk.count
            sizer.observe(chunk)
        }
        runs = StreamRun.runs(of: chunks)
        if runs.count > 1 { runs.reverse() }
    }

    /// Whether every result was given out and none will come.
    var isAtEnd: Bool { runs.isEmpty && pipeline.withState { $0.isOver } }

    /// Suspends until ``takeRun()`` has something to give, nothing is left to come, or the time has come.
    ///
    /// Cancelling the task cancels the pipeline, which ends the wait.
    nonisolated(nonsending) func waitForChunk(until deadline: MonotonicTime?) async {
        let wanted = nextIndex
        let byInput = order.kind == .input
        let pipeline = pipeline
        let limit = TakingLimit()
        let alarm = deadline.flatMap { deadline in
            AlarmClock.shared.call(at: deadline) {
                limit.isOver.store(true, ordering: .relaxed)
                pipeline.wakeReady()
            }
        }
        // Nothing to measure time with: better too early than never.
        if deadline != nil, alarm == nil { return }
        defer { alarm.map(AlarmClock.shared.cancel) }
        pipeline.core.streamWaits.wrappingAdd(1, ordering: .relaxed)
        await withCancellation(isolation: #isolation) {
            await pipeline.wait { state in
                (byInput ? state.arrived[wanted] != nil : !state.arrived.isEmpty) || state.isOver
                    || limit.isOver.load(ordering: .relaxed)
            }
        } onCancel: {
            pipeline.cancel()
        }
    }
}

/// Whether a wait with a limit has taken too long; read and written around the pipeline's lock.
private final class TakingLimit: Sendable {
    let isOver = Atomic(false)
}

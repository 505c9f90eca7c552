import Synchronization

/// Where the task that reads a stream's asynchronous input puts it, for as long as the stream is read.
///
/// The input may be deaf to cancellation and keep that task for ever. So the task holds nothing but this
/// while it waits for the input, and the pool and the pipeline go with the stream.
final class FeedTarget<Input: Sendable, Output: Sendable>: Sendable {
    private struct Contents {
        let pipeline: CallProgress<Output>
        let plan: StreamPlan<Input, Output>
    }

    private let contents: Mutex<Contents?>

    init(_ pipeline: CallProgress<Output>, _ plan: StreamPlan<Input, Output>) {
        contents = Mutex(Contents(pipeline: pipeline, plan: plan))
    }

    /// Suspends until another chunk may be read; `false` when none is wanted any more.
    func waitForRoom() async -> Bool {
        guard let contents = contents.withLock({ $0 }) else { return false }
        let (pipeline, plan) = (contents.pipeline, contents.plan)
        await pipeline.waitToFeed { state in
            plan.room(pulled: state.pulledCount, delivered: state.deliveredCount)
        }
        return !pipeline.isCancelled && !(plan.stopsAtFailure && pipeline.hasFailed)
    }

    /// Makes a chunk of what was read; what nobody waits for any more is dropped.
    func submit(_ inputs: [Input]) {
        guard !inputs.isEmpty, let contents = contents.withLock({ $0 }) else { return }
        contents.pipeline.withState { $0.pulledCount += inputs.count }
        contents.pipeline.submit(inputs[...], stride: inputs.count, contents.plan.work)
    }

    /// Says that the input has ended, and what it threw, if it did.
    func end(_ error: (any Error)? = nil) {
        take()?.pipeline.endInput(error)
    }

    /// Forgets the stream, which was cancelled.
    func letGo() {
        _ = take()
    }

    // Let go of outside of the lock: the pool may go with it.
    private func take() -> Contents? {
        contents.withLock { $0.take() }
    }
}

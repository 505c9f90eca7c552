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
    private let chunkSize: Int

    init(_ pipeline: CallProgress<Output>, _ plan: StreamPlan<Input, Output>) {
        contents = Mutex(Contents(pipeline: pipeline, plan: plan))
        chunkSize = plan.chunkSize
    }

    /// Moves the input to the pool, chunk by chunk, as long as there is room.
    func read<Base: AsyncSequence>(_ base: Base) async where Base.Element == Input {
        do {
            var iterator = base.makeAsyncIterator()
            while await waitForRoom(), try await readChunk(&iterator) {}
            end()
        } catch {
            end(error)
        }
    }

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

    /// Suspends until another chunk may be read; `false` when none is wanted any more.
    private func waitForRoom() async -> Bool {
        guard let contents = contents.withLock({ $0 }) else { return false }
        let (pipeline, plan) = (contents.pipeline, contents.plan)
        await pipeline.waitToFeed { state in
            plan.room(for: plan.chunkSize, pulled: state.pulledCount, delivered: state.deliveredCount)
        }
        return !pipeline.isCancelled && !(plan.stopsAtFailure && pipeline.hasFailed)
    }

    /// Makes a chunk of what was read; what nobody waits for any more is dropped.
    private func submit(_ inputs: [Input]) {
        guard !inputs.isEmpty, let contents = contents.withLock({ $0 }) else { return }
        contents.pipeline.withState { $0.pulledCount += inputs.count }
        contents.pipeline.submit(inputs[...], stride: inputs.count, contents.plan.work)
    }

    /// Says that the input has ended, and what it threw, if it did.
    private func end(_ error: (any Error)? = nil) {
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

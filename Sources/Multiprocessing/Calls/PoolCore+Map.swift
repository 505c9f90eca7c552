extension PoolCore {
    /// How many chunks of a `map` are out at the same time: for each worker one that runs and one that waits.
    private var window: Int { 2 * workerCount + 2 }

    /// Encoded inputs that may wait in memory before a `map` stops taking more.
    private static let byteBudget = 32 << 20

    /// Runs the work for each input and returns the values in input order.
    ///
    /// At the first failure nothing further starts and what runs is cancelled. Items that
    /// come before the failed one are waited for, because theirs would be the error to throw.
    ///
    /// - Parameter loop: The work's code for many inputs, if the caller's module has it.
    @usableFromInline
    nonisolated(nonsending) func map<Input: Sendable, Output: Sendable>(
        _ inputs: Intake<Input>,
        _ work: ItemFunction<Input, Output>,
        loop: ItemLoop<Input, Output>? = nil,
        chunkSize: Int?,
        options: WorkOptions
    ) async throws -> [Output] {
        try checkChunkSize(chunkSize)
        let options = try call(options)
        try Task.checkCancellation()
        // Also without inputs, which would never get to be refused.
        if let refusal { throw refusal }
        let outputs = inputs.count.flatMap { OutputArray<Output>(count: $0) }
        let pipeline = CallProgress(
            core: self, stopsAtFailure: true, keepsArrivals: true, options: options, total: inputs.count,
            outputs: outputs)
        let work = try (loop.map { work.with($0) } ?? work).carrying(carrier)
        do {
            let values = try await withCancellation(isolation: #isolation) {
                try await drive(pipeline, inputs, work, chunkSize: chunkSize)
            } onCancel: {
                pipeline.cancel()
            }
            await pipeline.endProgress()
            return values
        } catch {
            await pipeline.endProgress()
            throw error
        }
    }

    nonisolated(nonsending) private func drive<Input: Sendable, Output: Sendable>(
        _ pipeline: CallProgress<Output>,
        _ inputs: Intake<Input>,
        _ work: ItemFunction<Input, Output>,
        chunkSize: Int?
    ) async throws -> [Output] {
        var source = InputBatches(inputs, sizer: ChunkSizer(fixed: chunkSize, workerCount: workerCount))
        var collected: [(index: Int, result: ChunkResult<Output>)] = []

        while true {
            var isFull = false
            while !isFull, !source.isExhausted {
                let batch = source.next()
                if !batch.isEmpty { pipeline.submit(batch, stride: source.stride(of: batch.count), work) }
                isFull = pipeline.withState { state in
                    state.activeCount >= self.window || state.lowestFailure != nil || state.isCancelled
                        || (state.inFlightBytes > Self.byteBudget && state.activeCount > self.workerCount)
                }
            }
            let isExhausted = source.isExhausted
            if isExhausted { pipeline.noteTotal() }
            await pipeline.wait { state in
                if state.lowestFailure != nil { return true }
                // Half of the window is left when the task wakes, which keeps the workers busy meanwhile.
                if isExhausted { return state.inFlight.isEmpty }
                return state.activeCount <= self.window / 2
                    && (state.inFlightBytes <= Self.byteBudget / 2 || state.activeCount <= self.workerCount)
            }
            let progress = pipeline.withState { state in
                let arrived = state.takeArrived()
                return (arrived, state.isCancelled, state.lowestFailure, state.inFlight.isEmpty)
            }
            let (arrived, isCancelled, failure, isDrained) = progress
            if isCancelled { throw CancellationError() }
            if failure != nil { throw await settleFailure(pipeline) }
            for (_, result) in arrived { source.observe(count: result.count, nanoseconds: result.nanoseconds) }
            collected += arrived
            if isExhausted, isDrained { break }
        }
        return join(collected, behind: pipeline.outputs)
    }

    /// Finds the error of the lowest item that failed, once nothing below it can fail any more.
    nonisolated(nonsending) private func settleFailure<Output>(_ pipeline: CallProgress<Output>) async -> any Error {
        pipeline.cancelChunks()
        await pipeline.wait { state in
            guard let failure = state.lowestFailure else { return true }
            return !state.inFlight.keys.contains { $0 < failure.index }
        }
        let (isCancelled, failure) = pipeline.withState { ($0.isCancelled, $0.lowestFailure) }
        pipeline.cancel()
        return isCancelled ? CancellationError() : failure?.error ?? CancellationError()
    }

    /// Puts the values of all chunks together: first those in their places, which have no others before them.
    private func join<Output>(
        _ collected: [(index: Int, result: ChunkResult<Output>)],
        behind placed: OutputArray<Output>?
    ) -> [Output] {
        let count = collected.reduce(0) { $0 + $1.result.count }
        let others = collected.filter { !$0.result.outputs.isEmpty }.sorted { $0.index < $1.index }
        let otherCount = others.reduce(0) { $0 + $1.result.outputs.count }
        var outputs = placed?.take(count - otherCount) ?? []
        if outputs.isEmpty, others.count == 1 { return others[0].result.outputs }
        outputs.reserveCapacity(count)
        for (_, result) in others { outputs.append(contentsOf: result.outputs) }
        return outputs
    }

    func checkChunkSize(_ chunkSize: Int?) throws {
        if let chunkSize, chunkSize < 1 {
            throw PoolError.invalidArgument(
                "chunkSize", chunkSize, "a chunk has at least 1 item; leave it out to have it chosen")
        }
    }
}

extension PoolCore {
    /// How many chunks of a `map` are out at the same time: for each worker one that runs and one that waits,
    /// and more of them when they are small, so that the caller's task wakes once for many.
    private func window(chunkSize: Int?) -> Int {
        let least = 2 * workerCount + 2
        guard let chunkSize else { return least }
        return max(least, min(1_024, 4_096 / chunkSize))
    }

    /// Encoded inputs that may wait in memory before a `map` stops taking more.
    private static let byteBudget = 32 << 20

    /// Runs the work for each input and returns the values in input order.
    ///
    /// At the first failure nothing further starts and what runs is cancelled. Items that
    /// come before the failed one are waited for, because theirs would be the error to throw.
    nonisolated(nonsending) func map<S: Sequence, Output: Sendable>(
        _ inputs: S,
        _ work: Work<S.Element, Output>,
        chunkSize: Int?
    ) async throws -> [Output] where S.Element: Sendable {
        try checkChunkSize(chunkSize)
        try Task.checkCancellation()
        // Also without inputs, which would never get to be refused.
        guard isOpen else { throw PoolError.shutDown }
        let pipeline = Pipeline<Output>(core: self, stopsAtFailure: true, keepsArrivals: true)
        return try await withTaskCancellationHandler {
            try await drive(pipeline, inputs, work, chunkSize: chunkSize)
        } onCancel: {
            pipeline.cancel()
        }
    }

    nonisolated(nonsending) private func drive<S: Sequence, Output: Sendable>(
        _ pipeline: Pipeline<Output>,
        _ inputs: S,
        _ work: Work<S.Element, Output>,
        chunkSize: Int?
    ) async throws -> [Output] where S.Element: Sendable {
        let window = window(chunkSize: chunkSize)
        let hint = inputs.underestimatedCount
        var source = BatchSource(
            inputs.makeIterator(),
            count: hint > 0 ? hint : nil,
            sizer: ChunkSizer(fixed: chunkSize, workerCount: workerCount))
        var collected: [ChunkResult<Output>] = []

        while true {
            var isFull = false
            while !isFull, !source.isExhausted {
                let batch = source.next()
                if !batch.isEmpty { pipeline.submit(batch, work) }
                isFull = pipeline.withState { state in
                    state.inFlight.count >= window || state.lowestFailure != nil || state.isCancelled
                        || (state.inFlightBytes > Self.byteBudget && state.inFlight.count > self.workerCount)
                }
            }
            let isExhausted = source.isExhausted
            await pipeline.wait { state in
                if state.lowestFailure != nil { return true }
                // Half of the window is left when the task wakes, which keeps the workers busy meanwhile.
                if isExhausted { return state.inFlight.isEmpty }
                return state.inFlight.count <= window / 2
                    && (state.inFlightBytes <= Self.byteBudget / 2 || state.inFlight.count <= self.workerCount)
            }
            let progress = pipeline.withState { state in
                let arrived = state.takeArrived()
                return (arrived, state.isCancelled, state.lowestFailure, state.inFlight.isEmpty)
            }
            let (arrived, isCancelled, failure, isDrained) = progress
            if isCancelled { throw CancellationError() }
            if failure != nil { throw await settleFailure(pipeline) }
            for (index, result) in arrived {
                source.observe(count: result.count, nanoseconds: result.nanoseconds)
                while collected.count <= index { collected.append(ChunkResult()) }
                collected[index] = result
            }
            if isExhausted, isDrained { break }
        }
        return join(collected)
    }

    /// Finds the error of the lowest item that failed, once nothing below it can fail any more.
    nonisolated(nonsending) private func settleFailure<Output>(_ pipeline: Pipeline<Output>) async -> any Error {
        pipeline.cancelChunks()
        await pipeline.wait { state in
            guard let failure = state.lowestFailure else { return true }
            return !state.inFlight.keys.contains { $0 < failure.index }
        }
        let (isCancelled, failure) = pipeline.withState { ($0.isCancelled, $0.lowestFailure) }
        pipeline.cancel()
        return isCancelled ? CancellationError() : failure?.error ?? CancellationError()
    }

    private func join<Output>(_ collected: [ChunkResult<Output>]) -> [Output] {
        if collected.count == 1 { return collected[0].outputs }
        var outputs: [Output] = []
        outputs.reserveCapacity(collected.reduce(0) { $0 + $1.outputs.count })
        for result in collected { outputs.append(contentsOf: result.outputs) }
        return outputs
    }

    func checkChunkSize(_ chunkSize: Int?) throws {
        if let chunkSize, chunkSize < 1 {
            throw PoolError.invalidArgument(
                "chunkSize", chunkSize, "a chunk has at least 1 item; leave it out to have it chosen")
        }
    }
}

/// Results of a stream that are there, in the order in which they are given out: values, and then at most one failure.
@usableFromInline
struct StreamRun<Output: Sendable>: Sendable {
    @usableFromInline var values: [Output]

    @usableFromInline var failure: (any Error)?

    @inlinable
    init(values: [Output] = [], failure: (any Error)? = nil) {
        self.values = values
        self.failure = failure
    }

    /// How many results these are.
    var count: Int { values.count + (failure == nil ? 0 : 1) }

    /// The end of a stream whose consumer was cancelled.
    static var cancelled: StreamRun { StreamRun(failure: CancellationError()) }

    /// Puts the results of chunks, which follow one another, into as few runs as there can be.
    static func runs(of chunks: [ChunkResult<Output>]) -> [StreamRun] {
        var runs: [StreamRun] = []
        var run = StreamRun()
        for chunk in chunks {
            var taken = 0
            var offset = 0
            for failure in chunk.failures {
                let count = failure.offset - offset
                run.values += chunk.outputs[taken..<taken + count]
                run.failure = failure.error
                runs.append(run)
                run = StreamRun()
                taken += count
                offset = failure.offset + 1
            }
            if run.values.isEmpty, taken == 0 {
                // The usual case of a chunk, whose values are there already.
                run.values = chunk.outputs
            } else {
                run.values += chunk.outputs[taken...]
            }
        }
        if run.count > 0 { runs.append(run) }
        return runs
    }
}

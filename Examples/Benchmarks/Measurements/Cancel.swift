import Multiprocessing

/// How long a worker takes from the cancellation of what it runs to its next result.
struct Cancel: Measurement {
    let name = "cancel"
    let summary = "the item of the only worker, which looks at Task.isCancelled, is cancelled: time to the next result"
    private let count: Int

    init(_ effort: Effort) {
        count = effort.pick(500, quick: 5)
    }

    var figures: [Figure] {
        [Figure(unit: .microseconds(per: 1))]
    }

    func contestants() throws -> [Contestant] {
        try MeasuredBackend.allCases.map { backend in
            try Contestant.pool(backend, workers: 1) { pool in
                var total = 0.0
                for _ in 0..<count {
                    let future = pool.submit { () -> Int in
                        while !Task.isCancelled {}
                        return 0
                    }
                    // Time enough for it to begin.
                    _ = try? await future.value(timeout: .milliseconds(1))
                    let watch = Stopwatch()
                    future.cancel()
                    let next = try await pool.run { 1 }
                    total += watch.seconds
                    try check(next, 1)
                }
                return [total / Double(count)]
            }
        }
    }
}

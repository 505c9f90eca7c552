import Multiprocessing

/// What it costs to look at a pool while it works.
struct Events: Measurement {
    let name = "events"
    let summary: String
    private let count: Int

    init(_ effort: Effort) {
        count = effort.pick(100_000, quick: 1_000)
        summary =
            "map() of \(count) numbers, each a chunk of its own, without and with a reader of events; time of each"
    }

    var figures: [Figure] {
        [
            Figure(detail: "no reader", unit: .nanoseconds(per: count)),
            Figure(detail: "a reader", unit: .nanoseconds(per: count), baseline: 0),
        ]
    }

    func contestants() throws -> [Contestant] {
        try MeasuredBackend.allCases.map { backend in
            try Contestant.pool(backend) { pool in
                let without = try await time(pool)
                let reader = Task { [events = pool.events] in
                    var number = 0
                    for await event in events { number += event.work?.items ?? 0 }
                    return number
                }
                let with = try await time(pool)
                reader.cancel()
                _ = await reader.value
                return [without, with]
            }
        }
    }

    private func time(_ pool: Pool) async throws -> Double {
        let numbers = Array(0..<count)
        let watch = Stopwatch()
        let results = try await pool.map(numbers, chunkSize: 1) { $0 &* $0 }
        let seconds = watch.seconds
        try check(results.count == count && results[count - 1] == (count - 1) * (count - 1), true)
        return seconds
    }
}

import Multiprocessing

/// What a deadline costs that does not strike.
struct Armed: Measurement {
    let name = "armed"
    let summary: String
    private let smallCount: Int
    private let mapCount: Int

    init(_ effort: Effort) {
        smallCount = effort.pick(100_000, quick: 1_000)
        mapCount = effort.pick(1_000_000, quick: 20_000)
        summary = "as small and map, of \(smallCount) and \(mapCount) numbers, without and with a timeout of 60 s"
    }

    var figures: [Figure] {
        [
            Figure(detail: "small", unit: .nanoseconds(per: smallCount)),
            Figure(detail: "small, timeout", unit: .nanoseconds(per: smallCount), baseline: 0),
            Figure(detail: "map", unit: .nanoseconds(per: mapCount)),
            Figure(detail: "map, timeout", unit: .nanoseconds(per: mapCount), baseline: 2),
        ]
    }

    func contestants() throws -> [Contestant] {
        try MeasuredBackend.allCases.map { backend in
            try Contestant.pool(backend) { pool in
                let limit = WorkOptions.timeout(.seconds(60))
                return [
                    try await time(pool, smallCount, chunkSize: 1, WorkOptions()),
                    try await time(pool, smallCount, chunkSize: 1, limit),
                    try await time(pool, mapCount, chunkSize: nil, WorkOptions()),
                    try await time(pool, mapCount, chunkSize: nil, limit),
                ]
            }
        }
    }

    private func time(_ pool: Pool, _ count: Int, chunkSize: Int?, _ options: WorkOptions) async throws -> Double {
        let numbers = Array(0..<count)
        let watch = Stopwatch()
        let results = try await pool.map(numbers, chunkSize: chunkSize, options: options) { $0 &* $0 }
        let seconds = watch.seconds
        try check(results.count == count && results[count - 1] == (count - 1) * (count - 1), true)
        return seconds
    }
}

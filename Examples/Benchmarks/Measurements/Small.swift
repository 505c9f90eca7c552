import Multiprocessing

/// What one item of a map costs when it travels alone.
struct Small: Measurement {
    let name = "small"
    let summary: String
    private let count: Int

    init(_ effort: Effort) {
        count = effort.pick(100_000, quick: 1_000)
        summary = "map() of \(count) numbers, each a chunk of its own; time of each"
    }

    var figures: [Figure] {
        [Figure(unit: .microseconds(per: count), peerCommand: "small \(count)")]
    }

    func contestants() throws -> [Contestant] {
        let numbers = Array(0..<count)
        let squares = numbers.map { $0 &* $0 }
        return try MeasuredBackend.allCases.map { backend in
            try Contestant.pool(backend) { pool in
                let watch = Stopwatch()
                let results = try await pool.map(numbers, chunkSize: 1) { $0 &* $0 }
                let seconds = watch.seconds
                try check(results == squares, true)
                return [seconds]
            }
        }
    }
}

import Multiprocessing

/// What one item costs when very many are queued at once.
struct Submit: Measurement {
    let name = "submit"
    let summary: String
    private let count: Int

    init(_ effort: Effort) {
        count = effort.pick(100_000, quick: 2_000)
        summary = "submit() of \(count) trivial closures with a number, then all their values; time of each"
    }

    var figures: [Figure] {
        [Figure(unit: .microseconds(per: count), peerCommand: "submit \(count)")]
    }

    func contestants() throws -> [Contestant] {
        try MeasuredBackend.allCases.map { backend in
            try Contestant.pool(backend) { pool in
                let watch = Stopwatch()
                let futures = (0..<count).map { number in pool.submit(number) { $0 + 1 } }
                var sum = 0
                for future in futures { sum += try await future.value }
                let seconds = watch.seconds
                try check(sum, count * (count + 1) / 2)
                return [seconds]
            }
        }
    }
}

import Glibc
import Multiprocessing

/// How close a map comes to the best schedule when few items are most of the work.
struct Uneven: Measurement {
    let name = "uneven"
    let summary: String
    private let items: [Toil]

    init(_ effort: Effort) {
        items = Self.items(count: effort.pick(1_000, quick: 50), least: effort.pick(100_000, quick: 10_000))
        summary = "map() of \(items.count) items of very different lengths, by the time of the best schedule"
    }

    let figures = [Figure(unit: Unit(name: "×", scale: 1))]

    func contestants() throws -> [Contestant] {
        try MeasuredBackend.allCases.map { backend in
            try Contestant.pool(backend) { pool in
                let (expected, best) = serial()
                let watch = Stopwatch()
                let results = try await pool.map(items) { $0.result() }
                let seconds = watch.seconds
                try check(results, expected)
                return [seconds / best]
            }
        } + [Contestant("best schedule", .floor, MeasuredBackend.allCases) { [1] }]
    }

    /// The results, and how long two workers would take at best: half of all, but at least the longest.
    private func serial() -> (results: [UInt64], best: Double) {
        var results: [UInt64] = []
        var total = 0.0
        var longest = 0.0
        for item in items {
            let watch = Stopwatch()
            results.append(item.result())
            let seconds = watch.seconds
            total += seconds
            longest = max(longest, seconds)
        }
        return (results, max(total / 2, longest))
    }

    /// Lengths with a heavy tail, the same in every run; the longest has 300 times the least.
    private static func items(count: Int, least: Int) -> [Toil] {
        var state: UInt64 = 42
        return (0..<count).map { number in
            state = Toil(seed: state, rounds: 8).result()
            let chance = (Double(state >> 11) + 1) / Double(1 << 53)
            let length = min(300, pow(chance, -1 / 1.3))
            return Toil(seed: UInt64(number), rounds: Int(Double(least) * length))
        }
    }
}

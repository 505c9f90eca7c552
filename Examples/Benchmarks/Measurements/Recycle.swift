import Multiprocessing

/// What an item costs whose worker is replaced after each.
struct Recycle: Measurement {
    let name = "recycle"
    let summary: String
    private let count: Int

    init(_ effort: Effort) {
        count = effort.pick(40, quick: 2)
        summary = "run() of \(count) items, one after another, on a worker that is replaced after each; time of each"
    }

    var figures: [Figure] {
        [Figure(unit: Unit(name: "ms", scale: 1e3 / Double(count)))]
    }

    func contestants() throws -> [Contestant] {
        try MeasuredBackend.allCases.map { backend in
            var configuration = Pool.Configuration()
            configuration.recycling.items = 1
            let pool = try backend.pool(workers: 1, configuration: configuration)
            return Contestant(backend.rawValue, .ours, [backend]) {
                let watch = Stopwatch()
                for number in 0..<count {
                    let next = try await pool.run(number) { $0 + 1 }
                    try check(next, number + 1)
                }
                return [watch.seconds]
            }
            .closing { await pool.shutDown() }
        }
    }
}

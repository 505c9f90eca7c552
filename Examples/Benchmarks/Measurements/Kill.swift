import Multiprocessing

/// How long a pool takes from a kill to the next result in the same place.
struct Kill: Measurement {
    let name = "kill"
    let summary = "the only worker runs a loop, which is cancelled without grace: time to the next result"
    private let count: Int

    init(_ effort: Effort) {
        count = effort.pick(20, quick: 2)
    }

    var figures: [Figure] {
        [Figure(unit: .milliseconds)]
    }

    func contestants() throws -> [Contestant] {
        var configuration = Pool.Configuration()
        configuration.gracePeriod = .zero
        let pool = try MeasuredBackend.processes.pool(workers: 1, configuration: configuration)
        let ours = Contestant(MeasuredBackend.processes.rawValue, .ours, [.processes]) {
            var total = 0.0
            for _ in 0..<count {
                _ = try await pool.run { 0 }
                let future = pool.submit { () -> Int in
                    while true {}
                }
                _ = try? await future.value(timeout: .milliseconds(1))
                let watch = Stopwatch()
                future.cancel()
                let next = try await pool.run { 1 }
                total += watch.seconds
                try check(next, 1)
            }
            return [total / Double(count)]
        }
        .closing { await pool.shutDown() }
        let floor = Contestant("start of a worker", .floor, [.processes]) {
            var total = 0.0
            for _ in 0..<count {
                let watch = Stopwatch()
                let pool = try MeasuredBackend.processes.pool(workers: 1)
                let one = try await pool.run { 1 }
                total += watch.seconds
                await pool.shutDown()
                try check(one, 1)
            }
            return [total / Double(count)]
        }
        return [ours, floor]
    }
}

import Glibc
import Multiprocessing

/// What crashes cost the items that do not crash.
struct CrashLoad: Measurement {
    let name = "crash-load"
    let summary: String
    private let count: Int
    private let rounds: Int

    init(_ effort: Effort) {
        count = effort.pick(2_000, quick: 40)
        rounds = effort.pick(400_000, quick: 10_000)
        summary = """
            two callers run() \(count) items of about a millisecond, of which none, one in 100 or one in 10 kills its worker
            """
    }

    var figures: [Figure] {
        [
            Figure(detail: "no crash", unit: .microseconds(per: count)),
            Figure(detail: "1 %", unit: .microseconds(per: count), baseline: 0),
            Figure(detail: "10 %", unit: .microseconds(per: count), baseline: 0),
        ]
    }

    func contestants() throws -> [Contestant] {
        [
            try Contestant.pool(.processes) { pool in
                [try await time(pool, every: nil), try await time(pool, every: 100), try await time(pool, every: 10)]
            }
        ]
    }

    private func time(_ pool: Pool, every period: Int?) async throws -> Double {
        let watch = Stopwatch()
        let crashes = try await withThrowingTaskGroup(of: Int.self) { group in
            for caller in 0..<2 {
                group.addTask {
                    var crashes = 0
                    for number in 0..<count / 2 {
                        let isLast = period.map { number % $0 == $0 - 1 } ?? false
                        let item = Item(toil: Toil(seed: UInt64(2 * number + caller), rounds: rounds), crashes: isLast)
                        do {
                            _ = try await pool.run(item) { $0.result() }
                        } catch let error as PoolError where error.code == .workerCrashed {
                            crashes += 1
                        }
                    }
                    return crashes
                }
            }
            return try await group.reduce(0, +)
        }
        let seconds = watch.seconds
        try check(crashes, period.map { 2 * (count / 2 / $0) } ?? 0)
        return seconds
    }

    private struct Item: Codable, Sendable {
        let toil: Toil
        let crashes: Bool

        func result() -> UInt64 {
            let result = toil.result()
            if crashes { kill(getpid(), SIGKILL) }
            return result
        }
    }
}

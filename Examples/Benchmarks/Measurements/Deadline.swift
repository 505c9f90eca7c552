import Glibc
import Multiprocessing
import Synchronization

/// How long after its deadline an item that never stops has failed.
struct Deadline: Measurement {
    let name = "deadline"
    let summary: String
    private let count: Int

    /// Of an item, which would run for much longer.
    private static let limit = Duration.milliseconds(20)

    init(_ effort: Effort) {
        count = effort.pick(200, quick: 2)
        summary = "\(count) items in a tight loop with a timeout of 20 ms and no grace: from that to the error"
    }

    let roundLimit = 1

    let figures = [
        Figure(detail: "median", unit: .milliseconds),
        Figure(detail: "worst", unit: .milliseconds),
        Figure(detail: "median, all cores busy", unit: .milliseconds),
        Figure(detail: "worst, all cores busy", unit: .milliseconds),
    ]

    func contestants() throws -> [Contestant] {
        MeasuredBackend.allCases.map { backend in
            Contestant(backend.rawValue, .ours, [backend]) {
                let idle = Spread(try await lateness(backend))
                let load = try Load()
                let busy = Spread(try await lateness(backend))
                await load.end()
                return [idle.median, idle.maximum, busy.median, busy.maximum]
            }
            .warming {}
        }
    }

    private func lateness(_ backend: MeasuredBackend) async throws -> [Double] {
        var configuration = Pool.Configuration()
        configuration.gracePeriod = .zero
        let pool = try backend.pool(workers: 1, configuration: configuration)
        var values: [Double] = []
        for _ in 0..<count {
            // The worker is there and idle when the item comes.
            _ = try await pool.run { 0 }
            let watch = Stopwatch()
            do {
                // A thread, which nothing can kill, is to be free again for the next.
                let listens = backend == .threads
                let isDone = try await pool.run(listens, options: .timeout(Self.limit)) { listens in
                    let end = ContinuousClock.now + .seconds(10)
                    while ContinuousClock.now < end { if listens, Task.isCancelled { return false } }
                    return true
                }
                throw WrongResult(description: "\(name): an item ended that should not: \(isDone)")
            } catch PoolError.timedOut {
                values.append(watch.seconds - Self.limit / .seconds(1))
            }
        }
        await pool.shutDown()
        return values
    }

    /// A thread for each core that does nothing but take its time.
    private final class Load: Sendable {
        private final class Flag: Sendable {
            let isSet = Atomic(false)
        }

        private let flag = Flag()
        private let pool: Pool

        init() throws {
            let count = try MeasuredBackend.usableCores
            pool = try Pool(.threads, workers: count)
            for _ in 0..<count {
                pool.submit { [flag] in
                    while !flag.isSet.load(ordering: .relaxed) {}
                }
            }
        }

        func end() async {
            flag.isSet.store(true, ordering: .relaxed)
            await pool.shutDown()
        }
    }
}

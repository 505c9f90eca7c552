import Glibc
import Multiprocessing

/// Whether what a worker and an item cost stays the same when a pool has very many workers.
struct Scale: Measurement {
    let name = "scale"
    let summary: String
    private let sizes: [Int]
    private let count: Int

    init(_ effort: Effort) {
        sizes = effort == .full ? [1, 4, 16, 64, 256] : [1, 4]
        count = effort.pick(10_000, quick: 200)
        summary = "\(count) round trips over all workers of a pool: the program's processor time for an item, and times"
    }

    let roundLimit = 3

    /// Dispatch runs no more blocks than this at the same time, and here all workers have to meet.
    private static let mostThreads = 255

    var notes: [String] {
        let reason = "left out, because Dispatch runs at most \(Self.mostThreads) at the same time"
        return sizes.filter { $0 > Self.mostThreads }.map { "threads, \($0) workers: \(reason)" }
    }

    /// For each size the processor time, which is a row of its own, and the three times.
    var figures: [Figure] {
        sizes.indices.flatMap { index in
            let workers = "\(sizes[index]) worker\(sizes[index] == 1 ? "" : "s")"
            let units: [(String, Unit)] = [
                ("", .microseconds(per: count)),
                (": an item", .microseconds(per: count)),
                (": start of each", Unit(name: "ms", scale: 1e3 / Double(sizes[index]))),
                (": end of each", Unit(name: "ms", scale: 1e3 / Double(sizes[index]))),
            ]
            return units.enumerated().map { place, unit in
                Figure(detail: workers + unit.0, unit: unit.1, baseline: index == 0 ? nil : place)
            }
        }
    }

    func contestants() throws -> [Contestant] {
        let rendezvous = try Rendezvous()
        return MeasuredBackend.allCases.map { backend in
            Contestant(backend.rawValue, .ours, [backend]) {
                var values: [Double?] = []
                for size in sizes {
                    let isPossible = backend == .processes || size <= Self.mostThreads
                    values += isPossible ? try await run(backend, size, rendezvous) : [nil, nil, nil, nil]
                }
                return values
            }
            .warming { _ = try await run(backend, 1, rendezvous) }
        }
    }

    private func run(_ backend: MeasuredBackend, _ workers: Int, _ rendezvous: Rendezvous) async throws -> [Double?] {
        let startWatch = Stopwatch()
        let pool = try backend.pool(workers: workers)
        let members = try await rendezvous.meet(pool)
        let start = startWatch.seconds
        try check(Set(members).count, backend == .processes ? workers : 1)

        let itemWatch = Stopwatch()
        let timeBefore = Self.processorTime
        var sum = 0
        // In groups of one item for each worker, so that all are needed again and again.
        for first in stride(from: 0, to: count, by: workers) {
            let group = (first..<min(first + workers, count)).map { number in pool.submit(number) { $0 + 1 } }
            for future in group { sum += try await future.value }
        }
        let time = Self.processorTime - timeBefore
        let items = itemWatch.seconds
        try check(sum, count * (count + 1) / 2)

        let endWatch = Stopwatch()
        await pool.shutDown()
        return [time, items, start, endWatch.seconds]
    }

    /// Of this process, without its children.
    private static var processorTime: Double {
        var usage = rusage()
        getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
        return [usage.ru_utime, usage.ru_stime].reduce(0) { $0 + Double($1.tv_sec) + Double($1.tv_usec) / 1e6 }
    }
}

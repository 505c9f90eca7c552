import Dispatch
import Multiprocessing

/// How much faster two workers are than one thread, when there is nothing but work.
struct Speedup: Measurement {
    let name = "cpu"
    let summary: String
    private let items: [Toil]

    init(_ effort: Effort) {
        let count = effort.pick(64, quick: 8)
        let rounds = effort.pick(5_000_000, quick: 200_000)
        items = (0..<count).map { Toil(seed: UInt64($0), rounds: rounds) }
        summary = "map() of \(count) items of equal work on two workers: how many times as fast as a loop"
    }

    let figures = [Figure(unit: Unit(name: "×", better: .higher, scale: 1))]

    func contestants() throws -> [Contestant] {
        let cores = try MeasuredBackend.usableCores
        return try MeasuredBackend.allCases.map { backend in
            try Contestant.pool(backend) { pool in
                try await factor { try await pool.map(items) { $0.result() } }
            }
        } + [
            Contestant("cores for two workers", .floor, MeasuredBackend.allCases) { [Double(min(2, cores))] },
            Contestant("concurrentPerform", .floor, MeasuredBackend.allCases) {
                try await factor { concurrentResults() }
            },
        ]
    }

    /// The time of a loop, measured just before, by the time of the parallel work.
    private func factor(_ parallel: () async throws -> [UInt64]) async throws -> [Double?] {
        let serialWatch = Stopwatch()
        let expected = items.map { $0.result() }
        let serial = serialWatch.seconds
        let watch = Stopwatch()
        let results = try await parallel()
        let seconds = watch.seconds
        try check(results, expected)
        return [serial / seconds]
    }

    /// Every other item on each of two threads: what this machine gives without a pool.
    private func concurrentResults() -> [UInt64] {
        [UInt64](unsafeUninitializedCapacity: items.count) { buffer, initializedCount in
            // Each iteration writes to elements of its own.
            nonisolated(unsafe) let output = buffer
            let items = items
            DispatchQueue.concurrentPerform(iterations: 2) { part in
                for index in stride(from: part, to: items.count, by: 2) {
                    output.initializeElement(at: index, to: items[index].result())
                }
            }
            initializedCount = items.count
        }
    }
}

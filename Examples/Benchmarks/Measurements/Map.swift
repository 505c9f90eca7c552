import Dispatch
import Glibc
import Multiprocessing

/// What an item of a map costs when the pool chooses the chunks, and there is next to nothing to do.
struct Map: Measurement {
    let name = "map"
    let summary: String
    private let count: Int

    init(_ effort: Effort) {
        count = effort.pick(1_000_000, quick: 20_000)
        summary = "map() of \(count) numbers to their squares, chunks as the pool chooses; time of each"
    }

    var figures: [Figure] {
        [Figure(unit: .nanoseconds(per: count), peerCommand: "map \(count)")]
    }

    func contestants() throws -> [Contestant] {
        let numbers = Array(0..<count)
        let squares = numbers.map { $0 &* $0 }
        return try MeasuredBackend.allCases.map { backend in
            try Contestant.pool(backend) { pool in
                let watch = Stopwatch()
                let results = try await pool.map(numbers) { $0 &* $0 }
                let seconds = watch.seconds
                try check(results == squares, true)
                return [seconds]
            }
        } + [loop(numbers, squares), copy(numbers), concurrentPerform(numbers, squares)]
    }

    /// The same work on one thread; a closure that is not inlined, as a pool's is not.
    private func loop(_ numbers: [Int], _ squares: [Int]) -> Contestant {
        Contestant("loop on one thread", .floor, MeasuredBackend.allCases) {
            let watch = Stopwatch()
            let results = Self.loop(numbers) { $0 &* $0 }
            let seconds = watch.seconds
            try check(results == squares, true)
            return [seconds]
        }
    }

    @inline(never)
    private static func loop(_ numbers: [Int], _ body: (Int) -> Int) -> [Int] {
        numbers.map(body)
    }

    /// Moving the inputs and as many outputs once, with no work at all.
    private func copy(_ numbers: [Int]) -> Contestant {
        var there = [Int](repeating: 1, count: count)
        var back = there
        return Contestant("memcpy there and back", .floor, MeasuredBackend.allCases) {
            let watch = Stopwatch()
            memcpy(&there, numbers, count * MemoryLayout<Int>.stride)
            memcpy(&back, there, count * MemoryLayout<Int>.stride)
            let seconds = watch.seconds
            try check(back == numbers, true)
            return [seconds]
        }
    }

    /// Dispatch's own loop, with one iteration for each of two workers.
    private func concurrentPerform(_ numbers: [Int], _ squares: [Int]) -> Contestant {
        Contestant("concurrentPerform", .peer, [.threads]) {
            let watch = Stopwatch()
            let results = [Int](unsafeUninitializedCapacity: count) { buffer, initializedCount in
                // Each iteration writes to a half of its own.
                nonisolated(unsafe) let output = buffer
                let half = count / 2
                DispatchQueue.concurrentPerform(iterations: 2) { part in
                    for index in part * half..<(part == 0 ? half : numbers.count) {
                        output.initializeElement(at: index, to: numbers[index] &* numbers[index])
                    }
                }
                initializedCount = count
            }
            let seconds = watch.seconds
            try check(results == squares, true)
            return [seconds]
        }
    }
}

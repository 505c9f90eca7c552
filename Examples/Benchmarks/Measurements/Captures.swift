import Multiprocessing

/// What a large captured value adds to a map.
struct Captures: Measurement {
    let name = "captures"
    let summary: String
    private let count: Int

    init(_ effort: Effort) {
        count = effort.pick(10_000, quick: 100)
        summary = "map() of \(count) numbers with a closure that captures 1 MiB (Python: functools.partial)"
    }

    var figures: [Figure] {
        [Figure(unit: .milliseconds, peerCommand: "captures \(count)")]
    }

    func lanes() throws -> [Lane] {
        let table = (0..<1 << 20).map { UInt8(truncatingIfNeeded: $0) }
        let numbers = Array(0..<count)
        let expected = numbers.map { Int(table[$0 &* 7919 & 0xFFFFF]) + $0 }
        let capturing = try Side.allCases.map { side in
            try Lane.pool(side) { pool in
                let watch = Stopwatch()
                let results = try await pool.map(numbers) { Int(table[$0 &* 7919 & 0xFFFFF]) + $0 }
                let seconds = watch.seconds
                try check(results == expected, true)
                return [seconds]
            }
        }
        return try capturing + Side.allCases.map(plain)
    }

    /// The same map with the table's rule in place of the table.
    private func plain(_ side: Side) throws -> Lane {
        let numbers = Array(0..<count)
        let expected = numbers.map { ($0 &* 7919 & 0xFF) + $0 }
        let pool = try side.pool()
        return Lane("without the capture", .floor, [side]) {
            let watch = Stopwatch()
            let results = try await pool.map(numbers) { ($0 &* 7919 & 0xFF) + $0 }
            let seconds = watch.seconds
            try check(results == expected, true)
            return [seconds]
        }
        .closing { await pool.shutDown() }
    }
}

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

    func contestants() throws -> [Contestant] {
        let table = (0..<1 << 20).map { UInt8(truncatingIfNeeded: $0) }
        let numbers = Array(0..<count)
        let expected = numbers.map { Int(table[$0 &* 7919 & 0xFFFFF]) + $0 }
        let capturing = try MeasuredBackend.allCases.map { backend in
            try Contestant.pool(backend) { pool in
                let watch = Stopwatch()
                let results = try await pool.map(numbers) { Int(table[$0 &* 7919 & 0xFFFFF]) + $0 }
                let seconds = watch.seconds
                try check(results == expected, true)
                return [seconds]
            }
        }
        return try capturing + MeasuredBackend.allCases.map(plain)
    }

    /// The same map with the table's rule in place of the table.
    private func plain(_ backend: MeasuredBackend) throws -> Contestant {
        let numbers = Array(0..<count)
        let expected = numbers.map { ($0 &* 7919 & 0xFF) + $0 }
        let pool = try backend.pool()
        return Contestant("without the capture", .floor, [backend]) {
            let watch = Stopwatch()
            let results = try await pool.map(numbers) { ($0 &* 7919 & 0xFF) + $0 }
            let seconds = watch.seconds
            try check(results == expected, true)
            return [seconds]
        }
        .closing { await pool.shutDown() }
    }
}

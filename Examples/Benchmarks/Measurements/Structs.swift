import Multiprocessing

/// What it costs to send values that are not just bits.
struct Structs: Measurement {
    let name = "structs"
    let summary: String
    private let count: Int

    init(_ effort: Effort) {
        count = effort.pick(100_000, quick: 1_000)
        summary = "map() of \(count) records with numbers, texts and lists to changed ones; time of each"
    }

    var figures: [Figure] {
        [Figure(unit: .microseconds(per: count), peerCommand: "structs \(count)")]
    }

    func contestants() throws -> [Contestant] {
        let records = (0..<count).map(Record.init)
        let expected = records.map(\.changed)
        let serial = Contestant("serial, nothing is sent", .floor, MeasuredBackend.allCases) {
            let watch = Stopwatch()
            let results = records.map { $0.changed }
            let seconds = watch.seconds
            try check(results == expected, true)
            return [seconds]
        }
        return try MeasuredBackend.allCases.map { backend in
            try Contestant.pool(backend) { pool in
                let watch = Stopwatch()
                let results = try await pool.map(records) { $0.changed }
                let seconds = watch.seconds
                try check(results == expected, true)
                return [seconds]
            }
        } + [serial]
    }
}

/// Runs the contestants of a measurement in turn, so that what disturbs the machine disturbs them all.
struct Runner {
    /// After this many seconds a contestant runs no further rounds; each runs at least one.
    ///
    /// A peer that takes half a minute for what others do in a second is clear after one round.
    private static let patience = 10.0

    let rounds: Int
    let peers: [Peer]

    func run(_ measurement: any Measurement) async throws -> Report {
        var contestants = try measurement.contestants()
        if measurement.figures.contains(where: { $0.peerCommand != nil }) {
            contestants += peers.map { $0.contestant(measurement.figures) }
        }
        var report = Report(measurement: measurement)
        var samples: [Samples] = []
        for contestant in contestants {
            do {
                try await contestant.warmUp()
                samples.append(Samples(contestant: contestant, figureCount: measurement.figures.count))
            } catch let skip as Skip {
                if let reason = skip.reason { report.notes.append("\(contestant.name): \(reason)") }
                await contestant.close()
            }
        }
        for _ in 0..<min(rounds, measurement.roundLimit) {
            for index in samples.indices where samples[index].spent < Self.patience {
                try await samples[index].run()
            }
        }
        for contestant in samples { await contestant.contestant.close() }
        report.fill(samples, isShort: { $0 < min(rounds, measurement.roundLimit) })
        return report
    }
}

/// A contestant has nothing to run here.
struct Skip: Error {
    /// nil if nobody would miss it.
    let reason: String?
}

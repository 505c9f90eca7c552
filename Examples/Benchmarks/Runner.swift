/// Runs the lanes of a measurement in turn, so that what disturbs the machine disturbs them all.
struct Runner {
    /// After this many seconds a lane runs no further rounds; each runs at least one.
    ///
    /// A peer that takes half a minute for what others do in a second is clear after one round.
    private static let patience = 10.0

    let rounds: Int
    let peers: [Peer]

    func run(_ measurement: any Measurement) async throws -> Report {
        var lanes = try measurement.lanes()
        if measurement.figures.contains(where: { $0.peerCommand != nil }) {
            lanes += peers.map { $0.lane(measurement.figures) }
        }
        var report = Report(measurement: measurement)
        var tracks: [Track] = []
        for lane in lanes {
            do {
                try await lane.warmUp()
                tracks.append(Track(lane: lane, figureCount: measurement.figures.count))
            } catch let skip as Skip {
                if let reason = skip.reason { report.notes.append("\(lane.name): \(reason)") }
                await lane.close()
            }
        }
        for _ in 0..<min(rounds, measurement.roundLimit) {
            for index in tracks.indices where tracks[index].spent < Self.patience {
                try await tracks[index].run()
            }
        }
        for track in tracks { await track.lane.close() }
        report.fill(tracks, isShort: { $0 < min(rounds, measurement.roundLimit) })
        return report
    }
}

/// A lane has nothing to run here.
struct Skip: Error {
    /// nil if nobody would miss it.
    let reason: String?
}

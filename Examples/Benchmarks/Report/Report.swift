/// What a measurement gave.
struct Report {
    let measurement: any Measurement
    private(set) var rows: [Row] = []

    /// What to know about the figures: who did not take part, for example, and why.
    var notes: [String]

    init(measurement: any Measurement) {
        self.measurement = measurement
        notes = measurement.notes
    }

    /// Makes a row of each figure for each backend that has it.
    mutating func fill(_ tracks: [Track], isShort: (Int) -> Bool) {
        for (index, figure) in measurement.figures.enumerated() {
            for track in tracks where track.lane.role == .ours {
                guard let value = track.spread(index, figure.unit) else { continue }
                rows.append(row(figure, index, track, value, tracks))
            }
        }
        for track in tracks {
            let counts = track.values.map(\.count).filter { $0 > 0 }
            if let count = counts.first, isShort(count) {
                notes.append("\(track.lane.name): \(count) round\(count == 1 ? "" : "s") only, because each takes long")
            }
        }
    }

    private func row(_ figure: Figure, _ index: Int, _ ours: Track, _ value: Spread, _ tracks: [Track]) -> Row {
        let side = ours.lane.sides[0]
        var row = Row(name: measurement.name, side: side, figure: figure, value: value)
        if let baseline = figure.baseline {
            let other = measurement.figures[baseline]
            if let floor = ours.spread(baseline, other.unit) {
                row.floors.append(Row.Rival(name: other.detail ?? measurement.name, value: floor))
            }
        }
        for track in tracks where track.lane.role != .ours && track.lane.sides.contains(side) {
            guard let value = track.spread(index, figure.unit) else { continue }
            let rival = Row.Rival(name: track.lane.name, value: value)
            if track.lane.role == .floor { row.floors.append(rival) } else { row.peers.append(rival) }
        }
        return row
    }
}

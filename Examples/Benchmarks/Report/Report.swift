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
    mutating func fill(_ all: [Samples], isShort: (Int) -> Bool) {
        for (index, figure) in measurement.figures.enumerated() {
            for samples in all where samples.contestant.role == .ours {
                guard let value = samples.spread(index, figure.unit) else { continue }
                rows.append(row(figure, index, samples, value, all))
            }
        }
        for samples in all {
            let counts = samples.values.map(\.count).filter { $0 > 0 }
            if let count = counts.first, isShort(count) {
                notes.append(
                    "\(samples.contestant.name): \(count) round\(count == 1 ? "" : "s") only, because each takes long")
            }
        }
    }

    private func row(_ figure: Figure, _ index: Int, _ ours: Samples, _ value: Spread, _ all: [Samples]) -> Row {
        let backend = ours.contestant.backends[0]
        var row = Row(name: measurement.name, backend: backend, figure: figure, value: value)
        if let baseline = figure.baseline {
            let other = measurement.figures[baseline]
            if let floor = ours.spread(baseline, other.unit) {
                row.floors.append(Row.Rival(name: other.detail ?? measurement.name, value: floor))
            }
        }
        for samples in all where samples.contestant.role != .ours && samples.contestant.backends.contains(backend) {
            guard let value = samples.spread(index, figure.unit) else { continue }
            let rival = Row.Rival(name: samples.contestant.name, value: value)
            if samples.contestant.role == .floor { row.floors.append(rival) } else { row.peers.append(rival) }
        }
        return row
    }
}

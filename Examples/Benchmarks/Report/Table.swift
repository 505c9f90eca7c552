/// A report as lines for people: each row with its floors and peers below it.
struct Table: CustomStringConvertible {
    private let report: Report

    init(_ report: Report) {
        self.report = report
    }

    var description: String {
        let title = "\n\(report.measurement.name): \(report.measurement.summary)"
        return ([title] + report.rows.flatMap(lines) + report.notes.map { "    - \($0)" }).joined(separator: "\n")
    }

    private func lines(_ row: Row) -> [String] {
        let label = "  \(row.backend.rawValue)\(row.figure.detail.map { ", \($0)" } ?? "")"
        let floors = row.floors.map { floor in
            let ratio = row.ratio(to: floor).map { "\(Number.short($0)) × this floor" } ?? ""
            return line("    \(floor.name)", floor.value, row.unit, ratio)
        }
        let peers = row.peers.map { peer in
            let factor = Number.short(row.speedUp(over: peer))
            return line("    \(peer.name)", peer.value, row.unit, "\(factor) × as fast as this peer")
        }
        return [line(label, row.value, row.unit, "")] + floors + peers
    }

    private func line(_ label: String, _ value: Spread, _ unit: Unit, _ comparison: String) -> String {
        let range = value.count > 1 ? "\(Number.short(value.minimum)) … \(Number.short(value.maximum))" : ""
        let columns = [
            label.padded(to: 44),
            "\(Number.short(value.median)) \(unit.name)".padded(to: 16),
            range.padded(to: 20),
            comparison,
        ]
        var line = columns.joined(separator: " ")
        while line.last == " " { line.removeLast() }
        return line
    }
}

extension String {
    fileprivate func padded(to width: Int) -> String {
        self + String(repeating: " ", count: max(0, width - count))
    }
}

import Glibc

/// A chart of the rows as SVG: how many times as fast as each peer, or as large as the floor without peers.
///
/// On a logarithmic scale, with 1 where both are the same. Its colors can be read on a light
/// page and on a dark one, also by a program that does not know which it is.
struct Chart: CustomStringConvertible {
    private struct Bar {
        let label: String
        let factor: Double
        let text: String
    }

    private struct Group {
        let title: String
        let value: String
        let bars: [Bar]
    }

    /// Without them the bars tell of floors, and none means to be ahead.
    private let hasPeers: Bool
    private let title: String
    private let groups: [Group]

    init(_ rows: [Row]) {
        let compared = rows.filter { !$0.peers.isEmpty }
        hasPeers = !compared.isEmpty
        if !hasPeers {
            title = "How many times the floor each takes"
            groups = rows.compactMap { row in
                let bars = row.floors.compactMap { floor in
                    row.ratio(to: floor).map { Self.bar(floor, $0, row.unit) }
                }
                return bars.isEmpty ? nil : Self.group(row, bars)
            }
        } else {
            title = "How many times as fast as each peer, with two workers"
            groups = compared.map { row in
                Self.group(row, row.peers.map { Self.bar($0, row.speedUp(over: $0), row.unit) })
            }
        }
    }

    private static func bar(_ rival: Row.Rival, _ factor: Double, _ unit: Unit) -> Bar {
        Bar(
            label: rival.name, factor: factor,
            text: "\(Number.short(factor)) ×  (\(Number.short(rival.value.median)) \(unit.name))")
    }

    private static func group(_ row: Row, _ bars: [Bar]) -> Group {
        Group(
            title: "\(row.name)\(row.figure.detail.map { " (\($0))" } ?? ""), \(row.backend.rawValue)",
            value: "\(Number.short(row.value.median)) \(row.unit.name)", bars: bars)
    }

    // MARK: Drawing

    private static let width = 800.0
    private static let left = 225.0
    private static let right = 660.0
    private static let barHeight = 16.0
    private static let groupHeight = 34.0

    /// The powers of ten between which all bars end.
    private var exponents: ClosedRange<Int> {
        let factors = groups.flatMap(\.bars).map(\.factor).filter { $0 > 0 && $0.isFinite }
        let low = Int(floor(log10(min(1, factors.min() ?? 1))))
        let high = Int(ceil(log10(max(10, factors.max() ?? 10))))
        return low...high
    }

    var description: String {
        let top = 64.0
        let height = groups.reduce(top) { $0 + Self.groupHeight + Double($1.bars.count) * Self.barHeight } + 16
        var lines = [
            """
            <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 \(Int(Self.width)) \(Int(height))" \
            width="\(Int(Self.width))" height="\(Int(height))" role="img">
            <title>\(Self.escaped(title))</title>
            <style>
            text { font: 12px system-ui, sans-serif; }
            text, .group, .quiet { fill: #7d8590; }
            .title { font-size: 15px; font-weight: 600; }
            .group { font-weight: 600; }
            .grid { stroke: #8c959f; stroke-opacity: 0.3; }
            .one { stroke: #8c959f; }
            .ahead { fill: #2f81f7; }
            .behind { fill: #db6d28; }
            @media (prefers-color-scheme: light) { text, .group { fill: #24292f; } .quiet { fill: #57606a; } }
            @media (prefers-color-scheme: dark) { text, .group { fill: #e6edf3; } .quiet { fill: #8d96a0; } }
            </style>
            """,
            Self.text(16, 24, "title", title),
        ]
        lines += scale(top: top, bottom: height - 12)
        var y = top
        for group in groups {
            let title = #"<tspan class="group">\#(Self.escaped(group.title))</tspan>"#
            let value = #"<tspan class="quiet" dx="10">\#(Self.escaped(group.value))</tspan>"#
            lines.append(#"<text x="16" y="\#(Int(y) + 22)">\#(title)\#(value)</text>"#)
            y += Self.groupHeight - 4
            for bar in group.bars {
                lines += drawing(bar, y)
                y += Self.barHeight
            }
            y += 4
        }
        return (lines + ["</svg>", ""]).joined(separator: "\n")
    }

    /// A line for each power of ten, with its number above.
    private func scale(top: Double, bottom: Double) -> [String] {
        exponents.flatMap { exponent in
            let power = pow(10, Double(exponent))
            let place = Number.fixed(x(power), 1)
            let label = Number.fixed(power, max(0, -exponent))
            return [
                #"<line class="\#(exponent == 0 ? "one" : "grid")" x1="\#(place)" x2="\#(place)" "#
                    + #"y1="\#(Int(top) - 8)" y2="\#(Int(bottom))"/>"#,
                Self.text(x(power), top - 14, "quiet", label + " ×", anchor: "middle"),
            ]
        }
    }

    private func drawing(_ bar: Bar, _ y: Double) -> [String] {
        let end = x(bar.factor)
        let start = x(1)
        let kind = bar.factor >= 1 || !hasPeers ? "ahead" : "behind"
        return [
            Self.text(Self.left - 8, y + 12, "quiet", bar.label, anchor: "end"),
            #"<rect class="\#(kind)" x="\#(Number.fixed(min(start, end), 1))" y="\#(Number.fixed(y + 2, 1))" "#
                + #"width="\#(Number.fixed(max(1, abs(end - start)), 1))" height="\#(Int(Self.barHeight) - 4)" rx="2"/>"#,
            Self.text(max(start, end) + 6, y + 12, nil, bar.text),
        ]
    }

    private func x(_ factor: Double) -> Double {
        let low = Double(exponents.lowerBound)
        let high = Double(exponents.upperBound)
        guard factor > 0, factor.isFinite else { return Self.left }
        return Self.left + (log10(factor) - low) / (high - low) * (Self.right - Self.left)
    }

    private static func text(
        _ x: Double, _ y: Double, _ kind: String?, _ text: String, anchor: String = "start"
    ) -> String {
        let kind = kind.map { #" class="\#($0)""# } ?? ""
        return #"<text\#(kind) x="\#(Number.fixed(x, 1))" y="\#(Number.fixed(y, 1))" text-anchor="\#(anchor)">"#
            + "\(escaped(text))</text>"
    }

    private static func escaped(_ text: String) -> String {
        var escaped = ""
        for character in text {
            switch character {
            case "&": escaped += "&amp;"
            case "<": escaped += "&lt;"
            case ">": escaped += "&gt;"
            default: escaped.append(character)
            }
        }
        return escaped
    }
}

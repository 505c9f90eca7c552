/// Draws a record: a lane for each worker with its items as bars, marks for what went wrong, and the queue's depth.
///
/// Every size is in the picture's own units, which are pixels where it is shown as large as it is. Bars stand in a
/// drawing of their own that is stretched sideways alone, so that a page can enlarge it.
struct TimelinePicture {
    let recording: Recording
    /// Whether a page enlarges it, which needs finer bars, and puts the ticks itself.
    let isInteractive: Bool

    static let width = 1_200.0
    static let left = 112.0
    static let right = 28.0
    static var plotWidth: Double { width - left - right }

    let laneHeight: Double
    let barHeight: Double
    /// Where the lanes begin.
    let top: Double

    init(_ recording: Recording, isInteractive: Bool) {
        self.recording = recording
        self.isInteractive = isInteractive
        (laneHeight, barHeight) =
            switch recording.lanes.count {
            case ...4: (44, 26)
            case ...10: (34, 22)
            case ...24: (24, 16)
            case ...48: (17, 12)
            default: (13, 9)
            }
        top = 112
    }

    var lanesEnd: Double { top + laneHeight * Double(max(1, recording.lanes.count)) }
    var chartTop: Double { lanesEnd + 30 }
    static let chartHeight = 58.0
    var axisTop: Double { chartTop + Self.chartHeight }
    var height: Double { axisTop + 40 }

    /// Where a time is in the plot, from its left end.
    func place(_ time: Int64) -> Double {
        Double(time) / Double(max(1, recording.end)) * Self.plotWidth
    }

    func number(_ value: Double) -> String { Markup.number(value) }

    var svg: String {
        let size = "\(number(Self.width)) \(number(height))"
        var parts = [
            """
            <svg xmlns="http://www.w3.org/2000/svg" id="timeline" viewBox="0 0 \(size)" \
            width="\(number(Self.width))" height="\(number(height))" role="img" aria-labelledby="timeline-title">
            <title id="timeline-title">What \(recording.lanes.count) workers did in \(durationText)</title>
            <style>\(Self.style)</style>
            <defs><pattern id="hatch" width="5" height="5" patternUnits="userSpaceOnUse" \
            patternTransform="rotate(45)"><rect class="hatch" width="2" height="5"/></pattern></defs>
            <rect class="page" width="100%" height="100%"/>
            """
        ]
        parts += heading
        parts += grid
        parts += laneNames
        parts += queueChart
        parts.append(plot)
        parts += barTexts
        parts += marks
        if recording.lanes.isEmpty {
            parts.append(
                "<text class=\"soft\" x=\"\(number(Self.width / 2))\" y=\"\(number(top + 26))\" text-anchor=\"middle\">"
                    + "no worker has started</text>")
        }
        parts.append("</svg>\n")
        return parts.joined(separator: "\n")
    }

    var durationText: String { Duration.nanoseconds(recording.end).shortText }

    // MARK: Around the lanes

    private var heading: [String] {
        var items = 0
        var failed = 0
        for lane in recording.lanes {
            for bar in lane.bars {
                items += bar.items
                failed += bar.failed
            }
        }
        let busy = recording.lanes.reduce(0.0) { $0 + $1.bars.reduce(0.0) { $0 + Double($1.busy) } }
        let share = busy / Double(max(1, recording.end)) / Double(max(1, recording.lanes.count)) * 100
        var facts = [
            durationText, "\(recording.lanes.count) worker\(recording.lanes.count == 1 ? "" : "s")",
            "\(Markup.count(items)) item\(items == 1 ? "" : "s")",
            share > 0 && share < 0.5 ? "under 1 % busy" : "\(Int(min(100, share.rounded()))) % busy",
        ]
        if failed > 0 { facts.append("\(Markup.count(failed)) not finished") }
        if recording.missed > 0 { facts.append("\(Markup.count(recording.missed)) events missed") }
        if recording.hiddenMarks > 0 { facts.append("\(Markup.count(recording.hiddenMarks)) marks left out") }
        return [
            "<text class=\"title\" x=\"24\" y=\"36\">Workers over time</text>",
            "<text class=\"soft\" x=\"24\" y=\"57\">\(facts.joined(separator: "  ·  "))</text>",
        ] + legend
    }

    /// What the colors and signs mean, as far as they occur.
    private var legend: [String] {
        var x = 24.0
        var y = 78.0
        var result: [String] = []
        func add(_ sign: String, _ text: String, gap: Double) {
            let width = gap + Double(text.count) * 6.3 + 18
            if x + width >= Self.width - 24 {
                // There is room for a second line, and no more.
                guard y == 78 else { return }
                (x, y) = (24, 96)
            }
            result.append(
                "<g transform=\"translate(\(number(x)) \(number(y)))\">\(sign)"
                    + "<text class=\"key\" x=\"\(number(gap))\" y=\"4\">\(Markup.escaped(text))</text></g>")
            x += width
        }
        func swatch(_ name: String) -> String {
            "<rect class=\"\(name)\" y=\"-5\" width=\"14\" height=\"10\" rx=\"2\"/>"
        }
        let bars = recording.lanes.flatMap(\.bars)
        if bars.contains(where: { $0.label == nil && $0.outcome <= .finished }) || bars.isEmpty {
            add(swatch("c0"), recording.labels.isEmpty ? "items" : "no label", gap: 20)
        }
        for (outcome, text) in [
            (Recording.Outcome.failed, "failed"), (.crashed, "lost in a crash"), (.timedOut, "timed out"),
            (.cancelled, "cancelled"),
        ] where bars.contains(where: { $0.outcome == outcome }) {
            add(swatch("\(outcome)"), text, gap: 20)
        }
        let kinds = Set(recording.lanes.flatMap { $0.marks.map(\.kind) })
        for kind in Recording.Mark.Kind.allCases where kinds.contains(kind) {
            add("<g transform=\"translate(6 0)\">\(sign(kind))</g>", kind.name, gap: 17)
        }
        if recording.lanes.contains(where: { !$0.tenancies.isEmpty }) {
            add("<rect class=\"starting\" y=\"-5\" width=\"14\" height=\"10\" rx=\"2\"/>", "starting", gap: 20)
        }
        for (index, label) in recording.labels.enumerated() {
            add(swatch("c\(index % 8 + 1)"), shortened(label, to: 24), gap: 20)
        }
        return result
    }

    func shortened(_ text: String, to count: Int) -> String {
        text.count > count ? "\(text.prefix(max(1, count - 1)))…" : text
    }

    private var grid: [String] {
        let axis = TimeAxis(length: recording.end, count: 9)
        var result = ["<g id=\"ticks\">"]
        for tick in axis.ticks {
            let x = number(Self.left + place(tick))
            // The last one's text must not leave the picture.
            let anchor = tick == 0 ? "start" : place(tick) > Self.plotWidth - 20 ? "end" : "middle"
            result.append(
                "<path class=\"grid\" d=\"M\(x) \(number(top - 6))V\(number(axisTop))\"/>"
                    + "<text class=\"tick\" x=\"\(x)\" y=\"\(number(axisTop + 18))\" text-anchor=\"\(anchor)\">"
                    + "\(axis.text(tick))</text>")
        }
        return result + ["</g>"]
    }

    private var laneNames: [String] {
        recording.lanes.indices.map { index in
            let middle = top + laneHeight * (Double(index) + 0.5)
            let size = min(12, laneHeight * 0.78)
            let processes = recording.lanes[index].tenancies.compactMap(\.processID)
            let story =
                processes.isEmpty ? "a thread" : "processes \(processes.map { "\($0)" }.joined(separator: ", "))"
            var text =
                "<text class=\"lane\" style=\"font-size:\(number(size))px\" x=\"\(number(Self.left - 14))\" "
                + "y=\"\(number(middle + size * 0.36))\" text-anchor=\"end\">worker \(index)"
                + "<title>\(Markup.escaped(story))</title></text>"
            if laneHeight >= 34, let last = processes.last {
                text =
                    "<text class=\"lane\" style=\"font-size:12px\" x=\"\(number(Self.left - 14))\" y=\"\(number(middle - 2))\" "
                    + "text-anchor=\"end\">worker \(index)<title>\(Markup.escaped(story))</title></text>"
                    + "<text class=\"tick\" x=\"\(number(Self.left - 14))\" y=\"\(number(middle + 11))\" "
                    + "text-anchor=\"end\">\(last)</text>"
            }
            return text
        }
    }

    // MARK: The queue

    private var queueChart: [String] {
        let highest = max(1, recording.queue.map(\.items).max() ?? 0)
        let base = axisTop
        var result = [
            "<text class=\"lane\" style=\"font-size:12px\" x=\"\(number(Self.left - 14))\" y=\"\(number(base - 4))\" "
                + "text-anchor=\"end\">queued</text>",
            "<text class=\"tick\" x=\"\(number(Self.left - 14))\" y=\"\(number(chartTop + 9))\" text-anchor=\"end\">"
                + "\(Markup.count(highest))</text>",
            "<path class=\"axis\" d=\"M\(number(Self.left)) \(number(base))H\(number(Self.width - Self.right))\"/>",
        ]
        // The most in each column.
        let columns = Int(Self.plotWidth) * (isInteractive ? 8 : 1)
        let scale = Double(columns) / Self.plotWidth
        var most: [Int: Int] = [:]
        var last: [Int: Int] = [:]
        for sample in recording.queue {
            let column = min(columns, Int(place(sample.time) * scale))
            most[column] = max(most[column] ?? 0, sample.items)
            last[column] = sample.items
        }
        var path = "M0 \(number(Self.chartHeight))"
        var items = 0
        func y(_ items: Int) -> String {
            number(Self.chartHeight - Double(items) / Double(highest) * (Self.chartHeight - 4))
        }
        for column in most.keys.sorted() {
            let x = number(Double(column) / scale)
            path += "H\(x)V\(y(max(items, most[column] ?? 0)))"
            items = last[column] ?? 0
            path += "H\(number(Double(column + 1) / scale))V\(y(items))"
        }
        path += "H\(number(Self.plotWidth))V\(number(Self.chartHeight))Z"
        result.append(
            stretched(
                y: chartTop, height: Self.chartHeight,
                "<path class=\"queue\" d=\"\(path)\"><title>up to \(Markup.count(highest)) items waited</title></path>")
        )
        return result
    }

    /// A drawing that a page can stretch sideways.
    func stretched(y: Double, height: Double, _ content: String) -> String {
        let size = "0 0 \(number(Self.plotWidth)) \(number(height))"
        return
            "<svg class=\"plot\" x=\"\(number(Self.left))\" y=\"\(number(y))\" width=\"\(number(Self.plotWidth))\" "
            + "height=\"\(number(height))\" viewBox=\"\(size)\" preserveAspectRatio=\"none\">\(content)</svg>"
    }
}

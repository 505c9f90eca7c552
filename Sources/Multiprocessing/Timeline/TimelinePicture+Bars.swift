/// The lanes: bars, the texts in them, and marks.
extension TimelinePicture {
    /// A rectangle of the plot: one bar, or many that are too narrow to be seen by themselves.
    struct Block {
        var start: Double
        var end: Double
        var name: String
        var items: Int
        var failed: Int
        var busy: Double
        var text: String
    }

    var plot: String {
        var parts: [String] = []
        for index in recording.lanes.indices {
            let y = laneHeight * Double(index) + (laneHeight - barHeight) / 2
            parts.append(rails(recording.lanes[index], y))
            for block in blocks(index) { parts.append(rectangle(block, y)) }
        }
        let height = laneHeight * Double(max(1, recording.lanes.count))
        return stretched(y: top, height: height, parts.joined(separator: "\n"))
    }

    /// The times at which there was a worker, and those at which one was being started.
    private func rails(_ lane: Recording.Lane, _ y: Double) -> String {
        var result = ""
        for tenancy in lane.tenancies {
            let end = place(tenancy.end ?? recording.end)
            let ready = tenancy.ready.map { place($0) } ?? end
            let process = tenancy.processID.map { "process \($0)" } ?? "thread"
            if ready - place(tenancy.start) > 0.2 {
                result +=
                    "<rect class=\"starting\" x=\"\(number(place(tenancy.start)))\" y=\"\(number(y))\" "
                    + "width=\"\(number(ready - place(tenancy.start)))\" height=\"\(number(barHeight))\">"
                    + "<title>starting</title></rect>"
            }
            result +=
                "<rect class=\"rail\" x=\"\(number(ready))\" y=\"\(number(y))\" width=\"\(number(max(0, end - ready)))\" "
                + "height=\"\(number(barHeight))\"><title>\(process)</title></rect>"
        }
        return result
    }

    private func rectangle(_ block: Block, _ y: Double) -> String {
        let width = max(block.end - block.start, finest)
        let share = width > 0 ? min(1, block.busy / width) : 1
        // Where workers were busy for a part of the time only, the color is so much weaker.
        let opacity = block.items == 1 || share > 0.9 ? "" : " opacity=\"\(number(0.3 + 0.7 * share))\""
        let gap = width > 3 ? 0.6 : 0
        var result =
            "<rect class=\"\(block.name)\" x=\"\(number(block.start))\" y=\"\(number(y))\" "
            + "width=\"\(number(width - gap))\" height=\"\(number(barHeight))\"\(opacity)>"
            + "<title>\(Markup.escaped(block.text))</title></rect>"
        if block.failed > 0, block.failed < block.items {
            result +=
                "<rect class=\"failed\" x=\"\(number(block.start))\" y=\"\(number(y + barHeight - 3))\" "
                + "width=\"\(number(width - gap))\" height=\"3\"/>"
        }
        return result
    }

    /// The width below which bars are taken together.
    private var finest: Double { isInteractive ? 0.125 : 1 }

    private func blocks(_ index: Int) -> [Block] {
        var result: [Block] = []
        var column: Block?
        func close() {
            if let done = column.take() { result.append(done) }
        }
        for bar in recording.lanes[index].bars + recording.runningBars(index) {
            let start = place(bar.start)
            let end = place(bar.end)
            let name = name(bar)
            if end - start >= finest {
                close()
                result.append(
                    Block(
                        start: start, end: end, name: name, items: bar.items, failed: bar.failed,
                        busy: bar.parts > 1 ? place(bar.busy) : end - start, text: text(bar)))
                continue
            }
            if let open = column, start < open.start + finest * 2, open.name == name {
                column?.end = max(open.end, end)
                column?.items += bar.items
                column?.failed += bar.failed
                column?.busy += place(bar.busy)
                column?.text = "\(Markup.count(open.items + bar.items)) items, too short to be shown one by one"
                continue
            }
            close()
            column = Block(
                start: start, end: max(end, start + finest), name: name, items: bar.items, failed: bar.failed,
                busy: place(bar.busy), text: text(bar))
        }
        close()
        return merged(result)
    }

    /// Columns that touch and look the same, as one.
    private func merged(_ blocks: [Block]) -> [Block] {
        func level(_ block: Block) -> Int { Int(4 * min(1, block.busy / max(finest, block.end - block.start))) }
        var result: [Block] = []
        for block in blocks {
            if let last = result.last, last.name == block.name, block.end - block.start <= finest * 2,
                block.start - last.end < finest, last.items > 1, level(last) == level(block), last.failed == 0,
                block.failed == 0
            {
                result[result.count - 1].end = max(last.end, block.end)
                result[result.count - 1].items += block.items
                result[result.count - 1].busy += block.busy
                result[result.count - 1].text =
                    "\(Markup.count(last.items + block.items)) items, too short to be shown one by one"
            } else {
                result.append(block)
            }
        }
        return result
    }

    private func name(_ bar: Recording.Bar) -> String {
        if bar.outcome > .finished, bar.failed == bar.items { return "\(bar.outcome)" }
        let color = bar.label.map { "c\($0 % 8 + 1)" } ?? "c0"
        return bar.outcome == .running ? "\(color) running" : color
    }

    private func text(_ bar: Recording.Bar) -> String {
        var text = "\(bar.name(recording.labels)): \(bar.outcome.text)"
        if bar.failed > 0, bar.failed < bar.items { text += ", \(Markup.count(bar.failed)) of them not finished" }
        if bar.attempt > 1 { text += ", attempt \(bar.attempt)" }
        let busy = Duration.nanoseconds(bar.busy).shortText
        return text + ", ran \(busy) from \(Duration.nanoseconds(bar.start).shortText)"
    }

    /// What stands in bars that are wide enough.
    var barTexts: [String] {
        guard barHeight >= 12 else { return [] }
        var result = ["<g id=\"texts\" clip-path=\"none\">"]
        let size = min(11, barHeight * 0.72)
        for index in recording.lanes.indices {
            let y = top + laneHeight * (Double(index) + 0.5) + size * 0.36
            for bar in recording.lanes[index].bars + recording.runningBars(index) {
                let width = place(bar.end) - place(bar.start)
                guard width > (isInteractive ? 2 : 26) else { continue }
                let room = Int((width - 10) / (size * 0.56))
                let name = bar.name(recording.labels)
                guard isInteractive || name.count <= room || room > 5 else { continue }
                let shown = isInteractive ? name : shortened(name, to: room)
                let data =
                    isInteractive
                    ? " data-x=\"\(number(place(bar.start)))\" data-w=\"\(number(width))\" data-t=\"\(Markup.escaped(name))\""
                    : ""
                result.append(
                    "<text class=\"in\" style=\"font-size:\(number(size))px\" x=\"\(number(Self.left + place(bar.start) + 5))\" "
                        + "y=\"\(number(y))\"\(data)>\(Markup.escaped(shown))</text>")
            }
        }
        return result + ["</g>"]
    }

    // MARK: Marks

    var marks: [String] {
        var result = ["<g id=\"marks\">"]
        for (index, lane) in recording.lanes.enumerated() {
            let y = top + laneHeight * Double(index) + (laneHeight - barHeight) / 2
            for group in groups(lane.marks) {
                // What is bad stands above, and what follows from it below, for it comes at the same moment.
                let isBelow = [.replacement, .retry, .recycling].contains(group.kind)
                let y = isBelow ? y + barHeight : y
                let scale = min(1, laneHeight / 24)
                let data =
                    isInteractive
                    ? " data-x=\"\(number(group.x))\" data-y=\"\(number(y))\" data-s=\"\(number(scale))\""
                        + " data-k=\"\(index) \(group.kind)\"" : ""
                result.append(
                    "<g class=\"mark\" transform=\"translate(\(number(Self.left + group.x)) \(number(y))) "
                        + "scale(\(number(scale)))\"\(data)><title>\(Markup.escaped(group.text))</title>"
                        + "\(sign(group.kind))</g>")
            }
        }
        return result + ["</g>"]
    }

    /// A mark, with what others of its kind say that would hide it.
    private struct MarkGroup {
        let kind: Recording.Mark.Kind
        let x: Double
        var count = 1
        var text: String
    }

    /// How near to one another signs of a kind still can be told apart; a page spreads them as it enlarges.
    private var nearest: Double { isInteractive ? 0.5 : Self.markDistance }

    static let markDistance = 9.0

    /// How many are named in one text.
    private static let namedMarks = 12

    private func groups(_ marks: [Recording.Mark]) -> [MarkGroup] {
        var result: [MarkGroup] = []
        var latest: [Recording.Mark.Kind: Int] = [:]
        for mark in marks.sorted(by: { $0.time < $1.time }) {
            let x = place(mark.time)
            guard let place = latest[mark.kind], x - result[place].x < nearest else {
                latest[mark.kind] = result.count
                result.append(MarkGroup(kind: mark.kind, x: x, text: mark.text))
                continue
            }
            result[place].count += 1
            if result[place].count <= Self.namedMarks { result[place].text += "\n" + mark.text }
        }
        for index in result.indices where result[index].count > Self.namedMarks {
            result[index].text += "\nand \(Markup.count(result[index].count - Self.namedMarks)) more"
        }
        return result
    }

    /// The sign of a kind of mark, around its middle.
    func sign(_ kind: Recording.Mark.Kind) -> String {
        switch kind {
        case .crash: "<circle class=\"halo\" r=\"6.5\"/><path class=\"bad\" d=\"M-3 -3L3 3M3 -3L-3 3\"/>"
        case .kill:
            "<circle class=\"halo\" r=\"6.5\"/><rect class=\"badfill\" x=\"-3.2\" y=\"-3.2\" width=\"6.4\" height=\"6.4\"/>"
        case .timeOut:
            "<circle class=\"halo\" r=\"6.5\"/><circle class=\"late\" r=\"4.4\"/><path class=\"late\" d=\"M0 -2.6V0H2.2\"/>"
        case .retry:
            "<circle class=\"halo\" r=\"6.5\"/><path class=\"again\" d=\"M3.4 -1.4A3.7 3.7 0 1 0 3.6 1.6M3.9 -4V-1.1H1\"/>"
        case .replacement:
            "<circle class=\"halo\" r=\"6.5\"/><path class=\"freshfill\" d=\"M-2.6 -3.8L4 0L-2.6 3.8Z\"/>"
        case .recycling:
            "<circle class=\"halo\" r=\"6.5\"/><path class=\"fresh\" d=\"M-3.6 0A3.6 3.6 0 0 1 3.2 -1.8M3.6 0A3.6 3.6 0 0 1 -3.2 1.8\"/>"
        case .startFailure: "<circle class=\"halo\" r=\"6.5\"/><path class=\"badfill\" d=\"M0 -4.2L4.2 3.4H-4.2Z\"/>"
        case .givenUp: "<circle class=\"halo\" r=\"6.5\"/><path class=\"bad\" d=\"M-3.6 0H3.6\"/>"
        }
    }
}

extension Recording.Outcome {
    var text: String {
        switch self {
        case .running: "still running"
        case .finished: "finished"
        case .cancelled: "cancelled"
        case .failed: "failed"
        case .timedOut: "timed out"
        case .crashed: "lost in a crash"
        }
    }
}

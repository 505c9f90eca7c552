/// A record in Chrome's trace format: one line of JSON for each bar and mark; times are in microseconds.
struct ChromeTrace {
    private let recording: Recording

    init(_ recording: Recording) {
        self.recording = recording
    }

    var json: String {
        var lines = [
            line("M", "process_name", worker: nil, "\"args\":{\"name\":\"pool\"}")
        ]
        for (index, lane) in recording.lanes.enumerated() {
            lines.append(line("M", "thread_name", worker: index, "\"args\":{\"name\":\"worker \(index)\"}"))
            lines.append(line("M", "thread_sort_index", worker: index, "\"args\":{\"sort_index\":\(index)}"))
            for bar in lane.bars + recording.runningBars(index) { lines.append(self.bar(bar, lane, worker: index)) }
            for mark in lane.marks {
                let rest = "\"ts\":\(time(mark.time)),\"s\":\"t\",\"cat\":\"worker\",\"args\":{\"text\":"
                lines.append(line("i", mark.kind.name, worker: index, rest + Markup.quoted(mark.text) + "}"))
            }
        }
        for sample in recording.queue {
            lines.append(
                line(
                    "C", "queued", worker: nil, "\"ts\":\(time(sample.time)),\"args\":{\"items\":\(sample.items)}"
                )
            )
        }
        return "{\"displayTimeUnit\":\"ms\",\"otherData\":{\"missedEvents\":\(recording.missed)},\"traceEvents\":[\n"
            + lines.joined(separator: ",\n") + "\n]}\n"
    }

    private func bar(_ bar: Recording.Bar, _ lane: Recording.Lane, worker: Int) -> String {
        let process = lane.tenancies.last { $0.start <= bar.start }?.processID
        var arguments = "\"items\":\(bar.items),\"failed\":\(bar.failed),\"outcome\":\"\(bar.outcome)\""
        arguments += ",\"busy\":\(time(bar.busy)),\"number\":\(bar.number)"
        if let process { arguments += ",\"process\":\(process)" }
        if bar.parts > 1 { arguments += ",\"chunks\":\(bar.parts)" }
        return line(
            "X", name(bar), worker: worker,
            "\"ts\":\(time(bar.start)),\"dur\":\(time(bar.end - bar.start)),\"cat\":\"items\",\"args\":{\(arguments)}")
    }

    /// With how it ended, unless well: viewers color bars by their names alone.
    private func name(_ bar: Recording.Bar) -> String {
        let name = bar.name(recording.labels)
        return bar.outcome > .finished && bar.failed == bar.items ? "\(name) (\(bar.outcome.text))" : name
    }

    private func line(_ phase: String, _ name: String, worker: Int?, _ rest: String) -> String {
        "{\"ph\":\"\(phase)\",\"pid\":1,\"tid\":\((worker ?? -1) + 1),\"name\":\(Markup.quoted(name)),\(rest)}"
    }

    private func time(_ nanoseconds: Int64) -> String {
        Markup.number(Double(nanoseconds) / 1_000, decimals: 3)
    }
}

extension Recording.Bar {
    /// What the bar is called, at most: a label, a number, how many items.
    func name(_ labels: [String]) -> String {
        let label = label.map { labels[$0] }
        if parts > 1 || items > 1 { return (label.map { "\($0), " } ?? "") + "\(Markup.count(items)) items" }
        return label ?? "item \(number)"
    }
}

extension Recording.Mark.Kind {
    var name: String {
        switch self {
        case .crash: "crash"
        case .kill: "kill"
        case .timeOut: "time-out"
        case .retry: "retry"
        case .replacement: "replacement"
        case .recycling: "recycling"
        case .startFailure: "failed start"
        case .givenUp: "given up"
        }
    }
}

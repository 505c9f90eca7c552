import MultiprocessingSystem

/// Looks, now and then, at what a pool's workers use, and ends those that pass a limit.
///
/// On a thread of its own: one that is busy with results would look too late.
final class ResourceWatch: Sendable {
    private let loop: EventLoop
    private let limits: ResourceLimits

    /// How much memory a worker can take in a second at most, in bytes, and with how many cores it can use time.
    private static let fastestGrowth = 8.0 * Double(1 << 30)
    private static let coreCount = Double(Cores.usableHere)

    private static let shortest = Duration.milliseconds(2)
    private static let longest = Duration.milliseconds(50)

    init(_ limits: ResourceLimits) throws(SystemError) {
        self.limits = limits
        loop = try EventLoop(name: "mp-limits")
    }

    func close() {
        loop.shutDown()
    }

    /// Watches a worker until it ends; one that cannot be watched is ended before it runs anything.
    func begin(_ link: WorkerLink) {
        do throws(SystemError) {
            let gauge = try ProcessGauge(link.process.id)
            loop.execute { self.look(at: link, gauge, since: nil) }
        } catch {
            link.refuse("what it uses cannot be watched: \(error)")
        }
    }

    /// When the worker was seen to begin what it runs: by the word on its board, and its processor time.
    private struct Beginning {
        let word: UInt64
        let time: UInt64
    }

    private func look(at link: WorkerLink, _ gauge: ProcessGauge, since last: Beginning?) {
        var pause = Self.longest
        if let limit = limits.memory {
            guard let used = gauge.privateMemory() else { return }
            let rest = limit.bytes - Int(clamping: used)
            if rest < 0 { return link.end(passing: .memory(used: .bytes(Int(clamping: used)), limit: limit)) }
            pause = min(pause, .seconds(Double(rest) / Self.fastestGrowth))
        }
        var beginning = last
        if let limit = limits.cpuTime {
            let word = link.board.beginnings
            guard let time = gauge.processorTime() else { return }
            let start = beginning?.word == word ? beginning?.time ?? time : time
            beginning = Beginning(word: word, time: start)
            let used = Duration.nanoseconds(Int64(clamping: time - min(start, time)))
            if used > limit, link.board.beginnings == word {
                return link.end(passing: .cpuTime(used: used, limit: limit))
            }
            pause = min(pause, (limit - used) / Self.coreCount)
        }
        loop.schedule(after: max(pause, Self.shortest)) { [weak link, beginning] in
            guard let link else { return }
            self.look(at: link, gauge, since: beginning)
        }
    }
}

import Synchronization

/// What one item has said of how far it is, for those who read it.
final class ItemReports: Sendable {
    private typealias Reader = AsyncStream<ProgressReport>.Continuation

    private struct State {
        var latest: ProgressReport?
        var readers: [Int: Reader] = [:]
        var nextID = 0
        var isOver = false
    }

    private let state = Mutex(State())

    /// How many reports wait for a slow reader; of more the oldest go.
    static let bufferSize = 64

    /// Takes a report.
    ///
    /// - Parameter fraction: Any value: outside of 0 to 1 it is the nearer end, and what is no number changes nothing.
    func add(_ fraction: Double, _ text: String) {
        let (report, readers): (ProgressReport, [Reader]) = state.withLock { state in
            let last = state.latest?.fraction ?? 0
            let report = ProgressReport(fraction: fraction.isNaN ? last : min(max(fraction, 0), 1), text: text)
            state.latest = report
            return (report, Array(state.readers.values))
        }
        for reader in readers { reader.yield(report) }
    }

    /// Ends all readers' sequences, behind what waits for them.
    func finish() {
        let readers = state.withLock { state in
            state.isOver = true
            defer { state.readers = [:] }
            return Array(state.readers.values)
        }
        for reader in readers { reader.finish() }
    }

    /// The latest report, if there is one, and what comes from now on.
    func makeSequence() -> AsyncStream<ProgressReport> {
        let (stream, reader) = AsyncStream.makeStream(
            of: ProgressReport.self, bufferingPolicy: .bufferingNewest(Self.bufferSize))
        let (id, latest): (Int?, ProgressReport?) = state.withLock { state in
            guard !state.isOver else { return (nil, nil) }
            state.nextID += 1
            state.readers[state.nextID] = reader
            return (state.nextID, state.latest)
        }
        guard let id else {
            reader.finish()
            return stream
        }
        if let latest { reader.yield(latest) }
        reader.onTermination = { [weak self] _ in
            // Let go of outside of the lock.
            _ = self?.state.withLock { $0.readers.removeValue(forKey: id) }
        }
        return stream
    }
}

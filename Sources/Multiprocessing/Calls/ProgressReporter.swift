import Dispatch
import MultiprocessingSystem
import Synchronization

/// Tells a caller how its call comes along: not too often, one report at a time, and none after the end.
final class ProgressReporter: Sendable {
    private struct State {
        var progress = WorkProgress()
        /// Before this time nothing is told.
        var nextTime: UInt64 = 0
        /// Whether a report is about to be made.
        var isScheduled = false
        var hasEnded = false
    }

    /// Nanoseconds between two reports.
    private static let interval: UInt64 = 100_000_000

    private let state = Mutex(State())
    private let start = MonotonicTime.now()
    private let queue = DispatchQueue(label: "Multiprocessing.progress")
    private let body: @Sendable (WorkProgress) -> Void

    /// - Parameter total: How many items there are, as far as is known.
    init(total: Int?, _ body: @escaping @Sendable (WorkProgress) -> Void) {
        self.body = body
        state.withLock { $0.progress.total = total }
    }

    /// Takes the news that items have ended.
    func note(completed: Int, failed: Int) {
        let now = MonotonicTime.now()
        let time: UInt64? = state.withLock { state in
            state.progress.completed += completed
            state.progress.failed += failed
            // More have come than were announced.
            if let total = state.progress.total, state.progress.ended > total { state.progress.total = nil }
            guard !state.isScheduled, !state.hasEnded else { return nil }
            state.isScheduled = true
            return state.nextTime
        }
        guard let time else { return }
        guard time > now.nanoseconds else { return queue.async { self.report() } }
        let alarm = AlarmClock.shared.call(at: MonotonicTime(nanoseconds: time)) { self.queue.async { self.report() } }
        // Nothing to measure time with: the next news tries again.
        if alarm == nil { state.withLock { $0.isScheduled = false } }
    }

    /// Takes the news how many items there are.
    func note(total: Int) {
        state.withLock { $0.progress.total = total }
    }

    private func report() {
        let now = MonotonicTime.now()
        let progress: WorkProgress? = state.withLock { state in
            state.isScheduled = false
            state.nextTime = now.nanoseconds + Self.interval
            guard !state.hasEnded else { return nil }
            state.progress.elapsed = now.duration(since: start)
            return state.progress
        }
        if let progress { body(progress) }
    }

    /// Makes the last report; returns when it and all others have been made.
    nonisolated(nonsending) func end() async {
        await withUnsafeContinuation { (continuation: UnsafeContinuation<Void, Never>) in
            queue.async {
                let progress: WorkProgress? = self.state.withLock { state in
                    guard !state.hasEnded else { return nil }
                    state.hasEnded = true
                    state.progress.elapsed = MonotonicTime.now().duration(since: self.start)
                    state.progress.isFinished = true
                    return state.progress
                }
                if let progress { self.body(progress) }
                continuation.resume()
            }
        }
    }

    /// Makes no further report: nobody waits for the end of the call.
    func stop() {
        state.withLock { $0.hasEnded = true }
    }
}

/// Waiting for something in memory that processes share.
///
/// A wake-up can be lost only by a death; every death wakes every sleeper; every sleeper looks again. So there are no
/// acknowledgements and no counts of those who wait.
package enum SharedWait {
    /// How often one who blocks the thread of a task looks whether the task was cancelled, in nanoseconds.
    private static let cancellationSlice: UInt64 = 50_000_000

    /// Blocks the calling thread until `look` finds that the wait is over.
    ///
    /// - Parameters:
    ///   - deadline: When to give up; `nil` for never. What is there at once is found after it too.
    ///   - look: Called at first, after each wake-up and after each death in the tree; must not block. It is called
    ///     once more before the wait is given up.
    package static func block<Value>(
        until deadline: MonotonicTime?, _ look: (WaitRound) -> Look<Value>
    ) throws(SystemError) -> WaitOutcome<Value> {
        let page = try LifePage.current
        var round = WaitRound()
        var slices = WaitSlices()
        var sleep = FutexSleep()
        let isTask = withUnsafeCurrentTask { $0 != nil }
        while true {
            round.deaths = page.deaths.load()
            let isCancelled = isTask && Task.isCancelled
            switch look(round) {
            case .done(let value):
                return .done(value)
            case .sleep(let word, let value, let limit):
                if isCancelled { return .cancelled }
                let now = MonotonicTime.now().nanoseconds
                if let deadline, now >= deadline.nanoseconds { return .timedOut }
                if round.began == 0 { round.began = now }
                var slice = min(slices.next(deaths: round.deaths), limit)
                if isTask { slice = min(slice, cancellationSlice) }
                sleep.removeAll()
                sleep.append(word, while: value)
                sleep.append(page.deaths, while: round.deaths)
                round.isUnprompted = !sleep.sleep(until: min(now + slice, deadline?.nanoseconds ?? .max))
                round.hasSlept = true
            }
        }
    }
}

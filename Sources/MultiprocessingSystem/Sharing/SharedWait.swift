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
    ///   - isCancellable: Whether cancelling the task ends the wait.
    ///   - look: Called at first, after each wake-up and after each death in the tree; must not block. It is called
    ///     once more before the wait is given up.
    package static func block<Value>(
        until deadline: MonotonicTime?, isCancellable: Bool = true, _ look: (WaitRound) -> Look<Value>
    ) throws(SystemError) -> WaitOutcome<Value> {
        let page = try LifePage.current
        var round = WaitRound()
        var slices = WaitSlices()
        var sleep = FutexSleep()
        let isTask = isCancellable && withUnsafeCurrentTask { $0 != nil }
        while true {
            round.deaths = page.deaths.load()
            let isCancelled = isTask && Task.isCancelled
            switch look(round) {
            case .done(let value):
                return .done(value)
            case .sleep(let word, let value, let limit):
                let now = MonotonicTime.now().nanoseconds
                let isOver = deadline.map { now >= $0.nanoseconds } ?? false
                if isOver, !isCancelled, !round.hasSlept {
                    // One who has slept finds what is kept for such.
                    round.hasSlept = true
                    continue
                }
                if isCancelled || isOver {
                    // This may be the one that was woken.
                    if round.hasSlept { word.wake(1) }
                    return isCancelled ? .cancelled : .timedOut
                }
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

    private static func nap<Value>(
        until deadline: MonotonicTime?, _ look: (WaitRound) -> Look<Value>
    ) throws(SystemError) -> Value? {
        try WaitNap.take(until: deadline) { end throws(SystemError) in
            guard case .done(let value) = try block(until: end, isCancellable: false, look) else { return nil }
            return value
        }
    }

    /// How many tasks of this process wait, and how many threads look for them; for tests.
    package static var counts: (waiters: Int, threads: Int) { WaitRoom.shared.counts }

    /// Suspends the task until `look` finds that the wait is over.
    ///
    /// Cancelling ends the wait, unless it is over already.
    ///
    /// - Parameters:
    ///   - word: What `look` says to sleep on.
    ///   - exclusively: Whether one who finds something takes it from the others: then they look one after another.
    ///   - deadline: When to give up; `nil` for never.
    ///   - isCancellable: Whether cancelling the task ends the wait.
    ///   - look: Called on the task's thread for a moment, then on one of the library's; must not block. What it takes is
    ///     the process's.
    nonisolated(nonsending) package static func suspend<Value: Sendable>(
        on word: FutexWord,
        exclusively: Bool,
        until deadline: MonotonicTime?,
        isCancellable: Bool = true,
        _ look: @escaping @Sendable (WaitRound) -> Look<Value>
    ) async throws(SystemError) -> WaitOutcome<Value> {
        let room = WaitRoom.shared
        // Those who wait already come first.
        if !Task.isCancelled, room.isFree(word), let value = try nap(until: deadline, look) { return .done(value) }
        let id = try room.announce()
        let result = await withTaskCancellationHandler {
            await withUnsafeContinuation {
                (continuation: UnsafeContinuation<Result<WaitOutcome<Value>, SystemError>, Never>) in
                let waiter = WaitLine.Waiter(
                    id: id,
                    deadline: deadline?.nanoseconds ?? .max,
                    look: { round in
                        switch look(round) {
                        case .done(let value):
                            // Sent with the value: the waiter is gone when this is called.
                            .done { continuation.resume(returning: .success(.done(value))) }
                        case .sleep(let word, let value, let limit): .sleep(on: word, while: value, atMost: limit)
                        }
                    },
                    end: { ending in
                        switch ending {
                        case .timedOut: continuation.resume(returning: .success(.timedOut))
                        case .cancelled: continuation.resume(returning: .success(.cancelled))
                        case .failed(let error): continuation.resume(returning: .failure(error))
                        }
                    })
                room.enter(waiter, on: word, exclusively: exclusively)
            }
        } onCancel: {
            if isCancellable { room.cancel(id) }
        }
        return try result.get()
    }
}

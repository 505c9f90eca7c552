import Synchronization

/// One-way calls of one process that have ended, until the process is told.
///
/// It is told when none runs any more, and of many at once; while somebody there waits for room, also when those that run
/// may take long.
final class OneWayTally: Sendable {
    private struct State {
        var ends: [OneWayEnds] = []
        var count = 0
        var size = 0
        var isAsked = false
        /// How many are begun and have not ended.
        var runningCount = 0

        mutating func take() -> [OneWayEnds] {
            defer {
                ends = []
                count = 0
                size = 0
            }
            return ends
        }

        mutating func add(_ call: OneWayFrame.Call, _ calls: UInt32, _ error: (any Error)?) {
            count += 1
            size += call.size
            if ends.last?.calls != calls { ends.append(OneWayEnds(calls)) }
            ends[ends.count - 1].add(call, error)
        }

        var isDue: Bool {
            count >= OneWayWindow.countLimit / 4 || size >= OneWayWindow.sizeLimit / 4
        }
    }

    private let state = Mutex(State())

    /// Calls have come.
    func begin(_ count: Int) {
        state.withLock { state in
            state.runningCount += count
            // Nobody waits for room any more.
            state.isAsked = false
        }
    }

    /// Notes the end of a call; returns what is to be told now.
    ///
    /// - Parameter isFollowed: Whether another call ends soon, or ``flushIfAsked()`` is called.
    func end(_ call: OneWayFrame.Call, _ calls: UInt32, _ error: (any Error)?, isFollowed: Bool) -> [OneWayEnds] {
        state.withLock { state in
            state.runningCount -= 1
            state.add(call, calls, error)
            return state.isDue || state.runningCount == 0 || (state.isAsked && !isFollowed) ? state.take() : []
        }
    }

    /// Returns what is to be told when no call ends before another does what nobody knows.
    func flushIfAsked() -> [OneWayEnds] {
        state.withLock { $0.isAsked ? $0.take() : [] }
    }

    /// Takes back a call; returns what is to be told now.
    func end() -> [OneWayEnds] {
        state.withLock { state in
            state.runningCount -= 1
            return state.runningCount == 0 ? state.take() : []
        }
    }

    /// Somebody waits for room; returns what is to be told now.
    func ask() -> [OneWayEnds] {
        state.withLock { state in
            state.isAsked = true
            return state.take()
        }
    }
}

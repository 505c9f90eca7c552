internal import CMultiprocessing
internal import Glibc
internal import Synchronization

/// Calls back at a time, for all who have something to wait for: one thread, while there is something.
///
/// The thread is not one of Dispatch's, whose first timer takes a descriptor and ends a program that has none
/// left; it waits on a futex and needs nothing but itself.
package final class AlarmClock: Sendable {
    /// The clock of the process.
    package static let shared = AlarmClock()

    /// One call that is to be made.
    package struct Alarm: Sendable {
        fileprivate let id: UInt64
    }

    private struct State {
        var alarms = TimerQueue<@Sendable () -> Void>()
        /// Whether the thread runs, or is about to.
        var isRunning = false
        /// The process that the thread is in: a fork copies this state, and not the thread.
        var process: pid_t = 0
        /// What the thread waits for; `nil` while it does not.
        var alarmTime: MonotonicTime?
    }

    private let state = Mutex(State())

    /// Counts the alarms that come before what the thread waits for.
    ///
    /// Safe: every access is atomic, or the kernel's.
    private nonisolated(unsafe) let changes = UnsafeMutablePointer<UInt32>.allocate(capacity: 1)

    /// How long the thread stays without an alarm: starting one takes longer than waking it.
    private static let lingering = Duration.seconds(3)

    package init() {
        changes.initialize(to: 0)
    }

    deinit {
        // The thread keeps the clock, so none is left that could look.
        changes.deallocate()
    }

    /// Calls `body` once, on the clock's thread, no earlier than at `time`; it must not block.
    ///
    /// - Returns: What ``cancel(_:)`` takes; `nil`, and `body` is never called, when there is no thread to be had.
    @discardableResult
    package func call(at time: MonotonicTime, _ body: @escaping @Sendable () -> Void) -> Alarm? {
        let process = getpid()
        let (id, mustStart, mustWake): (UInt64, Bool, Bool) = state.withLock { state in
            if state.process != process { state = State(process: process) }
            let id = state.alarms.insert(body, at: time)
            guard state.isRunning else {
                state.isRunning = true
                return (id, true, false)
            }
            guard let alarmTime = state.alarmTime, time < alarmTime else { return (id, false, false) }
            return (id, false, true)
        }
        if mustWake {
            _ = mp_fetch_add_u32(changes, 1)
            mp_futex_wake(changes, 1)
        }
        return mustStart && !start(for: id) ? nil : Alarm(id: id)
    }

    /// Forgets an alarm; without effect when it has gone off.
    package func cancel(_ alarm: Alarm) {
        // Let go of outside of the lock. The thread finds out when it looks.
        _ = state.withLock { $0.alarms.remove(alarm.id) }
    }

    /// How many alarms are to go off; for tests.
    package var pendingCount: Int { state.withLock { $0.alarms.count } }

    /// Starts the thread; without one, what others wait for is called too early rather than never.
    private func start(for id: UInt64) -> Bool {
        do throws(SystemError) {
            _ = try NativeThread(name: "mp-clock", stackSize: 256 << 10) { self.run() }
            return true
        } catch {
            let others = state.withLock { state in
                state.isRunning = false
                _ = state.alarms.remove(id)
                var others: [@Sendable () -> Void] = []
                while let body = state.alarms.popDue(at: MonotonicTime(nanoseconds: .max)) { others.append(body) }
                return others
            }
            for body in others { body() }
            return false
        }
    }

    // MARK: The thread

    private func run() {
        var idleSince: MonotonicTime?
        while true {
            let now = MonotonicTime.now()
            if let body = state.withLock({ $0.alarms.popDue(at: now) }) {
                idleSince = nil
                body()
                continue
            }
            let change = mp_load_acquire_u32(changes)
            let end: MonotonicTime? = state.withLock { state in
                if let next = state.alarms.nextDeadline() {
                    idleSince = nil
                    state.alarmTime = next
                } else {
                    let end = (idleSince ?? now).advanced(by: Self.lingering)
                    if idleSince != nil, now >= end {
                        state.isRunning = false
                        return nil
                    }
                    idleSince = idleSince ?? now
                    state.alarmTime = end
                }
                return state.alarmTime
            }
            guard let end else { return }
            wait(until: end, unless: change)
            state.withLock { $0.alarmTime = nil }
        }
    }

    /// Returns early when there was a change since; a signal, or a moment too early, does not matter.
    private func wait(until end: MonotonicTime, unless change: UInt32) {
        let rest = end.duration(since: .now()).wholeNanoseconds
        mp_futex_wait(changes, change, Int64(clamping: rest))
    }
}

import Dispatch
import Glibc
import MultiprocessingSystem
import Synchronization

/// Calls closures at a time: for limits of waits, which all share one thread, that goes a moment after the last.
///
/// Not by Dispatch timers, nor `Task.sleep`, which is one: the first of them takes a descriptor, and
/// Dispatch ends a program that has none left.
final class AlarmClock: Sendable {
    static let shared = AlarmClock()

    /// How long the thread waits for the next alarm, because making a thread takes longer than most waits.
    private static let rest = Duration.seconds(1)

    /// Names an alarm.
    typealias Alarm = UInt64

    private struct State {
        var alarms = TimerQueue<@Sendable () -> Void>()
        /// The process in which a thread serves the alarms; a forked child has none of its parent's threads.
        var servingProcess: pid_t?
    }

    private let state = Mutex(State())
    private let change = DispatchSemaphore(value: 0)

    /// Calls `body` at a moment, on the clock's thread; it must be brief.
    func schedule(at deadline: MonotonicTime, _ body: @escaping @Sendable () -> Void) -> Alarm {
        let process = getpid()
        let (alarm, mustStart, isFirst) = state.withLock { state in
            let next = state.alarms.nextDeadline()
            let alarm = state.alarms.insert(body, at: deadline)
            let mustStart = state.servingProcess != process
            state.servingProcess = process
            return (alarm, mustStart, next.map { deadline < $0 } ?? true)
        }
        if mustStart { start() } else if isFirst { change.signal() }
        return alarm
    }

    /// Forgets an alarm; without effect when it has gone off.
    func cancel(_ alarm: Alarm) {
        // Let go of outside of the lock.
        let (body, isLast) = state.withLock { ($0.alarms.remove(alarm), $0.alarms.isEmpty) }
        if body != nil, isLast { change.signal() }
    }

    private func start() {
        do {
            _ = try NativeThread(name: "mp-alarm", stackSize: 256 << 10) { self.serve() }
        } catch {
            // A system without room for a thread may have one that is about to be free.
            DispatchQueue.global().async { self.serve() }
        }
    }

    /// Serves until no alarm is left, nor comes soon.
    private func serve() {
        var isIdle = false
        while true {
            switch nextStep(afterRest: isIdle) {
            case .call(let body):
                body()
            case .wait(let delay):
                _ = change.wait(timeout: .after(delay))
            case .rest:
                isIdle = change.wait(timeout: .after(Self.rest)) == .timedOut
                continue
            case .end:
                return
            }
            isIdle = false
        }
    }

    private enum Step {
        case call(@Sendable () -> Void)
        case wait(Duration)
        case rest
        case end
    }

    private func nextStep(afterRest isIdle: Bool) -> Step {
        state.withLock { state in
            let now = MonotonicTime.now()
            if let body = state.alarms.popDue(at: now) { return .call(body) }
            if let deadline = state.alarms.nextDeadline() { return .wait(deadline.duration(since: now)) }
            guard isIdle else { return .rest }
            state.servingProcess = nil
            return .end
        }
    }
}

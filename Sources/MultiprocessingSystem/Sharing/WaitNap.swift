import Synchronization

/// Waiting for a moment on the thread of the task that waits, before others look for it.
///
/// What another process hands over soon comes sooner so: to have it looked for and to be resumed takes two more threads
/// that have to be woken. The thread is the tasks' of the process, so it is for no longer than they may do without it,
/// asleep, only where another one is left for them, and after it was in vain the next occasions are passed over.
package enum WaitNap {
    /// In nanoseconds; a wake-up takes ten to fifty thousand.
    private static let length: UInt64 = 100_000

    private static let room = Cores.usableHere - 1
    private static let nappers = Atomic(0)
    private static let occasions = Occasions(mostSkips: 2)

    /// Has `body` sleep until a moment that is not far; `nil` if it was in vain, or nothing was done.
    ///
    /// - Parameters:
    ///   - deadline: When the wait is given up; by others, if it is soon.
    ///   - body: Returns `nil` if what it waits for has not come by then.
    package static func take<Value, Failure: Error>(
        until deadline: MonotonicTime?, _ body: (MonotonicTime) throws(Failure) -> Value?
    ) throws(Failure) -> Value? {
        let end = MonotonicTime(nanoseconds: MonotonicTime.now().nanoseconds + length)
        if let deadline, deadline <= end { return nil }
        guard occasions.take(), enter() else { return nil }
        defer { nappers.wrappingSubtract(1, ordering: .relaxed) }
        let value = try body(end)
        occasions.note(success: value != nil)
        return value
    }

    private static func enter() -> Bool {
        if nappers.wrappingAdd(1, ordering: .relaxed).newValue <= room { return true }
        nappers.wrappingSubtract(1, ordering: .relaxed)
        return false
    }
}

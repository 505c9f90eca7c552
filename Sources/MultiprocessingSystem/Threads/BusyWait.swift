internal import CMultiprocessing
import Synchronization

/// Waiting in a loop for a few microseconds, where sleeping and being woken would take longer.
///
/// It is worth it only if what is waited for comes soon, and harmless only if a core is left for
/// it. So at most one thread a core, but for one core, waits so at a time, and only for so long;
/// and after it was in vain the next occasions are passed over, the more the more often it was. A
/// pool without work has nobody who waits.
package final class BusyWait: Sendable {
    /// The longest time to wait, in nanoseconds: a wake-up takes ten to fifty thousand.
    private static let limit: UInt64 = 50_000

    /// The same for a caller after it was in vain.
    ///
    /// Then the worker sleeps, and has to be woken first, perhaps on a core that sleeps too; otherwise
    /// both would miss one another again and again.
    private static let patientLimit: UInt64 = 250_000

    /// Waits of callers, and waits of workers: the two take turns, and neither is to keep the other out.
    package enum Side: Int {
        case caller, worker
    }

    private static let callers = Atomic(0)
    private static let workers = Atomic(0)
    private static let room = Cores.usableHere - 1

    private let side: Side
    private let occasions = Occasions(mostSkips: 64)

    package init(_ side: Side) {
        self.side = side
    }

    /// Waits until `condition` holds; returns whether it came to.
    package func wait(until condition: () -> Bool) -> Bool {
        guard occasions.take(), enter() else { return false }
        defer { leave() }
        let isPatient = side == .caller && occasions.wasInVain
        let deadline = MonotonicTime.now().nanoseconds + (isPatient ? Self.patientLimit : Self.limit)
        while true {
            for _ in 0..<16 {
                if condition() {
                    occasions.note(success: true)
                    return true
                }
                mp_pause()
            }
            if MonotonicTime.now().nanoseconds > deadline { break }
        }
        occasions.note(success: false)
        return false
    }

    private func enter() -> Bool {
        let count =
            switch side {
            case .caller: Self.callers.wrappingAdd(1, ordering: .relaxed).newValue
            case .worker: Self.workers.wrappingAdd(1, ordering: .relaxed).newValue
            }
        if count <= Self.room { return true }
        leave()
        return false
    }

    private func leave() {
        switch side {
        case .caller: Self.callers.wrappingSubtract(1, ordering: .relaxed)
        case .worker: Self.workers.wrappingSubtract(1, ordering: .relaxed)
        }
    }
}

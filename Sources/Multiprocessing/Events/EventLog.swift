import MultiprocessingSystem
import Synchronization

/// The latest events of a pool, for any number of readers; each has a place of its own in it.
///
/// The pool appends with its own lock held, which takes a few words of time; readers are resumed afterwards, with no
/// lock held. Who is so slow that events are overwritten finds its place behind them and is told how many.
final class EventLog: Sendable {
    typealias Waiter = UnsafeContinuation<Void, Never>

    /// How many events a reader may be behind.
    static let capacity = 8_192

    private let state = Mutex(State())
    private let readerCount = Atomic(0)
    private let hasWaiters = Atomic(false)

    /// When the pool was made, in nanoseconds of the monotonic clock.
    private let origin = MonotonicTime.now().nanoseconds
    /// What to add to the monotonic clock for the time of day.
    private let wallOffset: Int64

    private struct State {
        var events = RingQueue<PoolEvent>()
        /// The number of the first event that is left.
        var first: UInt64 = 0
        var capacity = EventLog.capacity
        /// When the latest event happened.
        var lastTime: UInt64 = 0
        var isFinished = false
        var waiters: [UInt64: Waiter] = [:]
        var cancelledEarly: Set<UInt64> = []
        var lastWaiter: UInt64 = 0

        var end: UInt64 { first + UInt64(events.count) }
    }

    /// What a reader finds.
    struct Page {
        var events: [PoolEvent] = []
        /// How many it was too late for.
        var missed: UInt64 = 0
        var isFinished = false
    }

    init() {
        wallOffset = WallTime.now() - Int64(clamping: origin)
    }

    /// The time as events have it.
    var now: (time: Duration, wallTime: Duration) { moment(MonotonicTime.now().nanoseconds) }

    private func moment(_ time: UInt64) -> (time: Duration, wallTime: Duration) {
        (
            .nanoseconds(Int64(clamping: time > origin ? time - origin : 0)),
            .nanoseconds(wallOffset + Int64(clamping: time))
        )
    }

    /// Whether it is worth making an event; one relaxed load.
    var isWatched: Bool { readerCount.load(ordering: .relaxed) > 0 }

    // MARK: Writing

    /// Adds an event, if somebody reads; `time` is that of the monotonic clock.
    func append(_ kind: PoolEvent.Kind, queued: Int, at time: UInt64) {
        append(kind, queued: queued, at: time, isLast: false)
    }

    private func append(_ kind: PoolEvent.Kind, queued: Int, at time: UInt64, isLast: Bool) {
        guard isWatched else { return }
        state.withLock { state in
            guard !state.isFinished else { return }
            state.isFinished = isLast
            if state.events.count >= state.capacity {
                _ = state.events.popFirst()
                state.first += 1
            }
            // Clocks are read before the pool's lock is taken; the order of events is that of the lock.
            state.lastTime = max(state.lastTime, time)
            let (since, wallTime) = moment(state.lastTime)
            state.events.append(PoolEvent(time: since, wallTime: wallTime, queued: queued, kind: kind))
        }
    }

    /// Resumes the readers that wait; with no lock held.
    func wakeReaders() {
        guard hasWaiters.load(ordering: .acquiring) else { return }
        let waiters = state.withLock { state in
            hasWaiters.store(false, ordering: .relaxed)
            defer { state.waiters = [:] }
            return state.waiters
        }
        for waiter in waiters.values { waiter.resume() }
    }

    /// Ends the log: readers get what is left, and no more.
    func finish() {
        append(.poolEnded, queued: 0, at: MonotonicTime.now().nanoseconds, isLast: true)
        // Also if nobody reads: who comes later is to know.
        state.withLock { $0.isFinished = true }
        wakeReaders()
    }

    // MARK: Reading

    /// Adds a reader; returns its place.
    func addReader(capacity: Int) -> UInt64 {
        state.withLock { state in
            state.capacity = max(state.capacity, capacity)
            readerCount.wrappingAdd(1, ordering: .relaxed)
            return state.end
        }
    }

    func removeReader() {
        let old: RingQueue<PoolEvent>? = state.withLock { state in
            guard readerCount.wrappingSubtract(1, ordering: .relaxed).newValue == 0 else { return nil }
            defer {
                state.first = state.end
                state.events = RingQueue()
                state.capacity = Self.capacity
            }
            return state.events
        }
        // Let go of outside of the lock: errors are the caller's own.
        _ = consume old
    }

    /// What comes from a place on, at most `limit`; moves the place behind it.
    func read(from place: inout UInt64, limit: Int) -> Page {
        state.withLock { state in
            var page = Page()
            if place < state.first {
                page.missed = state.first - place
                place = state.first
            }
            let start = Int(place - state.first)
            let count = min(limit, state.events.count - start)
            page.events.reserveCapacity(count)
            for index in start..<start + count { page.events.append(state.events[index]) }
            place += UInt64(count)
            page.isFinished = state.isFinished && place == state.end
            return page
        }
    }

    /// Suspends until there is something behind a place, the log ends, or the task is cancelled.
    func wait(behind place: UInt64, isolation: isolated (any Actor)?) async {
        let id = state.withLock { state in
            state.lastWaiter += 1
            return state.lastWaiter
        }
        await withCancellation(isolation: isolation) {
            await withUnsafeContinuation { (waiter: Waiter) in
                let mustWait = state.withLock { state in
                    guard state.cancelledEarly.remove(id) == nil, state.end <= place, !state.isFinished else {
                        return false
                    }
                    state.waiters[id] = waiter
                    hasWaiters.store(true, ordering: .releasing)
                    return true
                }
                if !mustWait { waiter.resume() }
            }
        } onCancel: {
            let waiter = state.withLock { state in
                if let waiter = state.waiters.removeValue(forKey: id) { return waiter as Waiter? }
                state.cancelledEarly.insert(id)
                return nil
            }
            waiter?.resume()
        }
        _ = state.withLock { $0.cancelledEarly.remove(id) }
    }
}

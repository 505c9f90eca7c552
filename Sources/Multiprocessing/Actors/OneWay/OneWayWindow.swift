import MultiprocessingCoding
import MultiprocessingSystem
import Synchronization

/// The one-way calls of this process that one host has not ended yet, and the bound on them.
final class OneWayWindow: Sendable {
    /// How many calls may be under way, and how many bytes they may have.
    static let countLimit = 4_096
    static let sizeLimit = 4 << 20

    private struct UnderWay {
        let calls: OneWayCalls
        var count = 0
    }

    /// One who waits for room.
    private struct Waiting {
        let waiter: OneWayWaiter
        let size: Int
        let calls: OneWayCalls
    }

    private struct State {
        var count = 0
        var size = 0
        var underWay: [UInt32: UnderWay] = [:]
        /// What calls refer to that have numbers.
        var kept: [UInt64: KeptArguments] = [:]
        var keptCount: UInt64 = 0
        var waiting = RingQueue<Waiting>()
        var isOver = false

        /// Whether a call has room; one that is larger than all of it has when it is alone.
        func hasRoom(_ size: Int) -> Bool {
            count == 0 || (count < OneWayWindow.countLimit && self.size + size <= OneWayWindow.sizeLimit)
        }

        mutating func add(_ size: Int, _ calls: OneWayCalls) {
            count += 1
            self.size += size
            underWay[calls.number, default: UnderWay(calls: calls)].count += 1
        }

        /// - Returns: How many of them were under way.
        mutating func remove(_ count: Int, _ size: Int, _ calls: UInt32) -> Int {
            guard var known = underWay[calls] else { return 0 }
            // A host may say what it likes.
            let count = min(count, known.count)
            known.count -= count
            underWay[calls] = known.count == 0 ? nil : known
            self.count -= count
            self.size = self.count == 0 ? 0 : max(self.size - size, 0)
            return count
        }

        /// Gives the room that there is to those who wait for it, in their order.
        mutating func admit() -> [() -> Void] {
            var admitted: [() -> Void] = []
            while let first = waiting.first, hasRoom(first.size) {
                _ = waiting.popFirst()
                guard let resume = first.waiter.take() else { continue }
                add(first.size, first.calls)
                admitted.append(resume)
            }
            return admitted
        }
    }

    private let state = Mutex(State())

    /// What came of a call that wants to be sent at once.
    enum Entry {
        /// It counts from now on.
        case entered
        case mustWait
        case over
    }

    /// Counts a call, if there is room for it.
    func enter(_ size: Int, _ calls: OneWayCalls) -> Entry {
        state.withLock { state in
            if state.isOver { return .over }
            guard state.waiting.isEmpty, state.hasRoom(size) else { return .mustWait }
            state.add(size, calls)
            return .entered
        }
    }

    /// Suspends until there is room for a call, which counts from then on.
    ///
    /// - Parameter onWait: Called when it is known that the call has to wait.
    /// - Throws: ``ActorCallError``, `CancellationError`; then the call does not count.
    func enterLater(
        _ size: Int,
        _ calls: OneWayCalls,
        timeout: Duration?,
        onWait: () -> Void
    ) async throws {
        let waiter = OneWayWaiter()
        let alarm = timeout.flatMap { limit in
            AlarmClock.shared.call(at: .now().advanced(by: limit)) {
                waiter.end(ActorCallError.timedOut(limit, isInDoubt: false))
            }
        }
        defer { if let alarm { AlarmClock.shared.cancel(alarm) } }
        try await waiter.wait {
            let (isOver, admitted) = state.withLock { state in
                if !state.isOver { state.waiting.append(Waiting(waiter: waiter, size: size, calls: calls)) }
                return (state.isOver, state.admit())
            }
            if isOver { waiter.end(ActorCallError.hostGone(isInDoubt: false)) }
            for resume in admitted { resume() }
            onWait()
        }
    }

    /// Keeps what a call refers to until it has ended.
    ///
    /// - Returns: The call's number.
    func keep(_ arguments: KeptArguments) -> UInt64 {
        state.withLock { state in
            state.keptCount += 1
            if !state.isOver { state.kept[state.keptCount] = arguments }
            return state.keptCount
        }
    }

    /// Takes back a call that could not be sent.
    ///
    /// - Returns: False if it counts as one that was under way at the host's end.
    func leave(_ size: Int, _ calls: OneWayCalls, _ number: UInt64) -> Bool {
        let (isCounted, kept, admitted) = state.withLock { state in
            let kept = state.kept.removeValue(forKey: number)
            return (state.remove(1, size, calls.number) == 1, kept, state.admit())
        }
        for resume in admitted { resume() }
        withExtendedLifetime(kept) {}
        return isCounted
    }

    /// Takes what the host tells of calls that have ended.
    func take(_ ends: OneWayEnds) {
        let (calls, count, kept, admitted) = state.withLock { state in
            let calls = state.underWay[ends.calls]?.calls
            let count = state.remove(ends.count, ends.size, ends.calls)
            let kept = ends.numbers.map { state.kept.removeValue(forKey: $0) }
            return (calls, count, kept, state.admit())
        }
        calls?.take(count, failureCount: ends.failureCount, ends.failure)
        for resume in admitted { resume() }
        // What calls referred to goes here, outside of the lock.
        withExtendedLifetime(kept) {}
    }

    /// The host is gone.
    ///
    /// - Parameter error: What is said of the calls that were under way.
    func end(_ error: any Error) {
        let last = state.withLock { state in
            defer { state = State(isOver: true) }
            return state
        }
        for entry in last.underWay.values {
            entry.calls.take(entry.count, failureCount: entry.count, error)
        }
        var waiting = last.waiting
        while let next = waiting.popFirst() { next.waiter.end(ActorCallError.hostGone(isInDoubt: false)) }
    }
}

/// What the arguments of a call refer to.
///
/// `Sendable` is unchecked because nobody looks at it: it is only let go of.
struct KeptArguments: @unchecked Sendable {
    let values: [Any]
    let attachments: [Attachment]
}

/// All tasks of this process that wait for one word.
struct WaitLine {
    /// How a wait ends that found nothing.
    enum Ending {
        case timedOut
        case cancelled
        case failed(SystemError)
    }

    /// A task that waits.
    struct Waiter: Sendable {
        let id: UInt64
        /// In nanoseconds; the end of time for none.
        let deadline: UInt64
        /// Returns what resumes the task when the wait is over.
        ///
        /// Must not block; called with the list locked, so that a wait is over either by this or by being cancelled.
        let look: @Sendable (WaitRound) -> Look<@Sendable () -> Void>
        let end: @Sendable (Ending) -> Void
    }

    struct Moment {
        let now: UInt64
        let deaths: UInt32
        let isUnprompted: Bool
    }

    /// What came of looking.
    struct Found {
        /// Those whose wait is over.
        var ids: [UInt64] = []
        /// What resumes them, to be called with nothing locked.
        var ends: [@Sendable () -> Void] = []
        /// When to look again, at the latest.
        var until: UInt64 = .max
    }

    /// Whether one of them can find what the others then do not: they look one after another.
    let isExclusive: Bool

    /// In the order in which they came; those that have gone leave a hole.
    private var waiters: [Waiter?] = []
    private var head = 0
    private(set) var count = 0
    private(set) var round = WaitRound()
    /// The first of their deadlines.
    private(set) var deadline: UInt64 = .max

    init(isExclusive: Bool) {
        self.isExclusive = isExclusive
    }

    var isEmpty: Bool { count == 0 }

    /// All who wait.
    var everyone: [Waiter] { waiters[head...].compactMap(\.self) }

    mutating func append(_ waiter: Waiter) {
        waiters.append(waiter)
        count += 1
        deadline = min(deadline, waiter.deadline)
    }

    mutating func remove(_ id: UInt64) -> Waiter? {
        guard let index = waiters[head...].firstIndex(where: { $0?.id == id }) else { return nil }
        return take(index)
    }

    private mutating func take(_ index: Int) -> Waiter? {
        defer {
            waiters[index] = nil
            count -= 1
            while head < waiters.count, waiters[head] == nil { head += 1 }
            if head > 32, head * 2 > waiters.count {
                waiters.removeFirst(head)
                head = 0
            }
        }
        return waiters[index]
    }

    /// Looks for those whose turn it is; returns the value that the word has for as long as nothing more is found.
    mutating func look(_ moment: Moment, _ found: inout Found) -> UInt32? {
        round.deaths = moment.deaths
        round.isUnprompted = moment.isUnprompted
        let expected = isExclusive ? lookInTurn(moment, &found) : lookForAll(moment, &found)
        if deadline <= moment.now { dropLate(moment, &found) }
        found.until = min(found.until, deadline)
        if round.began == 0 { round.began = moment.now }
        round.hasSlept = true
        return isEmpty ? nil : expected
    }

    private mutating func lookInTurn(_ moment: Moment, _ found: inout Found) -> UInt32? {
        while head < waiters.count, let waiter = waiters[head] {
            switch waiter.look(round) {
            case .done(let resume):
                _ = take(head)
                found.ids.append(waiter.id)
                found.ends.append(resume)
                // The next one's wait begins, after a sleep that may have been for it.
                round.began = moment.now
                round.hasSlept = true
            case .sleep(_, let value, let limit):
                if limit != .max { found.until = min(found.until, moment.now + limit) }
                return value
            }
        }
        return nil
    }

    private mutating func lookForAll(_ moment: Moment, _ found: inout Found) -> UInt32? {
        var expected: UInt32?
        var kept: [Waiter?] = []
        for case let waiter? in waiters[head...] {
            switch waiter.look(round) {
            case .done(let resume):
                found.ids.append(waiter.id)
                found.ends.append(resume)
            case .sleep(_, let value, let limit):
                // The first one's: if the word has changed since, the sleep is over at once.
                expected = expected ?? value
                if limit != .max { found.until = min(found.until, moment.now + limit) }
                kept.append(waiter)
            }
        }
        replace(kept)
        return expected
    }

    private mutating func dropLate(_ moment: Moment, _ found: inout Found) {
        var kept: [Waiter?] = []
        for case let waiter? in waiters[head...] {
            if waiter.deadline > moment.now {
                kept.append(waiter)
            } else {
                found.ids.append(waiter.id)
                found.ends.append { waiter.end(.timedOut) }
            }
        }
        replace(kept)
        deadline = kept.lazy.map { $0?.deadline ?? .max }.min() ?? .max
    }

    private mutating func replace(_ kept: [Waiter?]) {
        waiters = kept
        head = 0
        count = kept.count
    }
}

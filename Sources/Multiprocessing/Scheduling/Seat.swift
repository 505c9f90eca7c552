/// The place of one worker in a pool, as the scheduler knows it: one worker after another has it.
package struct Seat {
    /// The life of the worker that has the seat.
    package enum Life {
        /// There is none.
        case empty
        /// There is none, because the last start failed, and it is tried again at this time.
        case retrying(at: UInt64, Attempts)
        case starting(Attempts)
        /// Runs what comes before its first item; its time is over then.
        case settingUp(until: UInt64)
        case idle
        case busy(Holding)
        /// Still runs an item that it should have stopped, for which nobody waits any more; ended at this time.
        case overstaying(until: UInt64)
        /// Told to end, and not to be given work any more; it may still hold what it had.
        case ending(Holding?)
    }

    /// How often a worker's start was tried.
    package struct Attempts {
        /// Those that failed by themselves.
        var failures = 0
        /// Those that were ended by a signal from outside, which says nothing about the next.
        var kills = 0

        package var count: Int { failures + kills }

        /// How many may fail by themselves.
        package static let limit = 3

        /// At some milliseconds for each, this is seconds of being killed all the time.
        package static let killLimit = 500

        /// Notes a failure; returns for how many nanoseconds to wait before the next attempt, `nil` if there is none.
        mutating func fail(wasKilled: Bool) -> UInt64? {
            if wasKilled, kills < Self.killLimit {
                kills += 1
                return 2_000_000
            }
            failures += 1
            guard failures < Self.limit else { return nil }
            // What is short now, memory, processes or descriptors, may be there in a moment.
            return 10_000_000 * UInt64(failures * failures)
        }
    }

    /// What one worker was given, to run in this order.
    package struct Holding {
        let first: Chunk
        var others: [Chunk]
        let since: UInt64

        /// Whether some of it can be asked back; once, for then nothing is left that was not begun.
        var isDivisible: Bool

        /// Whether the worker was asked whether it still works on it.
        var isInquired = false

        /// When to look whether the item that runs has passed its limit.
        var lookTime: UInt64

        /// The item that was seen running last, and when it was first.
        private var seen: (chunk: ObjectIdentifier, item: Int, since: UInt64)?

        /// When the item that runs has to have stopped, because it was cancelled.
        var graceEnd = UInt64.max

        /// Whether the worker was told to let go of what was cancelled, because it did not stop.
        var isOverdue = false

        init(_ first: Chunk, then others: [Chunk], since: UInt64) {
            self.first = first
            self.others = others
            self.since = since
            isDivisible = !others.isEmpty || first.isDivisible
            lookTime = .max
            if let shortestTimeout { lookTime = since.advanced(by: min(shortestTimeout, lookInterval)) }
        }

        /// How long not to look at what the worker runs, for nothing is due before.
        ///
        /// An item that another has run before, in the same chunk, counts from when it is seen for the first time; so
        /// there is a look at each such chunk now and then.
        var lookInterval: UInt64 {
            guard let shortestTimeout else { return .max }
            let isSampled = Self.isSampled(first) || others.contains(where: Self.isSampled)
            return max(min(shortestTimeout, isSampled ? Scheduler.sampleInterval : .max), Scheduler.lookInterval)
        }

        private static func isSampled(_ chunk: Chunk) -> Bool {
            chunk.limits.timeout != nil && chunk.count > 1
        }

        /// When an item that was seen running began, or was first seen if that is not known.
        mutating func see(_ item: Int, of chunk: Chunk, now: UInt64) -> UInt64 {
            // Nothing is added to what the worker holds, so no other chunk can have this name.
            let name = ObjectIdentifier(chunk)
            if let seen, seen.chunk == name, seen.item == item { return seen.since }
            seen = (name, item, now)
            return now
        }

        /// The shortest time that an item of these may run; `nil` if all of them may run for ever.
        private static func shortestTimeout(_ first: Chunk, _ others: [Chunk]) -> UInt64? {
            others.reduce(first.limits.timeout) { shortest, chunk in
                guard let timeout = chunk.limits.timeout else { return shortest }
                return min(timeout, shortest ?? .max)
            }
        }

        var shortestTimeout: UInt64? { Self.shortestTimeout(first, others) }

        /// The chunk that was cancelled and has not ended, if there is one.
        var cancelled: Chunk? {
            if first.isCancelled, !first.isEnded { return first }
            return others.first { $0.isCancelled && !$0.isEnded }
        }

        /// When all of it has to have begun; what has a limit to that is held alone.
        var startBy: UInt64 { first.startBy }

        var chunks: [Chunk] { [first] + others }

        /// Whether what was not begun is given to others after a time, though nobody has come for work.
        var sharesInTime: Bool { isDivisible && first.isPrompt }

        /// For how long the worker has had it, in nanoseconds.
        func age(at now: UInt64) -> UInt64 { now > since ? now - since : 0 }

        func forEach(_ body: (Chunk) -> Void) {
            body(first)
            others.forEach(body)
        }
    }

    package internal(set) var life = Life.empty

    /// How often a start was tried for the seat: what was meant for one worker cannot reach the next.
    package internal(set) var generation: UInt64 = 0

    /// When the worker could be given work for the first time.
    var readyTime: UInt64 = 0

    /// When the worker had nothing to do any more.
    var idleSince: UInt64 = 0

    /// How many items it was given and has ended.
    var itemCount = 0

    /// How much memory the worker had to itself before its first item, in bytes, and how much more it has since.
    var memoryAtStart: UInt64 = 0
    var memoryGrowth: UInt64 = 0

    /// The actors that the worker has, and which of them are a reason not to replace it.
    package internal(set) var hosted: [UInt64: Bool] = [:]

    /// Whether work was asked back, and the answer is still to come, though the worker may have ended the rest.
    var isReclaiming = false

    /// Whether a worker is asked for here as soon as the one that ends is gone.
    package internal(set) var isAwaited = false

    /// Whether a worker has the seat, or is about to.
    package var isTaken: Bool {
        if case .empty = life { false } else { true }
    }

    package var isIdle: Bool {
        if case .idle = life { true } else { false }
    }

    package var isBusy: Bool {
        if case .busy = life { true } else { false }
    }

    /// Whether work need not start another worker, because this one will come.
    var isStarting: Bool {
        switch life {
        case .retrying, .starting, .settingUp: true
        case .empty, .idle, .busy, .overstaying, .ending: false
        }
    }

    /// Whether there is a worker, or one is about to come, that will take work.
    var takesWork: Bool {
        switch life {
        case .starting, .settingUp, .idle, .busy, .overstaying: true
        case .empty, .retrying, .ending: false
        }
    }

    /// How many actors the worker has, or is about to have.
    var hostedCount: Int {
        if case .busy(let work) = life, work.first.placement != nil { hosted.count + 1 } else { hosted.count }
    }

    /// Whether the worker has an actor under which it is not to be replaced.
    var isKept: Bool { !hosted.isEmpty && hosted.values.contains(true) }

    /// What the worker was given and has not ended.
    var holding: Holding? {
        switch life {
        case .busy(let holding): holding
        case .ending(let holding): holding
        case .empty, .retrying, .starting, .settingUp, .idle, .overstaying: nil
        }
    }
}

extension UInt64 {
    /// The time that lies so many nanoseconds behind this one, or the end of time.
    func advanced(by nanoseconds: UInt64) -> UInt64 {
        let (time, overflow) = addingReportingOverflow(nanoseconds)
        return overflow ? .max : time
    }
}

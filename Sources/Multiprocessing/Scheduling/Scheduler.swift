/// Decides which worker runs what, when workers start and stop, and what becomes of work that is lost.
///
/// A pure state machine: it is fed events and answers with actions, does no I/O, has no clock and calls
/// nobody. What it knows of a chunk stands in the chunk, so a copy of it is no scheduler of its own.
/// ``PoolCore`` owns the lock around it and performs the actions after unlocking. Backends report
/// facts; whether an item fails, a start is tried again or a worker is replaced or killed is decided here,
/// and nowhere else, but for workers that break the rules of their channel, do not end when they are told to, or pass
/// a limit of resources: what kills those reports it. Whether an item that failed is tried again is its call's to say.
/// The end of a chunk among others is no news to the scheduler: its items have their results.
///
/// Workers start on demand: one is started when work is waiting that no live worker is free
/// for. A replacement is that same rule applied after a worker ended, so it follows from
/// counts and cannot be lost.
package struct Scheduler {
    /// The life of the pool.
    package enum Phase: Equatable {
        case open
        /// Submitted work is finished, then the workers stop.
        case closing
        /// Nothing is finished any more.
        case terminated
    }

    package internal(set) var phase = Phase.open

    /// One for each worker that there can be, or could be before the pool was made smaller.
    package internal(set) var seats: [Seat]

    /// How many workers are wanted at most: those with the first places.
    package internal(set) var workerCount: Int

    let formsLots: Bool
    let inquires: Bool
    let rules: SchedulerRules

    var queue = RingQueue<Chunk>()

    /// Chunks that make actors, and wait for the right worker.
    var placings: [Placing] = []

    /// Idle workers, the one that worked last at the end, so that few workers stay warm.
    var idle: [Int] = []

    /// Seats that are taken.
    package internal(set) var liveCount = 0

    /// Seats whose worker is still to come.
    package internal(set) var startingCount = 0

    /// Chunks in the queue, and beside it for the sake of actors, that were not cancelled there.
    package internal(set) var queuedCount = 0

    /// Chunks that the owner is cutting.
    package internal(set) var cuttingCount = 0

    /// Attempts that wait for their time; see ``retry(_:at:now:)``.
    var delayed: [Delayed] = []

    /// No worker is started beside live ones before this time, because all attempts to start one have failed.
    ///
    /// For all seats: what one start lacks, memory, processes or descriptors, the next would lack too.
    var startsPausedUntil: UInt64 = 0

    /// Why a start was given up since ``startAll()``, if one was.
    var startFailure: PoolError?

    /// With what the latest set-up failed; `nil` since one has succeeded.
    var setUpFailure: PoolError?

    /// How many workers ended one after another, each at once and with no item to blame.
    var quickDeaths = 0

    /// When to look for chunks that have waited for too long.
    var nextExpiry = UInt64.max

    /// For when the owner was asked to call ``timeIsUp(now:)``.
    package internal(set) var alarmTime = UInt64.max

    /// Cancelled chunks that left the queue, until the lock is released.
    var dropped: [Chunk] = []

    /// Whether the end was reported: every worker is gone and none will come.
    package internal(set) var isFinished = false

    /// How long a chunk occupies a worker, in nanoseconds, averaged over the latest; zero before the first.
    var typicalTime: UInt64 = 0

    /// When to look again for workers that sit on work which others could do.
    var nextLook: UInt64 = 0

    /// For how long a worker is given work at a time, if there is much and it is quick.
    ///
    /// Against it a wake-up, some ten microseconds, is little; and it is short enough to wait for.
    package static let lotTime: UInt64 = 400_000

    /// The most chunks that a worker is given at a time.
    package static let lotLimit = 64

    /// After this, work that a worker has not begun is given to others, though they have work of their own.
    package static let patience: UInt64 = 2_000_000

    /// After this time without a word a worker is asked whether it still works on what it holds; once.
    package static let silence: UInt64 = 1_000_000_000

    /// How long a start that failed for good keeps further ones from being tried while other workers live.
    package static let startPause: UInt64 = 1_000_000_000

    /// How long an actor waits for a busy worker that has fewer of them, while others are idle.
    package static let placementPatience: UInt64 = 100_000_000

    /// How many workers may end with a chunk unstarted before the chunk is failed.
    ///
    /// A chunk that ends workers before they report it as started would otherwise go round for ever.
    ///
    /// Many, because a worker can also be killed from outside at that moment, which is not the chunk's doing.
    package static let maximumReturns = 50

    /// A worker that ends within this time, without an item that it ended or that is to blame, died of itself.
    package static let quickDeathAge: UInt64 = 1_000_000_000

    /// How many workers may die so in a row before all that waits for one fails with the cause.
    ///
    /// As many as one chunk may end, so that no chunk has fewer attempts because it is among others.
    package static let quickDeathLimit = maximumReturns

    /// What a worker runs is asked no more often than this, but for an item that is due.
    package static let lookInterval: UInt64 = 1_000_000

    /// How often to look which item of several with a deadline a worker runs, in nanoseconds: so late its end may be.
    package static let sampleInterval: UInt64 = 20_000_000

    /// Chunks that have waited for too long are looked for no more often than this.
    static let expiryInterval: UInt64 = 5_000_000

    /// - Parameters:
    ///   - formsLots: Whether quick chunks are handed out together, which saves messages to workers.
    ///   - inquires: Whether workers are asked whether they still work, because they could be mistaken.
    ///   - rules: What the pool's configuration says of its workers.
    package init(
        workerCount: Int, formsLots: Bool = true, inquires: Bool = true, rules: SchedulerRules = SchedulerRules()
    ) {
        self.rules = rules
        self.formsLots = formsLots
        self.inquires = inquires
        self.workerCount = workerCount
        seats = Array(repeating: Seat(), count: workerCount)
    }

    // MARK: Work

    /// Takes a chunk from a caller.
    ///
    /// - Parameter isRest: Whether it is the rest of one that was submitted before and has been begun, so that it is
    ///   taken as long as the pool has not come to its end.
    package mutating func submit(_ chunk: Chunk, isRest: Bool = false, now: UInt64) -> Actions {
        guard phase == .open || (isRest && phase == .closing && !isFinished) else {
            chunk.place = .ended
            return Actions(.end(chunk, .shutDown))
        }
        var actions = Actions()
        if chunk.placement == nil, let index = idle.popLast() {
            assign(chunk, to: index, now: now, &actions)
            return actions
        }
        if let error = setUpFailure, now < startsPausedUntil, !seats.contains(where: \.takesWork) {
            chunk.place = .ended
            return Actions(.end(chunk, .failed(error)))
        }
        if chunk.placement != nil { return submitPlacing(chunk, now: now) }
        enqueue(chunk)
        noteExpiry(of: chunk, now: now, &actions)
        startIfNeeded(now: now, &actions)
        return actions
    }

    /// Takes chunks that come together: an idle worker gets as many of them as one that ends its work does.
    package mutating func submit(_ chunks: [Chunk], now: UInt64) -> Actions {
        var actions = Actions()
        guard phase == .open, setUpFailure == nil else {
            for chunk in chunks { actions.append(contentsOf: submit(chunk, now: now)) }
            return actions
        }
        for chunk in chunks {
            if chunk.placement == nil {
                enqueue(chunk)
                noteExpiry(of: chunk, now: now, &actions)
            } else {
                actions.append(contentsOf: submitPlacing(chunk, now: now))
            }
        }
        while let index = idle.last, let (first, others) = nextLot(for: index) {
            idle.removeLast()
            assign(first, then: others, to: index, now: now, &actions)
        }
        // Each starts one worker at most.
        for _ in chunks { startIfNeeded(now: now, &actions) }
        return actions
    }

    /// Has a chunk that waits, from now on or since it was handed in, fail when it has waited for too long.
    mutating func noteExpiry(of chunk: Chunk, now: UInt64, _ actions: inout Actions) {
        guard chunk.limits.queueTimeout != nil else { return }
        chunk.limitWait(now: now)
        nextExpiry = min(nextExpiry, chunk.startBy)
        // Without a clock there may be some that are late.
        wake(at: max(nextExpiry, now + 1), &actions)
    }

    /// Cancels a chunk: it never starts if it has not, and is told if it has, and stopped after the grace period.
    package mutating func cancel(_ chunk: Chunk, now: UInt64) -> Actions {
        switch chunk.place {
        case .queued:
            // The queue's reference is dropped when its turn comes; the inputs go now.
            chunk.place = .ended
            queuedCount -= 1
            var actions = Actions(.end(chunk, .cancelled))
            stopIfDrained(&actions)
            return actions
        case .held(let index):
            var actions = Actions(.cancel(chunk, id(index)))
            limitGrace(of: index, now: now, &actions)
            return actions
        case .delayed:
            return cancelDelayed(chunk)
        case .cut:
            // Seen when its parts come.
            return Actions()
        case .unsubmitted, .ended:
            return Actions()
        }
    }

    /// Takes the news that a worker has ended all that it held.
    package mutating func workEnded(on id: WorkerID, now: UInt64) -> Actions {
        guard let index = index(of: id), case .busy(let work) = seats[index].life else { return Actions() }
        work.forEach {
            $0.place = .ended
            seats[index].itemCount += $0.count
        }
        quickDeaths = 0
        let time = work.age(at: now) / UInt64(1 + work.others.count)
        typicalTime = typicalTime == 0 ? time : (3 * typicalTime + time) / 4
        seats[index].life = .idle
        var actions = Actions()
        noteActor(of: work.first, on: index, &actions)
        employ(index, now: now, &actions)
        // The last of them is the caller's.
        if !work.others.isEmpty { actions.released = work.others + [work.first] }
        return actions
    }

    /// Hands over the cancelled chunks that left the queue, to be released after unlocking.
    package mutating func takeDropped(into actions: inout Actions) {
        guard !dropped.isEmpty else { return }
        actions.released += dropped
        dropped = []
    }

    // MARK: Workers

    /// Takes the news that a worker has started: it can be given work, or has to be set up first.
    package mutating func workerReady(_ id: WorkerID, now: UInt64) -> Actions {
        guard let index = index(of: id) else { return Actions() }
        switch seats[index].life {
        case .starting:
            if let limit = rules.setUpTimeout { return beginSetUp(of: index, limit: limit, now: now) }
            return begin(index, now: now)
        case .ending:
            // Orders of two threads can change places: a worker that was started after the order to kill it
            // never got that order.
            return Actions(.kill(id))
        case .empty, .retrying, .settingUp, .idle, .busy, .overstaying:
            return Actions()
        }
    }

    /// Gives a worker its first work.
    mutating func begin(_ index: Int, now: UInt64) -> Actions {
        startingCount -= 1
        startsPausedUntil = 0
        seats[index].life = .idle
        seats[index].readyTime = now
        seats[index].itemCount = 0
        var actions = Actions()
        employ(index, now: now, &actions)
        return actions
    }

    /// Takes the news that a worker is gone, and what it held comes back.
    ///
    /// Items that had begun fail with `error`. What is left of their chunk goes to the front of
    /// the queue, so that it is not overtaken by all that was submitted since.
    package mutating func workerEnded(_ id: WorkerID, holding fact: HeldWork, error: PoolError, now: UInt64) -> Actions
    {
        guard let index = index(of: id) else { return Actions() }
        var actions = Actions()
        let work = seats[index].holding
        if case .settingUp = seats[index].life { failSetUp(of: id, error, now: now, &actions) }
        noteDeath(of: index, fact, now: now)
        leave(index)
        startAwaited(index, &actions)
        var outstanding: [Chunk] = []
        if let work {
            actions.released = work.others + [work.first]
            outstanding = settle(work.chunks, fact, error)
            if case .unbegun = fact { outstanding.first?.returns += 1 }
        }
        if quickDeaths >= Self.quickDeathLimit { giveUpStarts(outstanding, error, now: now, &actions) }
        giveBack(outstanding, error, now: now, &actions)
        return actions
    }

    // MARK: Steps

    func id(_ index: Int) -> WorkerID {
        WorkerID(index: index, generation: seats[index].generation)
    }

    /// Whether a worker that is there was given something that it has not ended.
    func isHolding(_ id: WorkerID) -> Bool {
        index(of: id).map { seats[$0].holding != nil } ?? false
    }

    /// The seat of a worker that is there; `nil` for news of one that is gone.
    func index(of id: WorkerID) -> Int? {
        guard seats.indices.contains(id.index), seats[id.index].generation == id.generation else { return nil }
        switch seats[id.index].life {
        case .empty, .retrying: return nil
        case .starting, .settingUp, .idle, .busy, .overstaying, .ending: return id.index
        }
    }

    mutating func enqueue(_ chunk: Chunk) {
        chunk.place = .queued
        queue.append(chunk)
        queuedCount += 1
    }

    mutating func assign(
        _ chunk: Chunk,
        then others: [Chunk] = [],
        to index: Int,
        now: UInt64,
        _ actions: inout Actions
    ) {
        let work = Seat.Holding(chunk, then: others, since: now)
        work.forEach {
            $0.place = .held(by: index)
            // Items behind the first wait on, with the worker.
            if $0.isDivisible { $0.limitWait(now: now) } else { $0.startBy = .max }
        }
        seats[index].life = .busy(work)
        wake(at: min(work.lookTime, max(work.startBy, now + 1)), &actions)
        actions.append(.assign(chunk, then: others, id(index)))
        if inquires { wake(at: now + Self.silence, &actions) }
        // Nothing else may happen that has who is idle ask for the rest.
        if work.sharesInTime { wake(at: now + Self.patience, &actions) }
    }

    /// Gives an idle worker something to do: work, a rest, or the end.
    mutating func employ(_ index: Int, now: UInt64, _ actions: inout Actions) {
        if isSpent(index, now: now) {
            retire(index, &actions)
            startIfNeeded(now: now, &actions)
            stopIfDrained(&actions)
        } else if index >= workerCount {
            rest(index, now: now, &actions)
            startIfNeeded(now: now, &actions)
            stopIfDrained(&actions)
        } else if let chunk = takePlacing(for: index, now: now, &actions) {
            assign(chunk, to: index, now: now, &actions)
            startIfNeeded(now: now, &actions)
        } else if let (first, others) = nextLot(for: index) {
            assign(first, then: others, to: index, now: now, &actions)
            startIfNeeded(now: now, &actions)
            reclaimStalled(now: now, &actions)
        } else {
            rest(index, now: now, &actions)
            reclaim(&actions)
            stopIfDrained(&actions)
        }
    }
}

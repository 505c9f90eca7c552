/// Decides which worker runs what, when workers start and stop, and what becomes of work that is lost.
///
/// A pure state machine: it is fed events and answers with actions, does no I/O, has no clock and calls
/// nobody. ``PoolCore`` owns the lock around it and performs the actions after unlocking. Backends report
/// facts; whether an item fails, a start is tried again or a worker is replaced or killed is decided here,
/// and nowhere else. Only the end of a chunk among others is no news to it: its items have their results.
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

    /// One for each worker that there can be.
    package internal(set) var seats: [Seat]

    private let formsLots: Bool
    let inquires: Bool
    let rules: SchedulerRules

    private var queue = RingQueue<Chunk>()

    /// Idle workers, the one that worked last at the end, so that few workers stay warm.
    private var idle: [Int] = []

    /// Seats that are taken.
    package internal(set) var liveCount = 0

    /// Seats whose worker is still to come.
    package internal(set) var startingCount = 0

    /// Chunks in the queue that were not cancelled there.
    package private(set) var queuedCount = 0

    /// Chunks that the owner is cutting.
    package private(set) var cuttingCount = 0

    /// Attempts that wait for their time; see ``retry(_:at:now:)``.
    var delayed: [Delayed] = []

    /// No worker is started beside live ones before this time, because all attempts to start one have failed.
    ///
    /// For all seats: what one start lacks, memory, processes or descriptors, the next would lack too.
    var startsPausedUntil: UInt64 = 0

    /// Why a start was given up since ``startAll()``, if one was.
    var startFailure: PoolError?

    /// For when the owner was asked to call ``timeIsUp(now:)``.
    var alarmTime = UInt64.max

    /// Cancelled chunks that left the queue, until the lock is released.
    private var dropped: [Chunk] = []

    /// Whether the end was reported: every worker is gone and none will come.
    package internal(set) var isFinished = false

    /// How long a chunk occupies a worker, in nanoseconds, averaged over the latest; zero before the first.
    private var typicalTime: UInt64 = 0

    /// When to look again for workers that sit on work which others could do.
    private var nextLook: UInt64 = 0

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

    /// How many workers may end with a chunk unstarted before the chunk is failed.
    ///
    /// A chunk that ends workers before they report it as started would otherwise go round for ever.
    ///
    /// Many, because a worker can also be killed from outside at that moment, which is not the chunk's doing.
    package static let maximumReturns = 50

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
        seats = Array(repeating: Seat(), count: workerCount)
    }

    // MARK: Work

    /// Takes a chunk from a caller.
    package mutating func submit(_ chunk: Chunk, now: UInt64) -> Actions {
        guard phase == .open else {
            chunk.place = .ended
            return Actions(.end(chunk, .shutDown))
        }
        var actions = Actions()
        if let index = idle.popLast() {
            assign(chunk, to: index, now: now, &actions)
            return actions
        }
        enqueue(chunk)
        startIfNeeded(now: now, &actions)
        return actions
    }

    /// Cancels a chunk: it never starts if it has not, and is told if it has.
    package mutating func cancel(_ chunk: Chunk) -> Actions {
        switch chunk.place {
        case .queued:
            // The queue's reference is dropped when its turn comes; the inputs go now.
            chunk.place = .ended
            queuedCount -= 1
            var actions = Actions(.end(chunk, .cancelled))
            stopIfDrained(&actions)
            return actions
        case .held(let index):
            return Actions(.cancel(chunk, id(index)))
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
        work.forEach { $0.place = .ended }
        let time = work.age(at: now) / UInt64(1 + work.others.count)
        typicalTime = typicalTime == 0 ? time : (3 * typicalTime + time) / 4
        seats[index].life = .idle
        var actions = employ(index, now: now)
        // The last of them is the caller's.
        if !work.others.isEmpty { actions.released = work.others + [work.first] }
        return actions
    }

    /// Takes back what a worker had not begun when it was asked for it.
    ///
    /// - Parameter chunks: In order: the end of what the worker holds, perhaps with a part of a chunk before it.
    package mutating func reclaimed(_ chunks: [Chunk], from id: WorkerID, now: UInt64) -> Actions {
        var actions = Actions()
        // The worker may have ended since; then these are nobody's all the same.
        if let index = index(of: id) {
            seats[index].isReclaiming = false
            remove(chunks, from: index, &actions)
        }
        if chunks.count == 1, let places = cuts(of: chunks[0]) {
            chunks[0].place = .cut
            cuttingCount += 1
            actions.append(.cut(chunks[0], places))
            return actions
        }
        distribute(chunks, .poolShutDown, now: now, &actions)
        return actions
    }

    /// Takes the parts of a chunk that was to be cut, in order.
    package mutating func cut(_ parts: [Chunk], now: UInt64) -> Actions {
        cuttingCount -= 1
        var actions = Actions()
        distribute(parts, .poolShutDown, now: now, &actions)
        return actions
    }

    /// Hands over the cancelled chunks that left the queue, to be released after unlocking.
    package mutating func takeDropped(into actions: inout Actions) {
        guard !dropped.isEmpty else { return }
        actions.released += dropped
        dropped = []
    }

    // MARK: Workers

    /// Takes the news that a worker can be given work.
    package mutating func workerReady(_ id: WorkerID, now: UInt64) -> Actions {
        guard let index = index(of: id) else { return Actions() }
        switch seats[index].life {
        case .starting:
            startingCount -= 1
            startsPausedUntil = 0
            seats[index].life = .idle
            return employ(index, now: now)
        case .ending:
            // Orders of two threads can change places: a worker that was started after the order to kill it
            // never got that order.
            return Actions(.kill(id))
        case .empty, .retrying, .idle, .busy:
            return Actions()
        }
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
        leave(index)
        var outstanding: [Chunk] = []
        if let work {
            actions.released = work.others + [work.first]
            outstanding = settle(work.chunks, fact, error)
        }
        distribute(outstanding, error, now: now, &actions)
        return actions
    }

    // MARK: The end

    /// Refuses further work, and stops the workers when what was submitted is done.
    package mutating func shutDown() -> Actions {
        guard phase == .open else { return Actions() }
        phase = .closing
        var actions = Actions()
        stopIfDrained(&actions)
        return actions
    }

    /// Abandons all work and ends every worker.
    ///
    /// - Parameter stopsIdle: Whether workers that have nothing to do are asked to end, and not killed.
    package mutating func terminate(stopsIdle: Bool = false) -> Actions {
        guard phase != .terminated else { return Actions() }
        phase = .terminated
        var actions = Actions()
        while let chunk = popQueued() {
            chunk.place = .ended
            actions.append(.end(chunk, .shutDown))
        }
        endDelayed(&actions)
        for index in seats.indices {
            seats[index].holding?.forEach { chunk in
                if !chunk.isEnded { actions.append(.abandon(chunk, .shutDown)) }
            }
            if stopsIdle, seats[index].isIdle {
                seats[index].life = .ending(nil)
                actions.append(.stop(id(index)))
            } else {
                kill(index, &actions)
            }
        }
        idle.removeAll()
        stopIfDrained(&actions)
        return actions
    }

    // MARK: Steps

    func id(_ index: Int) -> WorkerID {
        WorkerID(index: index, generation: seats[index].generation)
    }

    /// The seat of a worker that is there; `nil` for news of one that is gone.
    func index(of id: WorkerID) -> Int? {
        guard seats[id.index].generation == id.generation else { return nil }
        switch seats[id.index].life {
        case .empty, .retrying: return nil
        case .starting, .idle, .busy, .ending: return id.index
        }
    }

    mutating func enqueue(_ chunk: Chunk) {
        chunk.place = .queued
        queue.append(chunk)
        queuedCount += 1
    }

    private mutating func assign(
        _ chunk: Chunk,
        then others: [Chunk] = [],
        to index: Int,
        now: UInt64,
        _ actions: inout Actions
    ) {
        let work = Seat.Holding(chunk, then: others, since: now)
        work.forEach { $0.place = .held(by: index) }
        seats[index].life = .busy(work)
        actions.append(.assign(chunk, then: others, id(index)))
        if inquires { wake(at: now + Self.silence, &actions) }
    }

    /// The next chunks for one worker: more than one if they are quick and there are enough for all.
    private mutating func nextLot() -> (Chunk, [Chunk])? {
        guard let first = popQueued() else { return nil }
        let share = queuedCount / seats.count
        guard formsLots, share > 0, typicalTime > 0 else { return (first, []) }
        let count = min(share, Self.lotLimit - 1, Int(clamping: Self.lotTime / typicalTime))
        var others: [Chunk] = []
        while others.count < count, let next = popQueued() { others.append(next) }
        return (first, others)
    }

    private mutating func popQueued() -> Chunk? {
        while let chunk = queue.popFirst() {
            // Cancelled in the queue, and ended then.
            guard chunk.place == .queued else {
                dropped.append(chunk)
                continue
            }
            queuedCount -= 1
            return chunk
        }
        return nil
    }

    /// Gives an idle worker something to do: work, a rest, or the end.
    private mutating func employ(_ index: Int, now: UInt64) -> Actions {
        var actions = Actions()
        if let (first, others) = nextLot() {
            assign(first, then: others, to: index, now: now, &actions)
            startIfNeeded(now: now, &actions)
            reclaimStalled(now: now, &actions)
        } else {
            idle.append(index)
            reclaim(&actions)
            stopIfDrained(&actions)
        }
        return actions
    }

    /// Puts work that has come back first in the queue, and hands it to who is idle.
    mutating func distribute(_ chunks: [Chunk], _ error: PoolError, now: UInt64, _ actions: inout Actions) {
        for chunk in chunks.reversed() { takeBack(chunk, error, &actions) }
        while !idle.isEmpty, let (first, others) = nextLot() {
            guard let index = idle.popLast() else { break }
            assign(first, then: others, to: index, now: now, &actions)
        }
        startIfNeeded(now: now, &actions)
        // Who is idle yet may have what another has not begun.
        reclaim(&actions)
        stopIfDrained(&actions)
    }

    private mutating func takeBack(_ chunk: Chunk, _ error: PoolError, _ actions: inout Actions) {
        let reason: Reason
        if phase == .terminated {
            reason = .shutDown
        } else if !chunk.wantsToRun {
            reason = .cancelled
        } else if chunk.returns >= Self.maximumReturns {
            reason = .failed(error)
        } else {
            chunk.place = .queued
            queue.prepend(chunk)
            queuedCount += 1
            return
        }
        chunk.place = .ended
        actions.append(.end(chunk, reason))
    }

    // MARK: What a worker had

    /// Decides what becomes of the items that a worker which is gone had begun; returns the chunks that come back.
    ///
    /// The owner of a chunk fails its lost items when it gets the chunk next, to hand it on or to end it.
    private func settle(_ chunks: [Chunk], _ fact: HeldWork, _ error: PoolError) -> [Chunk] {
        switch fact {
        case .goesOn:
            for chunk in chunks { chunk.place = .ended }
            return []
        case .unbegun:
            let outstanding = chunks.filter(isOutstanding)
            outstanding.first?.returns += 1
            return outstanding
        case .begun(let last, let end):
            var isBegun = chunks.contains { $0 === last }
            return chunks.filter { chunk in
                defer { if chunk === last { isBegun = false } }
                guard isOutstanding(chunk) else { return false }
                if isBegun { chunk.lose(through: chunk === last ? end : chunk.count, error) }
                return true
            }
        }
    }

    private func isOutstanding(_ chunk: Chunk) -> Bool {
        if chunk.isEnded { chunk.place = .ended }
        return !chunk.isEnded
    }

    /// Notes that chunks are not with a worker any more.
    private mutating func remove(_ chunks: [Chunk], from index: Int, _ actions: inout Actions) {
        guard var work = seats[index].holding else { return }
        actions.released = work.others
        work.others.removeAll { other in chunks.contains { $0 === other } }
        // What ended before the worker was asked was not the last that it held, then; so nobody
        // will say that the worker has ended its work, if the rest has come back.
        let isLeft = { (chunk: Chunk) in !chunk.isEnded && !chunks.contains { $0 === chunk } }
        let hasWork = isLeft(work.first) || work.others.contains(where: isLeft)
        if !hasWork { actions.released.append(work.first) }
        switch seats[index].life {
        case .busy where hasWork:
            seats[index].life = .busy(work)
        case .busy:
            seats[index].life = .idle
            idle.append(index)
        case .ending:
            seats[index].life = .ending(hasWork ? work : nil)
        case .empty, .retrying, .starting, .idle:
            break
        }
    }

    /// Where to cut a chunk, so that there is a part for each worker that has nothing to do, and one for who had it.
    ///
    /// - Returns: The numbers of the items that parts begin with, but for the first; `nil` for nothing to cut.
    private func cuts(of chunk: Chunk) -> [Int]? {
        // With more in the queue there is enough for everyone.
        guard queuedCount == 0, chunk.wantsToRun, chunk.isDivisible, !idle.isEmpty else { return nil }
        let stride = chunk.strideLength
        // Of whole strides and a rest; the sum of both could be too large for a number.
        let strides = (chunk.remainingCount - 1) / stride + 1
        let parts = min(idle.count + 1, strides)
        guard parts > 1 else { return nil }
        return (1..<parts).map { chunk.finishedCount + strides / parts * $0 * stride }
    }

    // MARK: What others could do

    /// Asks a worker for what it has not begun, because another has nothing to do.
    private mutating func reclaim(_ actions: inout Actions) {
        guard phase != .terminated, !idle.isEmpty else { return }
        let index = seats.firstIndex { seat in
            if case .busy(let work) = seat.life { work.isDivisible } else { false }
        }
        if let index { reclaim(from: index, &actions) }
    }

    private mutating func reclaim(from index: Int, _ actions: inout Actions) {
        guard case .busy(var work) = seats[index].life else { return }
        work.isDivisible = false
        seats[index].life = .busy(work)
        seats[index].isReclaiming = true
        actions.append(.reclaim(id(index)))
    }

    /// Asks for what workers have sat on for long, while others work on what came later.
    private mutating func reclaimStalled(now: UInt64, _ actions: inout Actions) {
        guard now >= nextLook else { return }
        nextLook = now + Self.patience / 2
        for index in seats.indices {
            guard case .busy(let work) = seats[index].life, work.isDivisible, work.age(at: now) > Self.patience else {
                continue
            }
            reclaim(from: index, &actions)
        }
    }

    // MARK: Seats

    private mutating func leave(_ index: Int) {
        switch seats[index].life {
        case .empty:
            return
        case .retrying, .starting:
            startingCount -= 1
        case .idle:
            idle.removeAll { $0 == index }
        case .busy, .ending:
            break
        }
        vacate(index)
    }

    /// Notes that nobody has the seat any more; who is counted elsewhere was taken out there.
    mutating func vacate(_ index: Int) {
        seats[index].isReclaiming = false
        seats[index].life = .empty
        liveCount -= 1
    }

    /// Ends whoever has the seat, or is to have it; its idleness is the caller's.
    private mutating func kill(_ index: Int, _ actions: inout Actions) {
        switch seats[index].life {
        case .empty:
            return
        case .retrying:
            startingCount -= 1
            vacate(index)
            return
        case .starting:
            startingCount -= 1
            seats[index].life = .ending(nil)
        case .idle:
            seats[index].life = .ending(nil)
        case .busy(let work):
            seats[index].life = .ending(work)
        case .ending:
            break
        }
        actions.append(.kill(id(index)))
    }

    /// Ends all that waits for a worker, of which none will come.
    mutating func failQueued(_ error: PoolError, _ actions: inout Actions) {
        while let chunk = popQueued() {
            chunk.place = .ended
            actions.append(.end(chunk, .failed(error)))
        }
    }

    /// After the end was asked for: stops workers that have nothing left to do, and says when all are gone.
    mutating func stopIfDrained(_ actions: inout Actions) {
        guard phase != .open, queuedCount == 0, cuttingCount == 0, delayed.isEmpty else { return }
        // What comes back from a busy worker is for an idle one.
        if phase == .closing, seats.contains(where: \.isReclaiming) { return }
        while let index = idle.popLast() {
            seats[index].life = .ending(nil)
            actions.append(.stop(id(index)))
        }
        // A worker that is still to come has nothing to wait for.
        for index in seats.indices where seats[index].isStarting { kill(index, &actions) }
        if liveCount == 0, !isFinished {
            isFinished = true
            actions.append(.finished)
        }
    }
}

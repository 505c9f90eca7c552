/// Decides which worker runs what and when workers start and stop.
///
/// A pure state machine: it is fed events and answers with actions, does no I/O and calls
/// nobody. ``PoolCore`` owns the lock around it and performs the actions after unlocking.
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

    /// The life of one worker's place.
    package enum Worker: Equatable {
        case absent
        case starting
        case idle
        case busy
        /// Told to end, and not to be given work any more.
        case stopping
    }

    package private(set) var phase = Phase.open
    package private(set) var workers: [Worker]

    private let formsTrains: Bool
    private let inquires: Bool

    /// What each worker holds; parallel to `workers`.
    private var held: [Holding?]

    /// Whether work was asked back from each worker, and the answer is still to come; parallel to `workers`.
    private var isReclaiming: [Bool]

    /// How often a worker was started in each place; parallel to `workers`.
    private var incarnations: [UInt64]

    private var queue = Queue<Chunk>()

    /// Idle workers, the one that worked last at the end, so that few workers stay warm.
    private var idle: [Int] = []

    /// Workers that are not absent.
    package private(set) var liveCount = 0
    package private(set) var startingCount = 0

    /// Chunks in the queue that were not cancelled there.
    package private(set) var queuedCount = 0

    /// No worker is started beside live ones before this time, because the last start failed.
    private var startsPausedUntil: UInt64 = 0

    /// Cancelled chunks that left the queue, until the lock is released.
    private var dropped: [Chunk] = []

    /// Whether the end was reported: every worker is gone and none will come.
    package private(set) var isFinished = false

    /// How long a chunk occupies a worker, in nanoseconds, averaged over the latest; zero before the first.
    private var typicalTime: UInt64 = 0

    /// For when the owner was asked to call ``timeIsUp(now:)``.
    private var alarmTime = UInt64.max

    /// When to look again for workers that sit on work which others could do.
    private var nextLook: UInt64 = 0

    /// What one worker was given, to run in this order.
    private struct Holding {
        var first: Chunk
        var others: [Chunk]
        let since: UInt64

        /// Whether some of it can be asked back; once, for then nothing is left that was not begun.
        var isDivisible: Bool

        /// Whether the worker was asked whether it still works on it.
        var isInquired = false

        /// For how long the worker has had it, in nanoseconds.
        func age(at now: UInt64) -> UInt64 { now > since ? now - since : 0 }

        func forEach(_ body: (Chunk) -> Void) {
            body(first)
            others.forEach(body)
        }
    }

    /// For how long a worker is given work at a time, if there is much and it is quick.
    ///
    /// Against it a wake-up, some ten microseconds, is little; and it is short enough to wait for.
    package static let trainTime: UInt64 = 400_000

    /// The most chunks that a worker is given at a time.
    package static let trainLimit = 64

    /// After this, work that a worker has not begun is given to others, though they have work of their own.
    package static let patience: UInt64 = 2_000_000

    /// How long a failed start keeps further ones from being tried while other workers live.
    package static let startPause: UInt64 = 1_000_000_000

    /// After this time without a word a worker is asked whether it still works on what it holds; once.
    package static let silence: UInt64 = 1_000_000_000

    /// How many workers may end with a chunk unstarted before the chunk is failed.
    ///
    /// A chunk that ends workers before they report it as started would otherwise go round for ever.
    ///
    /// Many, because a worker can also be killed from outside at that moment, which is not the chunk's doing.
    package static let maximumReturns = 50

    /// - Parameter formsTrains: Whether quick chunks are handed out together, which saves messages to workers.
    /// - Parameter inquires: Whether workers are asked whether they still work, because they could be mistaken.
    package init(workerCount: Int, formsTrains: Bool = true, inquires: Bool = true) {
        self.formsTrains = formsTrains
        self.inquires = inquires
        workers = Array(repeating: .absent, count: workerCount)
        held = Array(repeating: nil, count: workerCount)
        isReclaiming = Array(repeating: false, count: workerCount)
        incarnations = Array(repeating: 0, count: workerCount)
    }

    // MARK: Work

    /// Takes a chunk from a caller.
    package mutating func submit(_ chunk: Chunk, now: UInt64) -> Actions {
        guard phase == .open else {
            chunk.place = .ended
            return Actions(.end(chunk, .shutDown))
        }
        if let worker = popIdle() {
            var actions = Actions()
            assign(chunk, to: worker, now: now, &actions)
            return actions
        }
        chunk.place = .queued
        queue.append(chunk)
        queuedCount += 1
        return Actions(startIfNeeded(now: now))
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
        case .held(let worker):
            return Actions(.cancel(chunk, id(worker)))
        case .unsubmitted, .ended:
            return Actions()
        }
    }

    /// Takes the news that a worker has ended all that it held.
    package mutating func workEnded(on id: WorkerID, now: UInt64) -> Actions {
        guard let worker = place(of: id), workers[worker] == .busy, let work = held[worker].take() else {
            return Actions()
        }
        work.forEach { $0.place = .ended }
        let time = work.age(at: now) / UInt64(1 + work.others.count)
        typicalTime = typicalTime == 0 ? time : (3 * typicalTime + time) / 4
        workers[worker] = .idle
        var actions = employ(worker, now: now)
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

    /// Takes back what a worker had not begun when it was asked for it.
    ///
    /// - Parameter chunks: In order: the end of what the worker holds, perhaps with a part of a chunk before it.
    package mutating func reclaimed(_ chunks: [Chunk], from id: WorkerID, now: UInt64) -> Actions {
        var actions = Actions()
        if let worker = place(of: id) { isReclaiming[worker] = false }
        // The worker may have ended since; then these are nobody's all the same.
        if let worker = place(of: id), var work = held[worker] {
            actions.released = work.others
            work.others.removeAll { other in chunks.contains { $0 === other } }
            held[worker] = work
            // What ended before the worker was asked was not the last that it held, then; so nobody
            // will say that the worker has ended its work, if the rest has come back.
            let isLeft = { (chunk: Chunk) in !chunk.isEnded && !chunks.contains { $0 === chunk } }
            if !isLeft(work.first), !work.others.contains(where: isLeft) {
                held[worker] = nil
                actions.released.append(work.first)
                if workers[worker] == .busy {
                    workers[worker] = .idle
                    idle.append(worker)
                }
            }
        }
        let error = PoolError.poolShutDown
        for chunk in share(chunks).reversed() { takeBack(chunk, error, &actions) }
        while !idle.isEmpty, let (first, others) = nextTrain() {
            guard let worker = popIdle() else { break }
            assign(first, then: others, to: worker, now: now, &actions)
        }
        actions.append(startIfNeeded(now: now))
        // Another may have what this one had not.
        if !idle.isEmpty { actions.append(reclaim()) }
        stopIfDrained(&actions)
        return actions
    }

    /// Cuts what can be cut into a part for each worker that has nothing to do, and one for who had it.
    private func share(_ chunks: [Chunk]) -> [Chunk] {
        guard chunks.count == 1, idle.count > 0 else { return chunks }
        var parts = [chunks[0]]
        for part in (1...idle.count).reversed() {
            let last = parts[parts.count - 1]
            let strides = (last.remainingCount + last.strideLength - 1) / last.strideLength
            let kept = strides / (part + 1) * last.strideLength
            guard kept > 0, let tail = last.split(keeping: last.finishedCount + kept) else { continue }
            parts.append(tail)
        }
        return parts
    }

    // MARK: Time

    /// Takes the news that the time has come for which a ``Action/wake(at:)`` has asked.
    package mutating func timeIsUp(now: UInt64) -> Actions {
        alarmTime = .max
        var actions = Actions()
        guard phase != .terminated, !isFinished else { return actions }
        actions.append(startIfNeeded(now: now))
        if now < startsPausedUntil { actions.append(wake(at: startsPausedUntil)) }
        guard inquires else { return actions }
        for worker in workers.indices where workers[worker] == .busy && held[worker]?.isInquired == false {
            let due = (held[worker]?.since ?? 0) + Self.silence
            if due > now {
                actions.append(wake(at: due))
            } else {
                held[worker]?.isInquired = true
                actions.append(.inquire(id(worker)))
            }
        }
        return actions
    }

    /// Takes the news that there is nothing to measure time with: what is due is looked at with the next event.
    package mutating func clockFailed() {
        alarmTime = .max
    }

    private mutating func wake(at time: UInt64) -> Action? {
        guard time < alarmTime else { return nil }
        alarmTime = time
        return .wake(at: time)
    }

    // MARK: Workers

    /// Takes the news that a worker can be given work.
    package mutating func workerReady(_ id: WorkerID, now: UInt64) -> Actions {
        guard let worker = place(of: id) else { return Actions() }
        // Actions of two threads can change places: a worker that was started after the order to
        // kill it never got that order.
        if workers[worker] == .stopping { return Actions(.kill(id)) }
        guard workers[worker] == .starting else { return Actions() }
        startingCount -= 1
        startsPausedUntil = 0
        workers[worker] = .idle
        return employ(worker, now: now)
    }

    /// Takes the news that a worker is gone, and what it held comes back.
    ///
    /// The owner has failed the item that ran. What is left of the chunk goes to the front of
    /// the queue, so that it is not overtaken by all that was submitted since.
    package mutating func workerEnded(_ id: WorkerID, holding: HeldWork, error: PoolError, now: UInt64) -> Actions {
        guard let worker = place(of: id) else { return Actions() }
        var actions = Actions()
        leave(worker)
        if let work = held[worker].take() {
            actions.released = work.others + [work.first]
            var outstanding: [Chunk] = []
            work.forEach { chunk in
                if chunk.isEnded || holding == .runningChunk {
                    chunk.place = .ended
                } else {
                    outstanding.append(chunk)
                }
            }
            if holding == .unstartedChunk { outstanding.first?.returns += 1 }
            for chunk in outstanding.reversed() { takeBack(chunk, error, &actions) }
            while !idle.isEmpty, let (first, others) = nextTrain() {
                guard let worker = popIdle() else { break }
                assign(first, then: others, to: worker, now: now, &actions)
            }
        }
        actions.append(startIfNeeded(now: now))
        stopIfDrained(&actions)
        return actions
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

    /// Takes the news that a worker could not be started, after all the attempts there are.
    ///
    /// With other workers alive the work waits for them. Without, it has nobody to wait for.
    package mutating func startFailed(_ id: WorkerID, error: PoolError, now: UInt64) -> Actions {
        guard let worker = place(of: id) else { return Actions() }
        var actions = Actions()
        leave(worker)
        if liveCount > 0 {
            startsPausedUntil = now + Self.startPause
            actions.append(wake(at: startsPausedUntil))
        } else {
            while let chunk = popQueued() {
                chunk.place = .ended
                actions.append(.end(chunk, .failed(error)))
            }
        }
        stopIfDrained(&actions)
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
        for worker in workers.indices where workers[worker] != .absent {
            held[worker]?.forEach { chunk in
                if !chunk.isEnded { actions.append(.abandon(chunk, .shutDown)) }
            }
            if workers[worker] == .starting { startingCount -= 1 }
            let isStopped = stopsIdle && workers[worker] == .idle
            workers[worker] = .stopping
            actions.append(isStopped ? .stop(id(worker)) : .kill(id(worker)))
        }
        idle.removeAll()
        stopIfDrained(&actions)
        return actions
    }

    // MARK: Steps

    private func id(_ worker: Int) -> WorkerID {
        WorkerID(index: worker, incarnation: incarnations[worker])
    }

    /// The place of a worker that is alive; `nil` for news of one that is gone.
    private func place(of id: WorkerID) -> Int? {
        incarnations[id.index] == id.incarnation && workers[id.index] != .absent ? id.index : nil
    }

    private mutating func assign(
        _ chunk: Chunk,
        then others: [Chunk] = [],
        to worker: Int,
        now: UInt64,
        _ actions: inout Actions
    ) {
        let work = Holding(
            first: chunk, others: others, since: now, isDivisible: !others.isEmpty || chunk.isDivisible)
        work.forEach { $0.place = .held(by: worker) }
        held[worker] = work
        workers[worker] = .busy
        actions.append(.assign(chunk, then: others, id(worker)))
        if inquires { actions.append(wake(at: now + Self.silence)) }
    }

    /// The next chunks for one worker: more than one if they are quick and there are enough for all.
    private mutating func nextTrain() -> (Chunk, [Chunk])? {
        guard let first = popQueued() else { return nil }
        let share = queuedCount / workers.count
        guard formsTrains, share > 0, typicalTime > 0 else { return (first, []) }
        let count = min(share, Self.trainLimit - 1, Int(clamping: Self.trainTime / typicalTime))
        var others: [Chunk] = []
        while others.count < count, let next = popQueued() { others.append(next) }
        return (first, others)
    }

    /// Asks a worker for what it has not begun, because another has nothing to do.
    private mutating func reclaim() -> Action? {
        guard phase != .terminated,
            let worker = held.firstIndex(where: { $0?.isDivisible == true }), workers[worker] == .busy
        else { return nil }
        return reclaim(from: worker)
    }

    private mutating func reclaim(from worker: Int) -> Action {
        held[worker]?.isDivisible = false
        isReclaiming[worker] = true
        return .reclaim(id(worker))
    }

    /// Asks for what workers have sat on for long, while others work on what came later.
    private mutating func reclaimStalled(now: UInt64, _ actions: inout Actions) {
        guard now >= nextLook else { return }
        nextLook = now + Self.patience / 2
        for worker in workers.indices where workers[worker] == .busy {
            guard let work = held[worker], work.isDivisible, work.age(at: now) > Self.patience else { continue }
            actions.append(reclaim(from: worker))
        }
    }

    /// Gives an idle worker something to do: work, a rest, or the end.
    private mutating func employ(_ worker: Int, now: UInt64) -> Actions {
        var actions = Actions()
        if let (first, others) = nextTrain() {
            assign(first, then: others, to: worker, now: now, &actions)
            actions.append(startIfNeeded(now: now))
            reclaimStalled(now: now, &actions)
        } else {
            idle.append(worker)
            actions.append(reclaim())
            stopIfDrained(&actions)
        }
        return actions
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

    private mutating func popIdle() -> Int? {
        idle.popLast()
    }

    /// Starts every worker that is not alive, whether there is work or not.
    package mutating func startAll() -> Actions {
        var actions = Actions()
        guard phase == .open else { return actions }
        for worker in workers.indices where workers[worker] == .absent { actions.append(start(worker)) }
        return actions
    }

    private mutating func startIfNeeded(now: UInt64) -> Action? {
        guard phase != .terminated, queuedCount > startingCount, liveCount < workers.count,
            liveCount == 0 || now >= startsPausedUntil,
            let worker = workers.firstIndex(of: .absent)
        else { return nil }
        return start(worker)
    }

    private mutating func start(_ worker: Int) -> Action {
        workers[worker] = .starting
        incarnations[worker] += 1
        liveCount += 1
        startingCount += 1
        return .start(id(worker))
    }

    private mutating func leave(_ worker: Int) {
        switch workers[worker] {
        case .absent:
            return
        case .starting:
            startingCount -= 1
        case .idle:
            idle.removeAll { $0 == worker }
        case .busy, .stopping:
            break
        }
        isReclaiming[worker] = false
        workers[worker] = .absent
        liveCount -= 1
    }

    /// After the end was asked for: stops workers that have nothing left to do, and says when all are gone.
    private mutating func stopIfDrained(_ actions: inout Actions) {
        guard phase != .open, queuedCount == 0 else { return }
        // What comes back from a busy worker is for an idle one.
        if phase == .closing, isReclaiming.contains(true) { return }
        while let worker = popIdle() {
            workers[worker] = .stopping
            actions.append(.stop(id(worker)))
        }
        // A worker that is starting has nothing to wait for.
        for worker in workers.indices where workers[worker] == .starting {
            startingCount -= 1
            workers[worker] = .stopping
            actions.append(.kill(id(worker)))
        }
        if liveCount == 0, !isFinished {
            isFinished = true
            actions.append(.finished)
        }
    }
}

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

    /// What each worker holds; parallel to `workers`.
    private var held: [Chunk?]

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

    private var isFinishedReported = false

    /// How long a failed start keeps further ones from being tried while other workers live.
    package static let startPause: UInt64 = 1_000_000_000

    /// How many workers may end with a chunk unstarted before the chunk is failed.
    ///
    /// A chunk that ends workers before they report it as started would otherwise go round for ever.
    ///
    /// Many, because a worker can also be killed from outside at that moment, which is not the chunk's doing.
    package static let maximumReturns = 50

    package init(workerCount: Int) {
        workers = Array(repeating: .absent, count: workerCount)
        held = Array(repeating: nil, count: workerCount)
        incarnations = Array(repeating: 0, count: workerCount)
    }

    package var isFinished: Bool { isFinishedReported }

    // MARK: Work

    /// Takes a chunk from a caller.
    package mutating func submit(_ chunk: Chunk, now: UInt64) -> Actions {
        guard phase == .open else {
            chunk.place = .ended
            return Actions(.end(chunk, .shutDown))
        }
        if let worker = popIdle() {
            return Actions(assign(chunk, to: worker))
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

    /// Takes the news that a worker has ended the chunk it held.
    package mutating func chunkEnded(on id: WorkerID, now: UInt64) -> Actions {
        guard let worker = place(of: id), workers[worker] == .busy else { return Actions() }
        held[worker]?.place = .ended
        held[worker] = nil
        workers[worker] = .idle
        return employ(worker, now: now)
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
        if let chunk = held[worker].take() {
            if holding == .runningChunk {
                chunk.place = .ended
            } else {
                if holding == .unstartedChunk { chunk.returns += 1 }
                takeBack(chunk, error, &actions)
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
            requeue(chunk, &actions)
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
    package mutating func terminate() -> Actions {
        guard phase != .terminated else { return Actions() }
        phase = .terminated
        var actions = Actions()
        while let chunk = popQueued() {
            chunk.place = .ended
            actions.append(.end(chunk, .shutDown))
        }
        for worker in workers.indices where workers[worker] != .absent {
            if let chunk = held[worker] {
                actions.append(.abandon(chunk, .shutDown))
            }
            if workers[worker] == .starting { startingCount -= 1 }
            workers[worker] = .stopping
            actions.append(.kill(id(worker)))
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

    private mutating func assign(_ chunk: Chunk, to worker: Int) -> Action {
        chunk.place = .held(by: worker)
        held[worker] = chunk
        workers[worker] = .busy
        return .assign(chunk, id(worker))
    }

    /// Gives an idle worker something to do: work, a rest, or the end.
    private mutating func employ(_ worker: Int, now: UInt64) -> Actions {
        var actions = Actions()
        if let chunk = popQueued() {
            actions.append(assign(chunk, to: worker))
            actions.append(startIfNeeded(now: now))
        } else {
            idle.append(worker)
            stopIfDrained(&actions)
        }
        return actions
    }

    private mutating func requeue(_ chunk: Chunk, _ actions: inout Actions) {
        if let worker = popIdle() {
            actions.append(assign(chunk, to: worker))
        } else {
            chunk.place = .queued
            queue.prepend(chunk)
            queuedCount += 1
        }
    }

    private mutating func popQueued() -> Chunk? {
        while let chunk = queue.popFirst() {
            // Cancelled in the queue, and ended then.
            guard chunk.place == .queued else { continue }
            queuedCount -= 1
            return chunk
        }
        return nil
    }

    private mutating func popIdle() -> Int? {
        idle.popLast()
    }

    private mutating func startIfNeeded(now: UInt64) -> Action? {
        guard phase != .terminated, queuedCount > startingCount, liveCount < workers.count,
            liveCount == 0 || now >= startsPausedUntil,
            let worker = workers.firstIndex(of: .absent)
        else { return nil }
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
        workers[worker] = .absent
        liveCount -= 1
    }

    /// After the end was asked for: stops workers that have nothing left to do, and says when all are gone.
    private mutating func stopIfDrained(_ actions: inout Actions) {
        guard phase != .open, queuedCount == 0 else { return }
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
        if liveCount == 0, !isFinishedReported {
            isFinishedReported = true
            actions.append(.finished)
        }
    }
}

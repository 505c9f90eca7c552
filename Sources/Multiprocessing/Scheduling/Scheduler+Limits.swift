/// Items that run for longer than they may, or that were cancelled and do not stop.
extension Scheduler {
    /// Looks at what has become due: items to look after, and workers whose time is over.
    mutating func enforceLimits(now: UInt64, _ actions: inout Actions) {
        for index in seats.indices {
            switch seats[index].life {
            case .busy(let work):
                enforceLimits(on: index, work, now: now, &actions)
            case .overstaying(let end):
                if end <= now { kill(index, &actions) } else { wake(at: end, &actions) }
            case .settingUp(let end):
                if end <= now { setUpTookTooLong(index, now: now, &actions) } else { wake(at: end, &actions) }
            case .empty, .retrying, .starting, .idle, .ending:
                break
            }
        }
    }

    private mutating func enforceLimits(
        on index: Int, _ work: Seat.Holding, now: UInt64, _ actions: inout Actions
    ) {
        var work = work
        if work.graceEnd <= now {
            if let chunk = work.cancelled {
                work.isOverdue = true
                // Should it be another that runs now, the turn of this one is still to come.
                work.graceEnd = now.advanced(by: max(rules.gracePeriod, Self.lookInterval))
                actions.append(.interrupt(id(index), running: chunk, item: nil))
            } else {
                work.graceEnd = .max
            }
        }
        if work.lookTime <= now {
            // Where nothing runs yet, what begins from now on is not due before this.
            work.lookTime = now.advanced(by: work.lookInterval)
            actions.append(.inspect(id(index)))
        }
        seats[index].life = .busy(work)
        wake(at: min(work.lookTime, work.graceEnd), &actions)
    }

    /// Gives what was cancelled on a worker the grace period to stop.
    mutating func limitGrace(of index: Int, now: UInt64, _ actions: inout Actions) {
        guard case .busy(var work) = seats[index].life, work.cancelled != nil else { return }
        // That of the first: the worker is not given more time because something else was cancelled too.
        work.graceEnd = min(work.graceEnd, now.advanced(by: max(rules.gracePeriod, 1)))
        seats[index].life = .busy(work)
        wake(at: max(work.graceEnd, now + 1), &actions)
    }

    /// Takes the news of what a worker runs, which was asked because of a limit.
    ///
    /// - Parameters:
    ///   - item: The number of the item in the chunk.
    ///   - since: When it began; `nil` when that is not known, so that it counts from when it is seen first.
    package mutating func working(
        on chunk: Chunk, item: Int, since: UInt64?, _ id: WorkerID, now: UInt64
    ) -> Actions {
        guard phase != .terminated, let index = index(of: id), case .busy(var work) = seats[index].life,
            work.chunks.contains(where: { $0 === chunk }), !chunk.isEnded, let timeout = chunk.limits.timeout
        else { return Actions() }
        var actions = Actions()
        let end = (since ?? work.see(item, of: chunk, now: now)).advanced(by: timeout)
        seats[index].life = .busy(work)
        if end <= now {
            actions.append(.interrupt(id, running: chunk, item: item))
        } else {
            // Another that is held may have a shorter limit, and begin any time.
            work.lookTime = min(end, now.advanced(by: work.lookInterval))
            seats[index].life = .busy(work)
            wake(at: work.lookTime, &actions)
        }
        return actions
    }

    /// Takes the news that nobody waits any more for what a worker runs, and what else it held comes back.
    ///
    /// The worker has the grace period to be done with it; if the item was given that already, its time is over.
    package mutating func interrupted(_ id: WorkerID, holding fact: HeldWork, now: UInt64) -> Actions {
        guard let index = index(of: id), let work = seats[index].holding else { return Actions() }
        var actions = Actions()
        actions.released = work.others + [work.first]
        var outstanding: [Chunk] = []
        var hadGrace = work.isOverdue
        switch fact {
        case .goesOn:
            for chunk in work.chunks where isOutstanding(chunk) {
                chunk.place = .ended
                actions.append(.abandon(chunk, .cancelled))
            }
        case .begun(let chunk, _):
            // What was overdue may have been another, which has ended since.
            if !chunk.isCancelled { hadGrace = false }
            let error: any Error =
                chunk.isCancelled ? CancellationError() : PoolError.itemTimedOut(after: chunk.limits.timeout ?? 0)
            outstanding = settle(work.chunks, fact, error)
        case .unbegun:
            outstanding = settle(work.chunks, fact, CancellationError())
        }
        if case .busy = seats[index].life {
            let end = now.advanced(by: hadGrace ? 0 : rules.gracePeriod)
            seats[index].life = .overstaying(until: end)
            if end <= now { kill(index, &actions) } else { wake(at: end, &actions) }
        } else {
            seats[index].life = .ending(nil)
        }
        giveBack(outstanding, .poolShutDown, now: now, &actions)
        return actions
    }

    /// Takes the news that a worker has done with the item for which nobody waits any more.
    package mutating func recovered(_ id: WorkerID, now: UInt64) -> Actions {
        guard let index = index(of: id), case .overstaying = seats[index].life else { return Actions() }
        seats[index].life = .idle
        seats[index].itemCount += 1
        var actions = Actions()
        employ(index, now: now, &actions)
        return actions
    }
}

/// What depends on time: starts that are tried again, and workers that are silent.
extension Scheduler {
    /// Takes the news that the time has come for which a ``Action/wake(at:)`` has asked.
    ///
    /// News that comes too early, or once more, does no harm.
    package mutating func timeIsUp(now: UInt64) -> Actions {
        alarmTime = .max
        var actions = Actions()
        guard phase != .terminated, !isFinished else { return actions }
        retryStarts(now: now, &actions)
        queueDelayed(now: now, &actions)
        startIfNeeded(now: now, &actions)
        if now < startsPausedUntil { wake(at: startsPausedUntil, &actions) }
        if inquires { inquire(now: now, &actions) }
        expire(now: now, &actions)
        // Before a worker may be told to let go of what it has.
        reclaimOverdue(now: now, &actions)
        reclaimExpired(now: now, &actions)
        enforceLimits(now: now, &actions)
        releaseIdle(now: now, &actions)
        placeActors(now: now, &actions)
        stopIfDrained(&actions)
        return actions
    }

    /// Takes the news that there is nothing to measure time with: nothing that waits for a time waits for it.
    ///
    /// What limits work is looked at when the next event asks for a time.
    package mutating func clockFailed(now: UInt64) -> Actions {
        alarmTime = .max
        var actions = Actions()
        guard phase != .terminated else { return actions }
        retryStarts(now: .max, &actions)
        delayed = delayed.map { Delayed(chunk: $0.chunk, time: min($0.time, now)) }
        queueDelayed(now: now, &actions)
        placings = placings.map { Placing(chunk: $0.chunk, patience: min($0.patience, now)) }
        placeActors(now: now, &actions)
        return actions
    }

    /// Asks for a call of ``timeIsUp(now:)``, if none comes earlier.
    mutating func wake(at time: UInt64, _ actions: inout Actions) {
        guard time < alarmTime else { return }
        alarmTime = time
        actions.append(.wake(at: time))
    }

    // MARK: Starts

    mutating func startIfNeeded(now: UInt64, _ actions: inout Actions) {
        guard phase != .terminated, queuedCount > startingCount, servingCount < workerCount,
            servingCount == 0 || now >= startsPausedUntil,
            let index = seats.prefix(workerCount).firstIndex(where: { !$0.isTaken })
        else { return }
        liveCount += 1
        startingCount += 1
        start(index, Seat.Attempts(), &actions)
    }

    /// Starts every worker that is not there, whether there is work or not; where one is ending, once it is gone.
    package mutating func startAll() -> Actions {
        var actions = Actions()
        guard phase == .open else { return actions }
        startFailure = nil
        setUpFailure = nil
        for index in 0..<workerCount {
            seats[index].isAwaited = true
            startAwaited(index, &actions)
        }
        return actions
    }

    /// Starts the worker that was asked for, unless somebody has the seat.
    mutating func startAwaited(_ index: Int, _ actions: inout Actions) {
        guard seats[index].isAwaited else { return }
        if case .ending = seats[index].life { return }
        seats[index].isAwaited = false
        guard phase == .open, index < workerCount, !seats[index].isTaken else { return }
        liveCount += 1
        startingCount += 1
        start(index, Seat.Attempts(), &actions)
    }

    /// Whether a worker that was asked for is still starting or to be started.
    package var isStarting: Bool { startingCount > 0 || seats.contains(where: \.isAwaited) }

    private mutating func start(_ index: Int, _ attempts: Seat.Attempts, _ actions: inout Actions) {
        seats[index].life = .starting(attempts)
        seats[index].generation += 1
        actions.append(.start(id(index)))
    }

    private mutating func retryStarts(now: UInt64, _ actions: inout Actions) {
        for index in seats.indices {
            guard case .retrying(let time, let attempts) = seats[index].life else { continue }
            if time <= now {
                start(index, attempts, &actions)
            } else {
                wake(at: time, &actions)
            }
        }
    }

    /// Takes the news that an attempt to start a worker has failed.
    ///
    /// It is tried again after a pause, a few times. Then, with other workers alive, the work waits for them,
    /// and a worker is started when a longer pause is over. Without, it has nobody to wait for.
    ///
    /// - Parameter wasKilled: Whether it was ended by a signal from outside.
    package mutating func startFailed(_ id: WorkerID, error: PoolError, wasKilled: Bool, now: UInt64) -> Actions {
        guard let index = index(of: id) else { return Actions() }
        var actions = Actions()
        switch seats[index].life {
        case .starting(var attempts):
            let isOver = rules.hasNoReplacements && error.processID != nil
            if let pause = attempts.fail(wasKilled: wasKilled), !isOver {
                seats[index].life = .retrying(at: now + pause, attempts)
                wake(at: now + pause, &actions)
                return actions
            }
            startingCount -= 1
            vacate(index)
            var error = error
            error.attempts = attempts.count
            startFailure = error
            if servingCount > 0 {
                startsPausedUntil = now + Self.startPause
                wake(at: startsPausedUntil, &actions)
                // They may have waited for this one.
                placeActors(now: now, &actions)
            } else {
                failQueued(error, &actions)
            }
        case .ending:
            // It was to end, and had not started yet; what waits may wait for its place.
            vacate(index)
            startAwaited(index, &actions)
            startIfNeeded(now: now, &actions)
        case .empty, .retrying, .settingUp, .idle, .busy, .overstaying:
            return actions
        }
        stopIfDrained(&actions)
        return actions
    }

    // MARK: Silence

    private mutating func inquire(now: UInt64, _ actions: inout Actions) {
        for index in seats.indices {
            guard case .busy(var work) = seats[index].life, !work.isInquired else { continue }
            let due = work.since + Self.silence
            if due > now {
                wake(at: due, &actions)
            } else {
                work.isInquired = true
                seats[index].life = .busy(work)
                actions.append(.inquire(id(index)))
            }
        }
    }
}

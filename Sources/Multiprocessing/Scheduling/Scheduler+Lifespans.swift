/// How many workers there are, and for how long each of them lives.
extension Scheduler {
    // MARK: Recycling

    /// Whether a worker that has nothing in its hands is to be given nothing more.
    func isSpent(_ index: Int, now: UInt64) -> Bool {
        guard phase != .terminated, !seats[index].isKept else { return false }
        if index >= workerCount { return true }
        if let limit = rules.recyclingItems, seats[index].itemCount >= limit { return true }
        if let age = rules.recyclingAge, seats[index].readyTime.advanced(by: age) <= now { return true }
        if let limit = rules.recyclingGrowth, seats[index].memoryGrowth >= limit { return true }
        return false
    }

    /// Takes the news of how much memory a worker has to itself: first when it is about to be ready, then between items.
    package mutating func note(memory: UInt64, of id: WorkerID) {
        guard let index = index(of: id) else { return }
        if case .starting = seats[index].life { seats[index].memoryAtStart = memory }
        seats[index].memoryGrowth = memory - min(memory, seats[index].memoryAtStart)
    }

    /// Lets an idle worker end by itself; what takes it out of the list of those is the caller's.
    mutating func retire(_ index: Int, _ actions: inout Actions) {
        seats[index].life = .ending(nil)
        actions.append(.stop(id(index)))
    }

    // MARK: Idle workers

    /// Notes that a worker has nothing to do.
    mutating func rest(_ index: Int, now: UInt64, _ actions: inout Actions) {
        seats[index].idleSince = now
        // One that is too many is there for its actors.
        if index >= workerCount { return }
        idle.append(index)
        guard rules.idleTimeout != nil || rules.recyclingAge != nil, !seats[index].isKept else { return }
        wake(at: idleEnd(of: index), &actions)
    }

    /// When an idle worker is let go.
    private func idleEnd(of index: Int) -> UInt64 {
        let timeout = rules.idleTimeout.map(seats[index].idleSince.advanced(by:)) ?? .max
        let age = rules.recyclingAge.map(seats[index].readyTime.advanced(by:)) ?? .max
        return min(timeout, age)
    }

    /// Lets go of workers that were idle for long, or that are old; others start when they are needed.
    mutating func releaseIdle(now: UInt64, _ actions: inout Actions) {
        guard rules.idleTimeout != nil || rules.recyclingAge != nil else { return }
        for index in idle where !seats[index].isKept {
            if idleEnd(of: index) <= now {
                retire(index, &actions)
            } else {
                wake(at: idleEnd(of: index), &actions)
            }
        }
        idle.removeAll { !seats[$0].isIdle }
    }

    // MARK: Size

    /// Changes how many workers there are at most.
    ///
    /// Further ones start as they are needed. Of those that are too many, the idle ones end now, and the others
    /// when they have ended what they work on; what they have not begun is for those that stay.
    package mutating func resize(to count: Int, now: UInt64) -> Actions {
        var actions = Actions()
        guard phase == .open else { return actions }
        workerCount = count
        while seats.count < count { seats.append(Seat()) }
        for index in seats.indices.dropFirst(count) {
            switch seats[index].life {
            case .idle:
                if !seats[index].isKept { retire(index, &actions) }
            case .retrying, .starting, .settingUp:
                kill(index, &actions)
            case .busy(let work):
                if work.isDivisible { reclaim(from: index, &actions) }
            case .empty, .overstaying, .ending:
                break
            }
        }
        idle.removeAll { !seats[$0].isIdle || $0 >= count }
        // Those that were there for their actors only.
        for index in seats.indices.prefix(count) where seats[index].isIdle && !idle.contains(index) {
            rest(index, now: now, &actions)
        }
        if queuedCount > 0, !idle.isEmpty { distribute([], .poolShutDown, now: now, &actions) }
        var before = -1
        while before != liveCount {
            before = liveCount
            startIfNeeded(now: now, &actions)
        }
        return actions
    }

    // MARK: Workers that die of themselves

    /// Counts a worker that ended soon after it could be given work, without an item to blame.
    mutating func noteDeath(of index: Int, _ fact: HeldWork, now: UInt64) {
        switch (seats[index].life, fact) {
        case (.busy, .unbegun), (.idle, _):
            let isQuick = now < seats[index].readyTime.advanced(by: Self.quickDeathAge)
            quickDeaths = isQuick && seats[index].itemCount == 0 ? quickDeaths + 1 : 0
        case (.busy, .begun), (.busy, .goesOn), (.empty, _), (.retrying, _), (.starting, _), (.settingUp, _),
            (.overstaying, _), (.ending, _):
            break
        }
    }

    /// Fails all that waits, because one worker after another dies, and starts none beside live ones for a while.
    mutating func giveUpStarts(
        _ outstanding: [Chunk], _ error: PoolError, now: UInt64, _ actions: inout Actions
    ) {
        var error = error
        error.attempts = quickDeaths
        startFailure = error
        startsPausedUntil = now.advanced(by: Self.startPause)
        // Those that live may be busy for ever.
        wake(at: startsPausedUntil, &actions)
        guard servingCount == startingCount else { return }
        for chunk in outstanding { chunk.returns = Self.maximumReturns }
        failQueued(error, &actions)
    }
}

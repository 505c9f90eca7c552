/// What runs in each worker before its first item.
///
/// When it fails once, all that is queued fails with it, though other workers may live: they go on with what they have
/// and with what comes later. Without others, what is submitted fails the same way for a while, so that a program that
/// submits item after item does not start a worker for each; then the next item starts a worker, and the set-up is
/// tried again.
extension Scheduler {
    /// Has a worker that has started run its set-up.
    mutating func beginSetUp(of index: Int, limit: UInt64, now: UInt64) -> Actions {
        let end = now.advanced(by: limit)
        seats[index].life = .settingUp(until: end)
        var actions = Actions(.setUp(id(index)))
        wake(at: end, &actions)
        return actions
    }

    /// Takes the news that a worker has been set up, or that its set-up threw.
    package mutating func setUpEnded(_ id: WorkerID, _ failure: (any Error)?, now: UInt64) -> Actions {
        guard let index = index(of: id), case .settingUp = seats[index].life else { return Actions() }
        guard let failure else {
            setUpFailure = nil
            return begin(index, now: now)
        }
        var actions = Actions()
        startingCount -= 1
        retire(index, &actions)
        failSetUp(of: id, failure, now: now, &actions)
        stopIfDrained(&actions)
        return actions
    }

    /// Ends a worker whose set-up takes longer than it may.
    mutating func setUpTookTooLong(_ index: Int, now: UInt64, _ actions: inout Actions) {
        let error = PoolError.setUpTimedOut(after: rules.setUpTimeout ?? 0)
        let id = id(index)
        kill(index, &actions)
        failSetUp(of: id, error, now: now, &actions)
    }

    /// Fails all that waits, because a worker's set-up has failed.
    mutating func failSetUp(of id: WorkerID, _ cause: any Error, now: UInt64, _ actions: inout Actions) {
        let error = PoolError.setUpFailed(in: id.index, cause)
        startFailure = error
        setUpFailure = error
        startsPausedUntil = now.advanced(by: Self.startPause)
        wake(at: startsPausedUntil, &actions)
        actions.append(.setUpFailed(id, error))
        failQueued(error, &actions)
    }
}

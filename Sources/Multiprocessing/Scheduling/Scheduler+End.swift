/// The end of the pool, and of its workers.
extension Scheduler {
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
        while let chunk = popPlacing() ?? popQueued() {
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

    /// After the end was asked for: stops workers that have nothing left to do, and says when all are gone.
    mutating func stopIfDrained(_ actions: inout Actions) {
        guard phase != .open, queuedCount == 0, cuttingCount == 0, delayed.isEmpty else { return }
        // What comes back from a busy worker is for an idle one.
        if phase == .closing, seats.contains(where: \.isReclaiming) { return }
        while let index = idle.popLast() {
            seats[index].life = .ending(nil)
            actions.append(.stop(id(index)))
        }
        for index in seats.indices.dropFirst(workerCount) where seats[index].isIdle { retire(index, &actions) }
        // A worker that is still to come has nothing to wait for.
        for index in seats.indices where seats[index].isStarting { kill(index, &actions) }
        if liveCount == 0, !isFinished {
            isFinished = true
            actions.append(.finished)
        }
    }

    // MARK: Seats

    mutating func leave(_ index: Int) {
        switch seats[index].life {
        case .empty:
            return
        case .retrying, .starting, .settingUp:
            startingCount -= 1
        case .idle:
            idle.removeAll { $0 == index }
        case .busy, .overstaying, .ending:
            break
        }
        vacate(index)
    }

    /// Notes that nobody has the seat any more; who is counted elsewhere was taken out there.
    mutating func vacate(_ index: Int) {
        seats[index].isReclaiming = false
        seats[index].hosted = [:]
        seats[index].life = .empty
        liveCount -= 1
    }

    /// Ends whoever has the seat, or is to have it; its idleness is the caller's.
    mutating func kill(_ index: Int, _ actions: inout Actions) {
        switch seats[index].life {
        case .empty:
            return
        case .retrying:
            startingCount -= 1
            vacate(index)
            return
        case .starting, .settingUp:
            startingCount -= 1
            seats[index].life = .ending(nil)
        case .idle, .overstaying:
            seats[index].life = .ending(nil)
        case .busy(let work):
            seats[index].life = .ending(work)
        case .ending:
            break
        }
        actions.append(.kill(id(index)))
    }
}

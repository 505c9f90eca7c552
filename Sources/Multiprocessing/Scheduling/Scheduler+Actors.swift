/// Actors that live in workers.
///
/// A chunk that makes one goes to the worker that has the fewest, for which it waits beside the queue. The worker says
/// when an actor that it was asked to watch is gone; until then it has it.
extension Scheduler {
    /// A chunk that makes an actor, and until when it waits for a worker that has work.
    struct Placing {
        let chunk: Chunk
        let patience: UInt64
    }

    /// Takes a chunk that makes an actor.
    mutating func submitPlacing(_ chunk: Chunk, now: UInt64) -> Actions {
        var actions = Actions()
        queuePlacing(chunk, now: now)
        placeActors(now: now, &actions)
        startIfNeeded(now: now, &actions)
        return actions
    }

    mutating func queuePlacing(_ chunk: Chunk, now: UInt64) {
        chunk.place = .queued
        placings.append(Placing(chunk: chunk, patience: now.advanced(by: Self.placementPatience)))
        queuedCount += 1
    }

    mutating func popPlacing() -> Chunk? {
        dropEndedPlacings()
        guard !placings.isEmpty else { return nil }
        queuedCount -= 1
        return placings.removeFirst().chunk
    }

    /// Lets go of those that were cancelled, and ended then.
    private mutating func dropEndedPlacings() {
        while let chunk = placings.first?.chunk, chunk.place != .queued {
            dropped.append(chunk)
            placings.removeFirst()
        }
    }

    // MARK: Places

    /// Gives the actors that wait to idle workers, unless others are to be waited for that have fewer.
    mutating func placeActors(now: UInt64, _ actions: inout Actions) {
        while !placings.isEmpty {
            let fewest = idle.reduce(.max) { min($0, seats[$1].hostedCount) }
            guard let index = idle.last(where: { seats[$0].hostedCount == fewest }),
                let chunk = takePlacing(for: index, now: now, &actions)
            else { return }
            idle.removeAll { $0 == index }
            assign(chunk, to: index, now: now, &actions)
        }
    }

    /// Takes what the idle worker is to make next; `nil` if there is nothing, or another is to be waited for.
    mutating func takePlacing(for index: Int, now: UInt64, _ actions: inout Actions) -> Chunk? {
        dropEndedPlacings()
        guard let next = placings.first else { return nil }
        if seats[index].hostedCount > fewestHosted(now: now, isPatient: now < next.patience) {
            if now < next.patience { wake(at: next.patience, &actions) }
            return nil
        }
        return popPlacing()
    }

    /// How many actors the worker has that has the fewest of those that are idle or to come, and, with patience, busy.
    private func fewestHosted(now: UInt64, isPatient: Bool) -> Int {
        let canStart = servingCount < workerCount && (servingCount == 0 || now >= startsPausedUntil)
        return seats.prefix(workerCount).reduce(.max) { fewest, seat in
            switch seat.life {
            case .idle, .starting, .settingUp, .retrying: min(fewest, seat.hostedCount)
            case .empty: canStart ? 0 : fewest
            case .busy: isPatient ? min(fewest, seat.hostedCount) : fewest
            case .overstaying, .ending: fewest
            }
        }
    }

    /// Workers that are there for their actors only, because the pool was made smaller.
    var parkedCount: Int {
        seats.count == workerCount ? 0 : seats.dropFirst(workerCount).count(where: \.isIdle)
    }

    /// Workers that take work, or are to end.
    package var servingCount: Int { liveCount - parkedCount }

    /// How many actors are to be made, and wait for a worker.
    package var placingCount: Int { placings.count { $0.chunk.place == .queued } }

    // MARK: Lives

    /// Notes the actor that a worker has made, and has the worker say when it is gone.
    mutating func noteActor(of chunk: Chunk, on index: Int, _ actions: inout Actions) {
        guard let placement = chunk.placement, let actor = placement.actor else { return }
        seats[index].hosted[actor] = placement.keepsWorker
        actions.append(.watchActor(actor, id(index)))
    }

    /// Takes the news that an actor is gone that a worker had.
    package mutating func actorEnded(_ actor: UInt64, on id: WorkerID, now: UInt64) -> Actions {
        var actions = Actions()
        guard let index = index(of: id), seats[index].hosted.removeValue(forKey: actor) != nil else { return actions }
        guard phase == .open else { return actions }
        if seats[index].isIdle, isSpent(index, now: now) {
            retire(index, &actions)
            idle.removeAll { $0 == index }
        }
        // It may have been idle for longer than it may be.
        releaseIdle(now: now, &actions)
        placeActors(now: now, &actions)
        startIfNeeded(now: now, &actions)
        return actions
    }
}

/// What a worker has been given and others could do, and what becomes of it when the worker is gone.
extension Scheduler {
    // MARK: Taking back

    /// Takes back what a worker had not begun when it was asked for it.
    ///
    /// - Parameter chunks: In order: the end of what the worker holds, perhaps with a part of a chunk before it.
    package mutating func reclaimed(_ chunks: [Chunk], from id: WorkerID, now: UInt64) -> Actions {
        var actions = Actions()
        // The worker may have ended since; then these are nobody's all the same.
        if let index = index(of: id) {
            seats[index].isReclaiming = false
            remove(chunks, from: index, now: now, &actions)
        }
        if chunks.count == 1, let places = cuts(of: chunks[0], now: now) {
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

    /// Notes that chunks are not with a worker any more.
    mutating func remove(_ chunks: [Chunk], from index: Int, now: UInt64, _ actions: inout Actions) {
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
            if isSpent(index, now: now) { retire(index, &actions) } else { rest(index, now: now, &actions) }
        case .ending:
            seats[index].life = .ending(hasWork ? work : nil)
        case .empty, .retrying, .starting, .settingUp, .idle, .overstaying:
            break
        }
    }

    /// Where to cut a chunk, so that there is a part for each worker that has nothing to do, and one for who had it.
    ///
    /// - Returns: The numbers of the items that parts begin with, but for the first; `nil` for nothing to cut.
    func cuts(of chunk: Chunk, now: UInt64) -> [Int]? {
        // With more in the queue there is enough for everyone.
        guard queuedCount == 0, chunk.wantsToRun, chunk.isDivisible, chunk.startBy > now, !idle.isEmpty else {
            return nil
        }
        let stride = chunk.strideLength
        // Of whole strides and a rest; the sum of both could be too large for a number.
        let strides = (chunk.remainingCount - 1) / stride + 1
        let parts = min(idle.count + 1, strides)
        guard parts > 1 else { return nil }
        return (1..<parts).map { chunk.finishedCount + strides / parts * $0 * stride }
    }

    // MARK: What others could do

    /// Asks a worker for what it has not begun, because another has nothing to do.
    mutating func reclaim(_ actions: inout Actions) {
        guard phase != .terminated, !idle.isEmpty else { return }
        let index = seats.firstIndex { seat in
            if case .busy(let work) = seat.life { work.isDivisible } else { false }
        }
        if let index { reclaim(from: index, &actions) }
    }

    /// Asks for what workers have sat on for long, while others have nothing to do, or are not there and could be.
    mutating func reclaimOverdue(now: UInt64, _ actions: inout Actions) {
        let canStart = now >= startsPausedUntil && seats.prefix(workerCount).contains { !$0.isTaken }
        for index in seats.indices {
            guard case .busy(let work) = seats[index].life, work.sharesInTime else { continue }
            if work.age(at: now) < Self.patience {
                wake(at: work.since + Self.patience, &actions)
            } else if !idle.isEmpty || canStart {
                reclaim(from: index, &actions)
            }
        }
    }

    /// Asks for what has waited for too long behind items that workers run: it ends when it has come back.
    mutating func reclaimExpired(now: UInt64, _ actions: inout Actions) {
        for index in seats.indices {
            guard case .busy(let work) = seats[index].life, work.isDivisible, work.startBy < .max else { continue }
            if work.startBy <= now { reclaim(from: index, &actions) } else { wake(at: work.startBy, &actions) }
        }
    }

    mutating func reclaim(from index: Int, _ actions: inout Actions) {
        guard case .busy(var work) = seats[index].life else { return }
        work.isDivisible = false
        seats[index].life = .busy(work)
        seats[index].isReclaiming = true
        actions.append(.reclaim(id(index)))
    }

    /// Asks for what workers have sat on for long, while others work on what came later.
    mutating func reclaimStalled(now: UInt64, _ actions: inout Actions) {
        guard now >= nextLook else { return }
        nextLook = now + Self.patience / 2
        for index in seats.indices {
            guard case .busy(let work) = seats[index].life, work.isDivisible, work.age(at: now) > Self.patience else {
                continue
            }
            reclaim(from: index, &actions)
        }
    }

    // MARK: What a worker had

    /// Puts back in the queue what has come back from a worker that is gone, or that nobody waits for any more.
    ///
    /// What has lost an item that somebody waits for is first the owner's, as one that is cut, who tells of the loss.
    mutating func giveBack(_ chunks: [Chunk], _ error: PoolError, now: UInt64, _ actions: inout Actions) {
        // They may wait as long as new ones.
        for chunk in chunks { chunk.startBy = .max }
        for chunk in chunks where phase != .terminated && chunk.tellsLosses && chunk.hasLoss && chunk.wantsToRun {
            chunk.place = .cut
            cuttingCount += 1
            actions.append(.cut(chunk, []))
        }
        distribute(chunks.filter { $0.place != .cut }, error, now: now, &actions)
    }

    /// Decides what becomes of the items that a worker which is gone had begun; returns the chunks that come back.
    ///
    /// The owner of a chunk fails its lost items when it gets the chunk next, to hand it on or to end it.
    func settle(_ chunks: [Chunk], _ fact: HeldWork, _ error: any Error) -> [Chunk] {
        switch fact {
        case .goesOn:
            for chunk in chunks { chunk.place = .ended }
            return []
        case .unbegun:
            return chunks.filter(isOutstanding)
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

    func isOutstanding(_ chunk: Chunk) -> Bool {
        if chunk.isEnded { chunk.place = .ended }
        return !chunk.isEnded
    }
}

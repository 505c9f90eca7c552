/// What waits for a worker.
extension Scheduler {
    /// The next chunks for one worker: more than one if they are quick and there are enough for all.
    ///
    /// Not more items than the worker has left until it is replaced, but for those of the first chunk.
    mutating func nextLot(for index: Int) -> (Chunk, [Chunk])? {
        guard let first = popQueued() else { return nil }
        let share = queuedCount / workerCount
        // One that may not wait for long does not wait behind another.
        guard formsLots, share > 0, typicalTime > 0, first.limits.queueTimeout == nil else { return (first, []) }
        let count = min(share, Self.lotLimit - 1, Int(clamping: Self.lotTime / typicalTime))
        var room = (rules.recyclingItems ?? .max) - seats[index].itemCount - first.count
        var others: [Chunk] = []
        while others.count < count, let head = firstQueued(), head.limits.queueTimeout == nil, head.count <= room,
            let next = popQueued()
        {
            room -= next.count
            others.append(next)
        }
        return (first, others)
    }

    mutating func popQueued() -> Chunk? {
        guard let chunk = firstQueued() else { return nil }
        _ = queue.popFirst()
        queuedCount -= 1
        return chunk
    }

    /// The next chunk that waits; what was cancelled before it, and ended then, leaves the queue.
    private mutating func firstQueued() -> Chunk? {
        while let chunk = queue.first {
            if chunk.place == .queued { return chunk }
            if let chunk = queue.popFirst() { dropped.append(chunk) }
        }
        return nil
    }

    /// Puts work that has come back first in the queue, and hands it to who is idle.
    mutating func distribute(_ chunks: [Chunk], _ error: PoolError, now: UInt64, _ actions: inout Actions) {
        for chunk in chunks.reversed() { takeBack(chunk, error, now: now, &actions) }
        placeActors(now: now, &actions)
        while let index = idle.last, let (first, others) = nextLot(for: index) {
            idle.removeLast()
            assign(first, then: others, to: index, now: now, &actions)
        }
        startIfNeeded(now: now, &actions)
        // Who is idle yet may have what another has not begun.
        reclaim(&actions)
        stopIfDrained(&actions)
    }

    mutating func takeBack(_ chunk: Chunk, _ error: PoolError, now: UInt64, _ actions: inout Actions) {
        let reason: Reason
        if phase == .terminated {
            reason = .shutDown
        } else if !chunk.wantsToRun {
            reason = .cancelled
        } else if chunk.startBy <= now {
            reason = .failed(.waitedTooLong(for: chunk.limits.queueTimeout ?? 0))
        } else if chunk.returns >= (rules.hasNoReplacements ? 1 : Self.maximumReturns) {
            reason = .failed(error)
        } else if chunk.placement != nil {
            return queuePlacing(chunk, now: now)
        } else {
            chunk.place = .queued
            queue.prepend(chunk)
            queuedCount += 1
            return noteExpiry(of: chunk, now: now, &actions)
        }
        chunk.place = .ended
        actions.append(.end(chunk, reason))
    }

    /// Ends all that waits for a worker, of which none will come.
    mutating func failQueued(_ error: PoolError, _ actions: inout Actions) {
        while let chunk = popPlacing() ?? popQueued() {
            chunk.place = .ended
            actions.append(.end(chunk, .failed(error)))
        }
    }

    /// Ends the chunks that have waited for longer than they may.
    mutating func expire(now: UInt64, _ actions: inout Actions) {
        guard nextExpiry <= now else { return wake(at: nextExpiry, &actions) }
        nextExpiry = .max
        for place in 0..<queue.count {
            let chunk = queue[place]
            guard chunk.place == .queued, chunk.startBy < .max else { continue }
            if chunk.startBy <= now {
                // The queue's reference is dropped when its turn comes; the inputs go now.
                chunk.place = .ended
                queuedCount -= 1
                actions.append(.end(chunk, .failed(.waitedTooLong(for: chunk.limits.queueTimeout ?? 0))))
            } else {
                nextExpiry = min(nextExpiry, chunk.startBy)
            }
        }
        guard nextExpiry < .max else { return }
        nextExpiry = max(nextExpiry, now + Self.expiryInterval)
        wake(at: nextExpiry, &actions)
    }
}

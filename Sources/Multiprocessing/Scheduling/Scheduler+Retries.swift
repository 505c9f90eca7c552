/// Attempts that wait for their time.
///
/// Whether an item is tried again is decided where its failure arrives, by the policy of its call; here is decided
/// when and where the attempt runs. It comes after the item's last worker has reported, and the pool may have come
/// to its end meanwhile: until the owner has made that end final, the attempt takes it back.
extension Scheduler {
    /// A chunk, and when it is to be queued.
    struct Delayed {
        let chunk: Chunk
        let time: UInt64
    }

    /// Takes a further attempt of an item, which is queued at a time.
    ///
    /// Also after ``shutDown()``: the item was submitted before.
    package mutating func retry(_ chunk: Chunk, at time: UInt64, now: UInt64) -> Actions {
        guard phase != .terminated, !chunk.isCancelled else {
            chunk.place = .ended
            return Actions(.end(chunk, phase == .terminated ? .shutDown : .cancelled))
        }
        chunk.place = .delayed
        delayed.append(Delayed(chunk: chunk, time: time))
        isFinished = false
        var actions = Actions()
        queueDelayed(now: now, &actions)
        return actions
    }

    /// Queues what is due, and asks to be called for what is not.
    mutating func queueDelayed(now: UInt64, _ actions: inout Actions) {
        guard !delayed.isEmpty else { return }
        let due = delayed.filter { $0.time <= now }.sorted { $0.time < $1.time }
        delayed.removeAll { $0.time <= now }
        if let next = delayed.map(\.time).min() { wake(at: next, &actions) }
        guard !due.isEmpty else { return }
        // Behind all that waits: what failed once holds up nothing else.
        for next in due {
            enqueue(next.chunk)
            noteExpiry(of: next.chunk, now: now, &actions)
        }
        distribute([], .poolShutDown, now: now, &actions)
    }

    mutating func cancelDelayed(_ chunk: Chunk) -> Actions {
        delayed.removeAll { $0.chunk === chunk }
        chunk.place = .ended
        var actions = Actions(.end(chunk, .cancelled))
        stopIfDrained(&actions)
        return actions
    }

    /// Ends every attempt that waits.
    mutating func endDelayed(_ actions: inout Actions) {
        for next in delayed {
            next.chunk.place = .ended
            actions.append(.end(next.chunk, .shutDown))
        }
        delayed = []
    }

    /// Makes the end final if it has come; from then on nothing is tried again.
    package mutating func seal() -> Bool {
        if isFinished { phase = .terminated }
        return isFinished
    }
}

import MultiprocessingSystem
import Synchronization

/// Looking at what a worker runs, and no longer waiting for it.
extension WorkerLink {
    /// Reports which item the worker runs, and since when if that is known.
    func inspect() {
        // On the loop, which is who changes a chunk that the worker holds.
        loop.events.execute { [self] in
            inbox.whenReading(self) { self.reportRunning() }
        }
    }

    private func reportRunning() {
        guard let (begun, running, time) = board.standing,
            let (chunk, item, isFirst) = outbox.withLock({ $0.ledger.inspect(begun, running) })
        else { return }
        events.working(on: chunk, item: item, since: isFirst ? time : nil, id)
    }

    /// Stops waiting for an item that the worker runs, if it runs it yet, and takes back what it has not begun.
    func interrupt(_ chunk: Chunk, item: Int?) {
        loop.events.execute { [self] in
            inbox.whenReading(self) { self.interruptReading(chunk, item: item) }
        }
    }

    private func interruptReading(_ chunk: Chunk, item: Int?) {
        switch stopWork(on: chunk, item: item) {
        case .ended: return
        case .another: return reportRunning()
        case .impossible: return inbox.fail(self, "it has begun what it cannot have begun")
        case .running: break
        }
        // What was ready before the worker was stopped counts.
        guard inbox.takeAll(self), let end = outbox.withLock({ $0.ledger.interrupt() }) else { return }
        if let running = end.running { control.send(.cancel(running), self) }
        events.interrupted(id, holding: end.begun.map { .begun($0.chunk, end: $0.end) } ?? .unbegun)
        if end.running == nil { events.recovered(id) }
    }

    /// Forbids the worker to begin anything else, if it is where it is to be interrupted.
    private func stopWork(on chunk: Chunk, item: Int?) -> WorkerLedger.Interruptibility {
        // The worker waits where it is about to begin an item, until the decision is made.
        board.halt()
        var decision = inbox.decision
        defer {
            inbox.decision = decision
            board.decide(decision)
        }
        return outbox.withLock { outbox in
            guard !outbox.isClosed else { return .ended }
            // One that begins stride after stride all the time hangs in no item.
            for _ in 0..<16 {
                guard let (begun, running, _) = board.standing else { return .another }
                let answer = outbox.ledger.canInterrupt(chunk, item: item, begun, running)
                guard case .running = answer else { return answer }
                guard board.takeBack(ifBegun: begun) != nil else { continue }
                guard outbox.ledger.forbid(begun, running) else { return .impossible }
                if let sequence = outbox.ledger.stoppedSequence { decision = .leave(sequence) }
                return .running
            }
            return .another
        }
    }
}

import MultiprocessingSystem
import Synchronization

/// Looking at what a worker runs, and no longer waiting for it.
extension WorkerLink {
    /// Reports which item the worker runs, and since when.
    func inspect() {
        // On the loop, which is who changes a chunk that the worker holds.
        loop.events.execute { [self] in
            inbox.whenReading(self) { self.reportRunning() }
        }
    }

    private func reportRunning() {
        guard let (begun, time) = board.begunWithTime,
            let (chunk, item) = outbox.withLock({ $0.ledger.inspect(begun) })
        else { return }
        events.working(on: chunk, item: item, since: time, id)
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
        if let running = end.running { control.cancel(running, self) }
        events.interrupted(id, holding: end.begun.map { .begun($0.chunk, end: $0.end) } ?? .unbegun)
        if end.running == nil { events.recovered(id) }
    }

    /// Forbids the worker to begin anything else, if it is where it is to be interrupted.
    private func stopWork(on chunk: Chunk, item: Int?) -> WorkerLedger.Interruptibility {
        outbox.withLock { outbox in
            guard !outbox.isClosed else { return .ended }
            // One that begins item after item all the time hangs in none.
            for _ in 0..<16 {
                let begun = board.begun
                let answer = outbox.ledger.canInterrupt(chunk, item: item, begun)
                guard case .running = answer else { return answer }
                guard board.takeBack(ifBegun: begun) != nil else { continue }
                return outbox.ledger.forbid(begun) ? .running : .impossible
            }
            return .another
        }
    }
}

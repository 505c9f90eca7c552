import Synchronization

/// The workers as processes, for who has them for itself.
extension PoolCore {
    /// Returns when the starts that were asked for have been tried; blocks while the kernel starts processes.
    func waitForStarts() {
        state.withLock { $0.group }?.waitForStarts()
    }

    /// The worker that has a place at this moment, or had it last.
    func worker(at index: Int) -> WorkerID {
        state.withLock { $0.scheduler.id(index) }
    }

    /// The process of the worker at a place; `nil` for a thread, and while there is none.
    func processID(at index: Int) -> Int32? {
        let (group, worker) = state.withLock { ($0.group, $0.scheduler.id(index)) }
        return group?.processID(of: worker)
    }

    /// Sends a signal to the process of the worker at a place.
    ///
    /// - Returns: False when there is no such process.
    func signal(_ number: Int32, at index: Int) -> Bool {
        let (group, worker) = state.withLock { ($0.group, $0.scheduler.id(index)) }
        return group?.signal(worker, number) ?? false
    }

    /// Tells what the worker at a place runs that it was cancelled, and goes on waiting for how it ends.
    func tell(_ chunk: Chunk, at index: Int) {
        let (group, worker) = state.withLock { ($0.group, $0.scheduler.id(index)) }
        group?.cancel(chunk, on: worker)
    }
}

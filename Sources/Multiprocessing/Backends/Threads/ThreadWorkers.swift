/// The workers of one pool that are threads.
final class ThreadWorkers: WorkerGroup {
    private let events: WorkerEvents

    /// The worker that has each place.
    ///
    /// Safe: a pool tells its workers one thing at a time, in the order in which it was decided.
    private nonisolated(unsafe) var places: [Int: (id: WorkerID, worker: ThreadWorker)] = [:]

    init(events: WorkerEvents) {
        self.events = events
    }

    /// The worker; `nil` when another has its place.
    private subscript(id: WorkerID) -> ThreadWorker? {
        guard let place = places[id.index], place.id == id else { return nil }
        return place.worker
    }

    private func remove(_ worker: WorkerID) {
        if places[worker.index]?.id == worker { places[worker.index] = nil }
    }

    func start(_ worker: WorkerID) {
        // A queue of its own, which gets its thread with its first work: that of a worker that was given up may
        // be blocked for ever.
        places[worker.index] = (worker, ThreadWorker(number: worker.index, events: events))
        events.ready(worker)
    }

    func assign(_ chunk: Chunk, then others: [Chunk], to worker: WorkerID) {
        self[worker]?.assign(chunk, then: others, worker)
    }

    func reclaim(from worker: WorkerID) {
        self[worker]?.reclaim(worker)
    }

    func inquire(_ worker: WorkerID) {
        // A thread shares the pool's memory: what it says is true.
    }

    func inspect(_ worker: WorkerID) {
        self[worker]?.inspect(worker)
    }

    func interrupt(_ worker: WorkerID, running chunk: Chunk, item: Int?) {
        self[worker]?.interrupt(worker, running: chunk, item: item)
    }

    func watch(_ worker: WorkerID) -> (any WorkerWatch)? {
        // A thread's results come by themselves.
        nil
    }

    func cancel(_ chunk: Chunk, on worker: WorkerID) {
        self[worker]?.cancel(chunk)
    }

    func stop(_ worker: WorkerID) {
        let thread = self[worker]
        remove(worker)
        let report = { @Sendable [events] in
            events.workerEnded(worker, holding: .unbegun, error: .poolShutDown)
        }
        if let thread { thread.tearDown(report) } else { report() }
    }

    func kill(_ worker: WorkerID) {
        // A thread cannot be ended from outside. The worker counts as gone now; what it
        // still runs, or is about to be handed by another thread, it reports as ended itself.
        self[worker]?.abandonWork()
        remove(worker)
        events.workerEnded(worker, holding: .goesOn, error: .poolShutDown)
    }

    func close(_ completion: @escaping @Sendable () -> Void) { completion() }
}

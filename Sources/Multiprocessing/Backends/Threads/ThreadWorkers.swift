/// The workers of one pool that are threads.
final class ThreadWorkers: WorkerGroup {
    private let workers: [ThreadWorker]
    private let events: WorkerEvents

    init(count: Int, events: WorkerEvents) {
        self.events = events
        workers = (0..<count).map { ThreadWorker(number: $0, events: events) }
    }

    func start(_ worker: WorkerID) {
        // A queue gets its thread with its first work.
        events.ready(worker)
    }

    func assign(_ chunk: Chunk, then others: [Chunk], to worker: WorkerID) {
        workers[worker.index].assign(chunk, then: others, worker)
    }

    func reclaim(from worker: WorkerID) {
        workers[worker.index].reclaim(worker)
    }

    func inquire(_ worker: WorkerID) {
        // A thread shares the pool's memory: what it says is true.
    }

    func watch(_ worker: WorkerID) -> (any WorkerWatch)? {
        // A thread's results come by themselves.
        nil
    }

    func cancel(_ chunk: Chunk, on worker: WorkerID) {
        workers[worker.index].cancel(chunk)
    }

    func stop(_ worker: WorkerID) {
        events.workerEnded(worker, holding: .nothing, error: .poolShutDown)
    }

    func kill(_ worker: WorkerID) {
        // A thread cannot be ended from outside. The worker counts as gone now; what it
        // still runs, or is about to be handed by another thread, it reports as ended itself.
        workers[worker.index].abandonWork()
        events.workerEnded(worker, holding: .runningChunk, error: .poolShutDown)
    }

    func close() {}
}

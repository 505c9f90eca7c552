extension Scheduler {
    /// Something for the owner of the scheduler to do, after unlocking.
    package enum Action {
        case start(WorkerID)
        /// Have the worker run what comes before its first item.
        case setUp(WorkerID)
        /// What came before a worker's first item has failed: nothing to do but to tell of it.
        // Indirect, because the error is large, and every action would be as large.
        indirect case setUpFailed(WorkerID, PoolError)
        /// Give the idle worker a chunk, and more to run behind it.
        case assign(Chunk, then: [Chunk], WorkerID)
        /// Ask a busy worker for what it has not begun.
        case reclaim(WorkerID)
        /// Cut the chunk before the items with these numbers, and report its parts.
        case cut(Chunk, [Int])
        case cancel(Chunk, WorkerID)
        /// Have the worker say when the actor with this number is gone.
        case watchActor(UInt64, WorkerID)
        /// Ask a worker whether it still works on what it holds.
        case inquire(WorkerID)
        /// Ask a worker which item it runs, and since when.
        case inspect(WorkerID)
        /// Stop waiting for what a worker runs, and tell it to stop: this item of this chunk; any of it if `nil`.
        case interrupt(WorkerID, running: Chunk, item: Int?)
        /// Call ``Scheduler/timeIsUp(now:)`` at this time.
        case wake(at: UInt64)
        /// Let the idle worker end by itself.
        case stop(WorkerID)
        /// End the worker at once, whatever it does.
        case kill(WorkerID)
        /// The chunk is in nobody's hands any more: what is unfinished in it fails.
        case end(Chunk, Reason)
        /// Nobody is to wait for the chunk any longer, though a worker may still run it.
        case abandon(Chunk, Reason)
        /// Every worker is gone and none will come.
        case finished
    }

    /// Why a chunk ends without results.
    package enum Reason {
        case shutDown
        case cancelled
        // Indirect, as above.
        indirect case failed(PoolError)

        /// A new error for each item that fails.
        package var error: any Error {
            switch self {
            case .shutDown: PoolError.poolShutDown
            case .cancelled: CancellationError()
            case .failed(let error): error
            }
        }
    }

    /// A few actions in order; the first, most often the only one, takes no allocation.
    package struct Actions {
        private var first: Action?
        private var others: [Action] = []

        /// Whether some have to be done in order: those for workers.
        private(set) var tellsWorkers = false
        /// Whether some end chunks.
        private(set) var endsWork = false
        /// Whether one cuts a chunk.
        private(set) var cutsWork = false
        /// The worker that is handed something, if one is.
        private(set) var assignee: WorkerID?

        /// What the scheduler let go of: kept until the lock is released, because the work's own
        /// values may go with it.
        var released: [Chunk] = []

        init(_ action: Action? = nil) {
            append(action)
        }

        mutating func append(_ action: Action?) {
            guard let action else { return }
            switch action {
            case .end: endsWork = true
            case .cut: cutsWork = true
            case .assign(_, then: _, let worker):
                tellsWorkers = true
                assignee = worker
            case .start, .setUp, .setUpFailed, .reclaim, .cancel, .watchActor, .inquire, .inspect, .interrupt, .wake,
                .stop, .kill,
                .abandon, .finished:
                tellsWorkers = true
            }
            if first == nil {
                first = action
            } else {
                others.append(action)
            }
        }

        mutating func append(contentsOf others: Actions) {
            others.forEach { append($0) }
            released += others.released
        }

        /// Those that have to be done in order.
        var orders: [Action] {
            var orders: [Action] = []
            forEach { action in
                switch action {
                case .end, .cut, .setUpFailed: return
                case .start, .setUp, .assign, .reclaim, .cancel, .watchActor, .inquire, .inspect, .interrupt, .wake,
                    .stop, .kill, .abandon, .finished:
                    orders.append(action)
                }
            }
            return orders
        }

        package func forEach(_ body: (Action) -> Void) {
            guard let first else { return }
            body(first)
            others.forEach(body)
        }
    }
}

import Dispatch
import Synchronization

/// Jobs of Swift's tasks and actors, which a worker on a thread runs as one item.
///
/// Nobody waits for it, it has no limits and is never cancelled: what its jobs do is their tasks' matter. But they have
/// to be run, or their tasks would wait for ever. So when the pool has no worker for them any more, Dispatch runs them.
///
/// Sendable: as every chunk.
class JobChunk: Chunk, @unchecked Sendable {
    /// Whether the jobs are in somebody's hands who runs them.
    private let isTaken = Atomic(false)

    private let callerContext: CallerContext

    /// - Parameter priority: That of the jobs, so that a worker need not change it for each.
    init(priority: TaskPriority) {
        callerContext = CallerContext(priority: priority, locals: nil)
        super.init(count: 1)
        label = "job"
    }

    /// Runs the jobs on the calling thread; called once.
    func runJobs() { fatalError("a job chunk says what it runs") }

    final override var caller: CallerContext { callerContext }

    final override func run() async {
        // Also when the worker was told that it is given up: the jobs are not the pool's to cancel.
        guard take() else { return }
        runJobs()
        finishedCount = 1
    }

    final override func receiveFailure(_ error: any Error) { finishedCount += 1 }

    final override func end(failing error: any Error, nanoseconds: UInt64) { moveOn() }

    final override func abandon(_ error: any Error) { moveOn() }

    /// Has the jobs run elsewhere, unless a worker has begun them.
    private func moveOn() {
        guard take() else { return }
        DispatchQueue.global().async { self.runJobs() }
    }

    private func take() -> Bool {
        !isTaken.exchange(true, ordering: .acquiringAndReleasing)
    }
}

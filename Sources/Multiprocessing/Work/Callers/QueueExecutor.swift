import Dispatch

/// Runs a task's jobs on a serial Dispatch queue.
///
/// The queue has no target of the caller's, so Dispatch gives it a thread as soon as it has
/// work, and takes the thread back some seconds after the last.
final class QueueExecutor: TaskExecutor {
    let queue: DispatchQueue

    init(label: String) {
        queue = DispatchQueue(label: label)
    }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        queue.async {
            job.runSynchronously(on: self.asUnownedTaskExecutor())
        }
    }
}

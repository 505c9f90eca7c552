import Dispatch

/// Runs an actor on a serial Dispatch queue.
final class SupervisorExecutor: SerialExecutor {
    let queue = DispatchQueue(label: "Multiprocessing.supervisor")

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        queue.async { job.runSynchronously(on: self.asUnownedSerialExecutor()) }
    }

    func checkIsolated() {
        dispatchPrecondition(condition: .onQueue(queue))
    }
}

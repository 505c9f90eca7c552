import MultiprocessingSystem
import Synchronization

/// Runs a task's jobs on the process's main thread.
///
/// Asynchronous work that has suspended resumes here. While it waits, the main thread also
/// serves Dispatch's main queue, so that work may hop to the main actor, as in any program.
final class MainThreadExecutor: TaskExecutor {
    private let park: MainThreadPark
    private let state = Mutex(State())

    private struct State {
        var jobs = RingQueue<UnownedJob>()
        /// Whether the main thread waits for a job.
        var isParked = false
    }

    /// Set once work has suspended: from then on the main queue may have something at any time.
    private let servesMainQueue = Atomic(false)

    init() throws(SystemError) {
        park = try MainThreadPark()
    }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        let mustWake = state.withLock { state in
            state.jobs.append(job)
            defer { state.isParked = false }
            return state.isParked
        }
        if mustWake { park.wake() }
    }

    /// Runs jobs for ever; called on the main thread.
    func run() -> Never {
        while true {
            if let job = nextJob() {
                job.runSynchronously(on: asUnownedTaskExecutor())
            } else {
                servesMainQueue.store(true, ordering: .relaxed)
                park.wait(for: nil)
            }
        }
    }

    /// Blocks until there is something to read, and serves the main queue meanwhile if that is in use.
    func waitForInput(_ number: DescriptorNumber) {
        if servesMainQueue.load(ordering: .relaxed) { park.wait(for: number) }
    }

    private func nextJob() -> UnownedJob? {
        state.withLock { state in
            let job = state.jobs.popFirst()
            state.isParked = job == nil
            return job
        }
    }
}

/// Runs the jobs of Swift tasks on the threads of a pool; ``Pool/taskExecutor`` has it.
///
/// ```swift
/// let executor = try pool.taskExecutor
/// let answer = await Task(executorPreference: executor) {
///     legacy_query(database)
/// }.value
/// ```
///
/// A job is what a task runs from one suspension to the next. It is an item of the pool: it waits in the same queue,
/// occupies a worker for as long as it runs, blocked or not, and counts in statistics and events, with the label `job`.
/// A task that is suspended occupies none. Options of calls, such as time-outs and retries, do not apply to jobs, and
/// they start in the order in which they were enqueued, whatever their priority. Task-local values are those of the task,
/// so that ``Worker/current`` does not say where a job runs.
///
/// A pool that is let go of lives on for as long as somebody has its executor, as a task does that prefers it. Jobs that a
/// pool does not run any more, because it was shut down or terminated or its set-up fails, are run by Dispatch on its
/// global queue, so that no task is left behind: ``Pool/shutDown()`` waits for jobs that are enqueued when it is called,
/// ``Pool/terminate()`` for none, and neither cancels a task.
public final class PoolTaskExecutor: TaskExecutor {
    private let core: PoolCore

    init(_ core: PoolCore) {
        self.core = core
        core.addObserver()
    }

    deinit {
        core.removeObserver()
    }

    /// Queues a job; called by Swift, and does not block.
    public func enqueue(_ job: consuming ExecutorJob) {
        core.submit(TaskJob(job, self))
    }
}

/// One job of a task.
///
/// Sendable: as every chunk.
private final class TaskJob: JobChunk, @unchecked Sendable {
    private let job: UnownedJob
    /// Kept while the job runs, which may be the end of the task that had it.
    private let executor: PoolTaskExecutor

    init(_ job: consuming ExecutorJob, _ executor: PoolTaskExecutor) {
        let priority = TaskPriority(rawValue: job.priority.rawValue)
        self.job = UnownedJob(job)
        self.executor = executor
        super.init(priority: priority)
    }

    override func runJobs() {
        job.runSynchronously(on: executor.asUnownedTaskExecutor())
    }
}

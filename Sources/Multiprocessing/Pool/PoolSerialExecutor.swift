import MultiprocessingSystem
import Synchronization

/// Runs the jobs of actors on the threads of a pool, one at a time; ``Pool/makeSerialExecutor()`` makes it.
///
/// ```swift
/// actor Database {
///     private let executor: PoolSerialExecutor
///     nonisolated var unownedExecutor: UnownedSerialExecutor {
///         executor.asUnownedSerialExecutor()
///     }
///
///     init(on pool: Pool) throws { executor = try pool.makeSerialExecutor() }
/// }
/// ```
///
/// The jobs run in the order in which they were enqueued, whatever their priority, and never two at once, though not
/// always on the same thread. Actors that share an executor share that. An actor that blocks in a call of C occupies
/// one worker of the pool and none of Swift's threads.
///
/// While there are jobs the executor is an item of the pool, with the label `job`, which goes to the end of the queue
/// when it has had its turn, some hundred microseconds. Options of calls do not apply to it. For pools that are let go of
/// or have ended, the rules of ``PoolTaskExecutor`` hold; order and exclusion are kept there too.
public final class PoolSerialExecutor: SerialExecutor {
    private struct State {
        var jobs = RingQueue<UnownedJob>()
        /// Whether a turn is queued or running.
        var isScheduled = false
    }

    private let core: PoolCore
    private let state = Mutex(State())

    /// The thread that runs jobs; zero while none does.
    private let runner = Atomic<UInt64>(0)

    init(_ core: PoolCore) {
        self.core = core
        core.addObserver()
    }

    deinit {
        core.removeObserver()
    }

    /// Queues a job; called by Swift, and does not block.
    public func enqueue(_ job: consuming ExecutorJob) {
        let priority = TaskPriority(rawValue: job.priority.rawValue)
        let job = UnownedJob(job)
        let isScheduled = state.withLock { state in
            state.jobs.append(job)
            defer { state.isScheduled = true }
            return state.isScheduled
        }
        if !isScheduled { core.submit(Turn(of: self, priority)) }
    }

    // MARK: Turns

    /// Runs jobs for a while.
    ///
    /// - Parameter promised: How many of the jobs the pool has taken for an earlier turn; `nil` if this is the first.
    fileprivate func runJobs(promised: Int?) {
        runner.store(ThisThread.number, ordering: .relaxed)
        let end = MonotonicTime.now().nanoseconds + Scheduler.lotTime
        var left = promised ?? count
        while left > 0, let job = state.withLock({ $0.jobs.popFirst() }) {
            job.runSynchronously(on: asUnownedSerialExecutor())
            left -= 1
            if MonotonicTime.now().nanoseconds >= end { break }
            // What has come since, as long as the pool takes work at all: it may wait for this turn to end.
            if left == 0, core.refusal == nil { left = count }
        }
        runner.store(0, ordering: .relaxed)
        let next = state.withLock { state in
            state.isScheduled = !state.jobs.isEmpty
            return state.jobs.first
        }
        guard let next else { return }
        let priority = TaskPriority(rawValue: next.priority.rawValue)
        if left > 0 {
            core.resubmit(Turn(of: self, priority, promised: left))
        } else {
            core.submit(Turn(of: self, priority))
        }
    }

    private var count: Int { state.withLock { $0.jobs.count } }

    // MARK: Isolation

    /// Whether the calling thread runs a job of this executor.
    public func isIsolatingCurrentContext() -> Bool? {
        runner.load(ordering: .relaxed) == ThisThread.number
    }

    /// Ends the program unless the calling thread runs a job of this executor.
    public func checkIsolated() {
        precondition(isIsolatingCurrentContext() == true, "not on this PoolSerialExecutor; await a call of its actor")
    }
}

/// Jobs of a serial executor that are run behind one another.
///
/// Sendable: as every chunk.
private final class Turn: JobChunk, @unchecked Sendable {
    private let executor: PoolSerialExecutor
    private let promised: Int?

    /// - Parameter priority: That of its first job.
    init(of executor: PoolSerialExecutor, _ priority: TaskPriority, promised: Int? = nil) {
        self.executor = executor
        self.promised = promised
        super.init(priority: priority)
    }

    override func runJobs() {
        executor.runJobs(promised: promised)
    }
}

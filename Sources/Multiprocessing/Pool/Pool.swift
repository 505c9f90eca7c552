import Dispatch
import MultiprocessingRuntime
import MultiprocessingSystem
import Synchronization

/// Runs Swift work on threads or in worker processes; one parameter chooses which.
///
/// ```swift
/// let pool = try Pool(.processes)
/// let squares = try await pool.map(1...1_000) { $0 * $0 }
/// await pool.shutDown()
/// ```
///
/// One item is given to it by `submit`, which returns a ``Future``, or by `run`, which waits. Many are given by `map`
/// and `forEach`, which wait for all and stop at the first failure, or by `stream` and `results`, which are read as
/// items end. Each takes jobs, or a synchronous or asynchronous closure, and ``WorkOptions``. <doc:Calls> has the rules
/// that they share: order, chunks, failure, cancellation, options and what is thrown.
///
/// On ``Backend/processes`` a crash in the work costs the item that crashed and nothing else:
/// the item fails with ``PoolError/Code/workerCrashed`` and the worker is replaced. Workers
/// start when work is waiting for them, up to ``workerCount``.
///
/// A pool is best used through ``withPool(_:workers:configuration:_:)``. A pool that is merely dropped ends
/// its workers once nobody can see a result any more: when the pool and every future of
/// pending work are gone. That never blocks.
public final class Pool: Sendable {
    @usableFromInline let core: PoolCore

    let executors = Mutex(KnownExecutors())

    /// The actors that the pool has hosted in this process, by number.
    let localActors = Mutex([UInt64]())

    /// How many workers run at the same time at most.
    public var workerCount: Int { core.workerCount }

    /// More workers than this are taken for a mistake: no system runs as many processes or threads.
    static let maximumWorkers = 65_536

    /// Makes a pool; its workers are started when there is work for them.
    ///
    /// - Parameters:
    ///   - backend: Where the workers run.
    ///   - workers: How many work items run at the same time. By default as many as the cores
    ///     that this process may use, by its affinity mask and its cgroup's quota.
    ///   - configuration: How the pool works beyond that.
    /// - Throws: ``PoolError/Code/invalidArgument`` when `workers` is less than 1 or more than 65,536
    ///   or the configuration has a value that makes no sense,
    ///   ``PoolError/Code/notPortable`` when a task-local to carry cannot be found in a worker process or the
    ///   set-up cannot be sent to one, and
    ///   ``PoolError/Code/workerStartFailed`` when the backend cannot run here at all.
    public init(
        _ backend: any Backend = .processes,
        workers: Int? = nil,
        configuration: Configuration = Configuration()
    ) throws {
        if let workers { try Self.checkWorkers(workers) }
        try configuration.check()
        core = try PoolCore(
            backend: backend, workerCount: workers ?? Cores.usableHere, carrying: configuration.carriedTaskLocals,
            defaults: configuration.defaults, rules: configuration.rules)
        if let setUp = configuration.setUp { try core.setUp(with: core.work(AsyncNullaryProcedureBox(setUp))) }
    }

    deinit {
        core.removeObserver()
    }

    /// Starts all workers and returns when they are ready, so that the first work need not wait for them.
    ///
    /// Without it a worker starts when work is waiting for it. Threads are ready at once. When the task is
    /// cancelled this throws `CancellationError` at once, and the workers go on starting.
    ///
    /// - Throws: ``PoolError/Code/workerStartFailed`` when a worker could not be started,
    ///   ``PoolError/Code/setUpFailed`` when its set-up failed, ``PoolError/Code/shutDown`` when the pool has ended or ends meanwhile, and `CancellationError`.
    nonisolated(nonsending) public func start() async throws {
        try await core.start()
    }

    /// Changes how many workers run at the same time at most; returns at once.
    ///
    /// Further workers start when work is waiting for them. Of those that are too many the idle ones end now, and
    /// each other one when it has ended what it works on. No item is lost: what a worker that goes has not begun
    /// is run by those that stay. A worker in which an actor was made by `host` stays for it, and gets no items.
    ///
    /// - Parameter workers: How many, at least 1.
    /// - Throws: ``PoolError/Code/invalidArgument`` when `workers` is less than 1 or more than 65,536, and
    ///   ``PoolError/Code/shutDown`` when the pool has ended.
    public func resize(to workers: Int) throws {
        try Self.checkWorkers(workers)
        try core.resize(to: workers)
    }

    private static func checkWorkers(_ workers: Int) throws {
        if workers < 1 {
            throw PoolError.invalidArgument(
                "workers", workers, "a pool needs at least 1 worker; leave it out for one per usable core")
        }
        if workers > maximumWorkers {
            throw PoolError.invalidArgument("workers", workers, "a pool has at most \(maximumWorkers) workers")
        }
    }

    /// Finishes what was submitted, then stops the workers.
    ///
    /// Suspends until the last worker is gone; an idle worker process that does not end when asked to is
    /// killed after 5 seconds. Work that is submitted from now on fails with
    /// ``PoolError/Code/shutDown``. Safe to call more than once and from several tasks.
    public func shutDown() async {
        await core.shutDown()
        withdrawActors()
    }

    /// Stops the workers at once; queued and running items fail with ``PoolError/Code/shutDown``.
    ///
    /// Suspends until the workers are gone. Worker processes are killed, with all that they
    /// started. A thread cannot be killed: its item is cancelled, its result is dropped, and
    /// the thread is given up when the item returns, for which this does not wait. Safe to
    /// call more than once, from several tasks and from a task that a completion handler starts.
    public func terminate() async {
        await core.terminate()
        withdrawActors()
    }
}

extension Pool: CaptureAdvising {
    static var captureAdvice: String {
        "a pool is of the process that made it: return what is to be done next, or make a pool inside of the work"
    }
}

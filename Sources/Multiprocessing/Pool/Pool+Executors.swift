import Synchronization

/// A pool's threads as executors of Swift's tasks and actors.
extension Pool {
    /// Runs tasks on the threads of this pool: for `Task(executorPreference:)` and `withTaskExecutorPreference`.
    ///
    /// Tasks may block there, as in calls of C, without a thread of Swift's own being blocked.
    ///
    /// - Throws: ``PoolError/Code/notPortable`` when the workers are processes, in which a task of this one cannot run,
    ///   and ``PoolError/Code/shutDown`` when the pool has ended.
    public var taskExecutor: PoolTaskExecutor {
        get throws {
            try checkExecutors()
            return executors.withLock { executors in
                if let known = executors.task { return known }
                let made = PoolTaskExecutor(core)
                executors.task = made
                return made
            }
        }
    }

    /// Makes an executor that runs the jobs of an actor on the threads of this pool, one at a time and in order.
    ///
    /// The actor keeps it, and returns it as its `unownedExecutor`. Each has its own order: those of one pool
    /// run beside one another.
    ///
    /// - Throws: ``PoolError/Code/notPortable`` when the workers are processes, in which an actor of this one cannot
    ///   run, and ``PoolError/Code/shutDown`` when the pool has ended.
    public func makeSerialExecutor() throws -> PoolSerialExecutor {
        try checkExecutors()
        return PoolSerialExecutor(core)
    }

    private func checkExecutors() throws {
        if core.needsPortableWork { throw PoolError.noExecutorOnProcesses }
        if let refusal = core.refusal { throw refusal }
    }

    /// The executors that somebody has.
    struct KnownExecutors {
        weak var task: PoolTaskExecutor?
    }
}

extension PoolError {
    fileprivate static var noExecutorOnProcesses: PoolError {
        PoolError(
            .notPortable,
            """
            a pool of worker processes has no executor, because a task or an actor of this process cannot run in \
            another; make the pool with Pool(.threads), or give its workers closures with run, submit or map
            """)
    }
}

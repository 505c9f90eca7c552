/// How a pool does: what it has done since it was made, and what it does now; ``Pool/statistics`` gives one.
///
/// ```swift
/// let statistics = pool.statistics
/// print(statistics.finished, statistics.queued, statistics.runningTime.p99)
/// ```
///
/// All numbers are of one moment and fit together:
/// `submitted == finished + failed + timedOut + cancelled + queued + running`, with what is retried counted as
/// submitted once more.
public struct PoolStatistics: Sendable, Codable {
    /// Items that were handed to the pool.
    public internal(set) var submitted = 0
    /// Items that ended with a value.
    public internal(set) var finished = 0
    /// Items that ended with an error, crashes among them.
    public internal(set) var failed = 0
    /// Items that passed their deadline.
    public internal(set) var timedOut = 0
    /// Items that were cancelled, or that the pool's end left undone.
    public internal(set) var cancelled = 0
    /// Items that were handed to the pool once more after a failure.
    public internal(set) var retried = 0

    /// Items that wait for a worker.
    public internal(set) var queued = 0
    /// Items that workers have.
    public internal(set) var running = 0

    /// Bytes that went to worker processes: of encoded inputs, captures, shared values and broadcasts; zero on threads.
    ///
    /// Without functions, variables and what frames all that, and without inputs that go once more after a crash.
    public internal(set) var bytesSent = 0
    /// Bytes of encoded values and errors that came from worker processes; zero on threads.
    public internal(set) var bytesReceived = 0

    /// Workers that became ready.
    public internal(set) var workersStarted = 0
    /// Workers that ended though nobody had asked them to.
    public internal(set) var workersCrashed = 0
    /// Worker processes that the pool killed.
    public internal(set) var workersKilled = 0
    /// Workers that were replaced because they had done or grown enough.
    public internal(set) var workersRecycled = 0

    /// Workers that have items.
    public internal(set) var busyWorkers = 0
    /// Workers that have none.
    public internal(set) var idleWorkers = 0
    /// Workers that are still to come.
    public internal(set) var startingWorkers = 0

    /// How long items were queued: one sample for each item or chunk that was handed to a worker.
    public internal(set) var waitingTime = Distribution()
    /// How long items ran: one sample for each; those of a chunk count with their mean.
    public internal(set) var runningTime = Distribution()

    /// Each place for a worker that was ever taken, in order.
    public internal(set) var workers: [Worker] = []

    /// Times, summed up.
    ///
    /// Mean, minimum and maximum are exact; the percentiles are within 3.2 %, and within the minimum and the maximum.
    public struct Distribution: Sendable, Codable, Equatable {
        /// How many samples there are.
        public internal(set) var count = 0
        /// Their mean; zero without samples.
        public internal(set) var mean = Duration.zero
        /// The smallest.
        public internal(set) var minimum = Duration.zero
        /// The largest.
        public internal(set) var maximum = Duration.zero
        /// What half of the samples do not exceed.
        public internal(set) var p50 = Duration.zero
        /// What 90 % of the samples do not exceed.
        public internal(set) var p90 = Duration.zero
        /// What 99 % of the samples do not exceed.
        public internal(set) var p99 = Duration.zero
    }

    /// What the workers of one place have done; numbers are those of all that had it.
    public struct Worker: Sendable, Codable {
        /// The place, from 0.
        public internal(set) var index = 0
        /// The process that has it now; `nil` on threads, and while there is none.
        public internal(set) var processID: Int32?
        /// How many workers became ready here.
        public internal(set) var started = 0
        /// How many of them crashed.
        public internal(set) var crashed = 0
        /// Items that ended with a value.
        public internal(set) var finished = 0
        /// Items that ended in another way.
        public internal(set) var failed = 0
        /// How long items ran here, in all.
        public internal(set) var busyTime = Duration.zero
        /// How long the items that this place was given had been queued, as in ``PoolStatistics/waitingTime``.
        public internal(set) var waitingTime = Distribution()
        /// How long each of them ran, as in ``PoolStatistics/runningTime``.
        public internal(set) var runningTime = Distribution()
        /// Bytes of encoded inputs, captures, shared values and broadcasts that went to it; zero for a thread.
        public internal(set) var bytesSent = 0
        /// Bytes of encoded values and errors that came from it; zero for a thread.
        public internal(set) var bytesReceived = 0
        /// Items that it has now.
        public internal(set) var running = 0
    }
}

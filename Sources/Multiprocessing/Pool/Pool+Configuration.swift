import MultiprocessingSystem

extension Pool {
    /// How a pool works, beyond where its workers run and how many they are.
    public struct Configuration: Sendable {
        /// Task-locals whose values go with the work to worker processes.
        ///
        /// Work on threads sees all of its caller's task-local values anyway; work in worker processes sees
        /// those of these that its caller had when it made the call.
        public var carriedTaskLocals: [CarriedTaskLocal] = []

        /// The options of calls that have none of their own, field by field.
        ///
        /// A call cannot take a default away, but replace it: by a longer time, or a retry of one attempt.
        public var defaults = WorkOptions()

        /// How long an item that was told to stop may go on before its worker is killed; zero kills at once.
        ///
        /// An item is told by task cancellation, at its deadline and when it is cancelled. On threads, which nothing
        /// can kill, the worker is given up instead, and replaced.
        public var gracePeriod: Duration = .seconds(1)

        /// When a worker is replaced by a new one although nothing is wrong with it; by default never.
        ///
        /// Not while it has an actor that was made by `host` without `allowsRecycling`.
        public var recycling = Recycling()

        /// How long a worker may have nothing to do before it is let go; `nil` for ever.
        ///
        /// Workers that were let go are started again when there is work for them. One with an actor that was made by
        /// `host` without `allowsRecycling` stays.
        public var idleTimeout: Duration?

        /// Runs once in each worker before its first item: opens a log, loads a model, connects to a database.
        ///
        /// On processes it is sent to each worker, with what it captures as that was when the pool was made, so it has to
        /// be portable; what it makes is kept in static properties or in a ``WorkerLocal``. A worker that replaces
        /// another runs it too. ``Worker/current`` says where it runs; task-local values of callers are not there.
        ///
        /// When it throws, crashes or takes too long in one worker, everything that is queued fails at once with
        /// ``PoolError/Code/setUpFailed``, which has the cause as its ``PoolError/underlyingError``, and that worker
        /// ends. Workers that were set up go on. If there are none, what is submitted within a second fails the same
        /// way; what is submitted later starts a worker, and the set-up is tried again. ``Pool/start()`` tries it at once.
        public var setUp: (@Sendable () async throws -> Void)?

        /// How long ``setUp`` may take in a worker.
        ///
        /// Then its process is killed. A thread cannot be killed: the set-up is cancelled, and the thread given up.
        public var setUpTimeout: Duration = .seconds(60)

        /// Makes the configuration that a pool has if it is given none.
        public init() {}
    }
}

extension Pool.Configuration {
    /// When a worker is replaced between items, to be rid of what piles up in it; `nil` for never.
    public struct Recycling: Hashable, Sendable {
        /// After how many items; at least 1.
        ///
        /// What of one `map` or stream a worker was handed together it runs to its end, so there it may be more.
        public var items: Int?

        /// After how long, counted from its start; more than zero.
        public var age: Duration?

        /// When its own memory, without what it shares with other processes, has grown by so many bytes; at least 1.
        ///
        /// Measured between items, against the moment at which it was ready; the kernel counts in steps of some
        /// hundred kibibytes. Not on threads, which have no memory of their own.
        public var memoryGrowth: Int?

        /// Makes a rule; without any of these, workers are never replaced.
        public init(items: Int? = nil, age: Duration? = nil, memoryGrowth: Int? = nil) {
            self.items = items
            self.age = age
            self.memoryGrowth = memoryGrowth
        }

        fileprivate func check() throws {
            if let items, items < 1 {
                throw PoolError.invalidArgument(
                    "recycling.items", items, "a worker runs at least 1; leave it out for no limit")
            }
            if let age, age <= .zero {
                throw PoolError.invalidArgument(
                    "recycling.age", age, "a worker needs some time to work; leave it out for no limit")
            }
            if let memoryGrowth, memoryGrowth < 1 {
                throw PoolError.invalidArgument(
                    "recycling.memoryGrowth", memoryGrowth, "a worker needs some memory; leave it out for no limit")
            }
        }
    }

    /// - Throws: ``PoolError/Code/invalidArgument`` naming what makes no sense.
    func check() throws {
        try defaults.check()
        try recycling.check()
        if gracePeriod < .zero {
            throw PoolError.invalidArgument("gracePeriod", gracePeriod, "it is zero or more; zero kills at once")
        }
        if let idleTimeout, idleTimeout <= .zero {
            throw PoolError.invalidArgument(
                "idleTimeout", idleTimeout, "workers wait for work for some time; leave it out to keep them")
        }
        if setUpTimeout <= .zero {
            throw PoolError.invalidArgument("setUpTimeout", setUpTimeout, "a set-up needs some time")
        }
    }

    /// What of this is the scheduler's.
    var rules: SchedulerRules {
        var rules = SchedulerRules()
        rules.gracePeriod = gracePeriod.wholeNanoseconds
        rules.recyclingItems = recycling.items
        rules.recyclingAge = recycling.age?.wholeNanoseconds
        rules.recyclingGrowth = recycling.memoryGrowth.map(UInt64.init)
        rules.idleTimeout = idleTimeout?.wholeNanoseconds
        if setUp != nil { rules.setUpTimeout = setUpTimeout.wholeNanoseconds }
        return rules
    }
}

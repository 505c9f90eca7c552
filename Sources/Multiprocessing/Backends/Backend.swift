/// Where workers run: ``threads`` of this process or worker ``processes``.
///
/// A backend only starts a worker, hands it chunks of work and stops it. Queues, chunks,
/// futures, cancellation and replacement are the pool's, once for all backends. The backends are
/// those of this library, ``ThreadBackend`` and ``ProcessBackend``: a pool on another one is refused with
/// ``PoolError/Code/invalidArgument``.
///
/// ```swift
/// let backend: any Backend = isolated ? .processes : .threads
/// let pool = try Pool(backend)
/// ```
public protocol Backend: Sendable {
    /// Whether work has to be encoded, because workers do not share the pool's memory.
    var needsPortableWork: Bool { get }
}

/// A backend as a pool uses it.
package protocol WorkerBackend: Backend {
    /// Makes what starts and stops the workers of one pool; starts none itself.
    ///
    /// - Parameters:
    ///   - count: How many workers there are at most.
    ///   - events: Where workers report what happens to them.
    /// - Throws: ``PoolError`` when no worker could ever run here.
    func makeWorkers(count: Int, reportingTo events: WorkerEvents) throws -> any WorkerGroup
}

/// The workers of one pool, as a backend runs them.
///
/// Every method returns at once, may be called from any thread, and is called without a lock
/// held. What comes of it is reported through ``WorkerEvents``, also from within the call.
package protocol WorkerGroup: AnyObject, Sendable {
    /// Tries once to start a worker, and reports it as ready, or as failed.
    func start(_ worker: WorkerID)

    /// Hands a chunk to a worker that is ready and holds none, and others to run behind it.
    func assign(_ chunk: Chunk, then others: [Chunk], to worker: WorkerID)

    /// Takes back what a worker has not begun, and reports it, also if it is nothing.
    func reclaim(from worker: WorkerID)

    /// Has a worker that has been silent for long say whether it still works on what it holds; one that does
    /// not is ended.
    func inquire(_ worker: WorkerID)

    /// Reports which item a worker runs, and since when if that is known; nothing if it runs none with a limit.
    func inspect(_ worker: WorkerID)

    /// Stops waiting for the item that a worker runs, tells that work that it was cancelled, and takes back what the
    /// worker has not begun.
    ///
    /// Reported as `interrupted(_:holding:)`; the results that there are by then count. The worker may
    /// end what it runs by itself, its result is dropped, and that it has done so is reported as
    /// `recovered(_:)`, unless it ends first. If all of the chunk has ended meanwhile, that is reported
    /// as ever and this is not. If the worker runs something else by now, nothing happens but that this is reported,
    /// as by ``inspect(_:)``.
    ///
    /// - Parameters:
    ///   - worker: The worker.
    ///   - chunk: The chunk that it has to be.
    ///   - item: The number of the item that it has to be; `nil` for any of the chunk.
    func interrupt(_ worker: WorkerID, running chunk: Chunk, item: Int?)

    /// The process that a worker runs in; `nil` for a thread, and when the worker is gone.
    func processID(of worker: WorkerID) -> Int32?

    /// The bytes of memory that a worker shares with nobody; `nil` for a thread, and when the worker is gone.
    func memory(of worker: WorkerID) -> UInt64?

    /// Has the calling thread take a worker's results as they come; `nil` if that is not to be had now.
    func watch(_ worker: WorkerID) -> (any WorkerWatch)?

    /// Returns when the starts that were asked for have been tried; blocks while the kernel starts processes.
    func waitForStarts()

    /// Sends a signal to a worker's process, or SIGKILL to all of its process group; its end is reported.
    ///
    /// - Returns: False for a thread, and when the process is gone.
    func signal(_ worker: WorkerID, _ number: Int32) -> Bool

    /// Has a worker say when an actor that it has made is gone, which is reported.
    func watchActor(_ actor: UInt64, on worker: WorkerID)

    /// Tells a worker that a chunk it holds was cancelled.
    func cancel(_ chunk: Chunk, on worker: WorkerID)

    /// Lets a worker that holds nothing end by itself; its end is reported.
    func stop(_ worker: WorkerID)

    /// Ends a worker at once where it can be done; its end is reported.
    func kill(_ worker: WorkerID)

    /// Releases what the group holds, after the last worker has ended, and calls `completion` then, on any thread.
    func close(_ completion: @escaping @Sendable () -> Void)
}

extension WorkerGroup {
    /// No process of its own.
    package func processID(of worker: WorkerID) -> Int32? { nil }

    /// There is nothing to wait for.
    package func waitForStarts() {}

    /// No process of its own.
    package func signal(_ worker: WorkerID, _ number: Int32) -> Bool { false }

    /// It makes no actors: those of threads are the process's.
    package func watchActor(_ actor: UInt64, on worker: WorkerID) {}

    /// No memory of its own.
    package func memory(of worker: WorkerID) -> UInt64? { nil }
}

/// The right to take a worker's results, which one thread has at a time and gives back soon.
package protocol WorkerWatch {
    /// Takes what has come; does not block.
    func poll()

    /// Gives the right back; has to be called.
    func end()
}

/// One worker of a pool, from its start to its end.
///
/// A replacement has the same index and another generation, so that what was meant for the
/// worker before it cannot reach it.
package struct WorkerID: Hashable, Sendable {
    /// The worker's place in the pool, from 0.
    package let index: Int
    /// How many workers had this place up to now.
    package let generation: UInt64

    package init(index: Int, generation: UInt64) {
        self.index = index
        self.generation = generation
    }
}

/// Takes what the workers of a pool report: their owner.
package protocol WorkerReporting: AnyObject, Sendable {
    func workerReady(_ worker: WorkerID)
    func workEnded(on worker: WorkerID, with chunk: Chunk, nanoseconds: UInt64)
    func sent(_ byteCount: Int, to worker: WorkerID)
    func chunkEnded(on worker: WorkerID, with chunk: Chunk, nanoseconds: UInt64)
    func reclaimed(_ chunks: [Chunk], from worker: WorkerID)
    func workerEnded(_ worker: WorkerID, holding: HeldWork, error: PoolError)
    func startFailed(_ worker: WorkerID, error: PoolError, wasKilled: Bool)
    func working(on chunk: Chunk, item: Int, since: UInt64?, _ worker: WorkerID)
    func interrupted(_ worker: WorkerID, holding: HeldWork)
    func recovered(_ worker: WorkerID)
    func actorEnded(_ actor: UInt64, on worker: WorkerID)
    func progressed(on worker: WorkerID, chunk: Chunk, item: Int, fraction: Double, text: String)
}

/// Where the workers of a pool report what happens to them.
///
/// Each report may be made from any thread.
package struct WorkerEvents: Sendable {
    private let owner: any WorkerReporting

    package init(to owner: any WorkerReporting) {
        self.owner = owner
    }

    /// The worker can be given work.
    package func ready(_ worker: WorkerID) {
        owner.workerReady(worker)
    }

    /// The worker has ended a chunk: every item has delivered its result, or will not.
    ///
    /// - Parameters:
    ///   - nanoseconds: How long the items ran, without the way there and back.
    ///   - isLast: Whether the worker holds no other now.
    package func ended(_ chunk: Chunk, on worker: WorkerID, nanoseconds: UInt64, isLast: Bool) {
        if isLast {
            owner.workEnded(on: worker, with: chunk, nanoseconds: nanoseconds)
        } else {
            owner.chunkEnded(on: worker, with: chunk, nanoseconds: nanoseconds)
        }
    }

    /// The worker was sent so many bytes that its work refers to, besides the work itself.
    package func sent(_ byteCount: Int, to worker: WorkerID) {
        owner.sent(byteCount, to: worker)
    }

    /// The worker will not begin these, which it was asked for.
    ///
    /// - Parameter chunks: In order; a chunk of which a part was begun is split before.
    package func reclaimed(_ chunks: [Chunk], from worker: WorkerID) {
        owner.reclaimed(chunks, from: worker)
    }

    /// The worker is gone.
    ///
    /// - Parameters:
    ///   - holding: What became of what it held.
    ///   - error: Why the worker is gone, which is what items that are lost with it fail with.
    package func workerEnded(_ worker: WorkerID, holding: HeldWork, error: PoolError) {
        owner.workerEnded(worker, holding: holding, error: error)
    }

    /// What a worker runs, which was asked for.
    ///
    /// - Parameters:
    ///   - item: The number of the item in the chunk.
    ///   - since: When it began, by the monotonic clock in nanoseconds; `nil` when that is not known.
    package func working(on chunk: Chunk, item: Int, since: UInt64?, _ worker: WorkerID) {
        owner.working(on: chunk, item: item, since: since, worker)
    }

    /// The worker's item was given up, and all else that it held comes back.
    ///
    /// - Parameter holding: As for a worker that is gone: items before `end` that have not ended were given up.
    package func interrupted(_ worker: WorkerID, holding: HeldWork) {
        owner.interrupted(worker, holding: holding)
    }

    /// The worker has done with the item that was given up, and can be given work.
    package func recovered(_ worker: WorkerID) {
        owner.recovered(worker)
    }

    /// An actor is gone that the worker was asked to watch.
    package func actorEnded(_ actor: UInt64, on worker: WorkerID) {
        owner.actorEnded(actor, on: worker)
    }

    /// The item that the worker runs says how far it has come; it is reported before its end.
    ///
    /// - Parameters:
    ///   - item: The number of the item in the chunk.
    ///   - fraction: As the work said it: any `Double`, also what is no number.
    ///   - text: At most 1,000 bytes of what the work said.
    package func progressed(on worker: WorkerID, chunk: Chunk, item: Int, fraction: Double, text: String) {
        owner.progressed(on: worker, chunk: chunk, item: item, fraction: fraction, text: text)
    }

    /// The worker could not be started; whether it is tried again is the pool's to decide.
    ///
    /// - Parameter wasKilled: Whether it was ended by a signal from outside, which says nothing about the next try.
    package func startFailed(_ worker: WorkerID, error: PoolError, wasKilled: Bool = false) {
        owner.startFailed(worker, error: error, wasKilled: wasKilled)
    }
}

/// What a worker had done of what it held when it ended.
///
/// The reporter no longer touches the chunks, but for those that go on.
package enum HeldWork: Sendable {
    /// No item had begun but those that have ended; the rest can be run elsewhere.
    case unbegun
    /// In this chunk the items before the one at `end` had begun, and all of the chunks before it; those of them
    /// that have not ended are lost.
    case begun(Chunk, end: Int)
    /// It goes on where it cannot be stopped; its end will be reported.
    case goesOn
}

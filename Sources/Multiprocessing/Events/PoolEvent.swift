/// Something that happened in a pool; ``Pool/events`` delivers them.
///
/// ```swift
/// for await event in pool.events { logger.info("\(event)") }
/// ```
///
/// A description reads well in a log:
/// `+1.204 s worker 0 (process 4711) crashed: workerCrashed: …`.
public struct PoolEvent: Sendable {
    /// When it happened, from the moment that the pool was made, by a clock that only goes forward.
    public let time: Duration

    /// When it happened, from 1970-01-01, 00:00 UTC.
    ///
    /// It follows ``time``, so it does not jump when the system's clock is set while events are read. With Foundation,
    /// `Date(timeIntervalSince1970: event.wallTime / .seconds(1))` is the date.
    public let wallTime: Duration

    /// How many items waited for a worker when it had happened.
    public let queued: Int

    /// What happened.
    public let kind: Kind

    /// What happened, and to whom; more may be added, so a `switch` needs a `default`.
    public enum Kind: Sendable {
        /// A worker is being started.
        case workerStarting(PoolWorker)
        /// A worker is being started in the place of one that crashed, was killed or was given up.
        case workerReplaced(PoolWorker)
        /// A worker can be given work; with the time from when its start was decided.
        case workerReady(PoolWorker, after: Duration)
        /// An attempt to start a worker failed; it is tried again, or was given up.
        case workerStartFailed(PoolWorker, PoolError, triesAgain: Bool)
        /// A worker ended that nobody had asked to.
        case workerCrashed(PoolWorker, PoolError)
        /// The pool kills a worker process.
        case workerKilled(PoolWorker)
        /// The pool gives a thread up, which may work on; it gets nothing any more.
        case workerGivenUp(PoolWorker)
        /// A worker that has done or grown enough is asked to end, for another to take its place.
        case workerRecycled(PoolWorker)
        /// A worker that was asked to end, or killed, is gone.
        case workerStopped(PoolWorker)

        /// Items wait for a worker.
        case itemsQueued(PoolWork)
        /// Items that have failed wait for a worker again.
        case itemsRetried(PoolWork)
        /// Items were handed to a worker.
        ///
        /// A worker process gets small items several at a time, and begins them one after another.
        case itemsStarted(PoolWork, PoolWorker)
        /// Items ended with a value.
        case itemsFinished(PoolWork, PoolWorker)
        /// Items ended with an error, or were lost with their worker; the error is that of the first.
        case itemsFailed(PoolWork, PoolWorker?, any Error)
        /// Items passed their deadline, while they ran or while they waited; then without a worker.
        case itemsTimedOut(PoolWork, PoolWorker?)
        /// Items were cancelled, before they began or while they ran.
        ///
        /// No worker is named of those that had not begun, and of a thread that goes on with what nobody waits for.
        case itemsCancelled(PoolWork, PoolWorker?)

        /// A worker begins the pool's set-up.
        case setUpBegan(PoolWorker)
        /// A worker has done the pool's set-up.
        case setUpDone(PoolWorker, after: Duration)
        /// The pool's set-up has failed in a worker.
        case setUpFailed(PoolWorker, PoolError)

        /// The pool has another number of workers now.
        case poolResized(from: Int, to: Int)
        /// The last worker is gone, and none will come: the last event of a pool.
        case poolEnded

        /// The reader was too slow: so many events before this one are lost to it.
        case missed(Int)
    }
}

/// A worker as events and statistics name it.
public struct PoolWorker: Hashable, Sendable, Codable {
    /// Its place in the pool, from 0; its replacement has the same.
    public let index: Int

    /// How many workers had this place up to it, from 1.
    public let generation: Int

    /// Its process; `nil` on threads, and before there is one.
    public let processID: Int32?
}

/// Items that travel together: one item of `submit` or `run`, or a chunk of a call for many.
///
/// There is an event for a chunk and none for each of its items, so that events cost little. A chunk in which
/// some items failed has one event for those, and one for the others.
public struct PoolWork: Sendable {
    /// The number of the item or chunk in its pool, from 1, in the order of submission.
    ///
    /// What another worker took over of a chunk has a number of its own.
    public let number: Int

    /// How many items the event is about.
    public let items: Int

    /// What the call's options name the items.
    public let label: String?

    /// Which run of the items this is, from 1.
    public let attempt: Int

    /// How long it was queued; zero while it is.
    public let waited: Duration

    /// How long the whole chunk ran; `nil` before its end, and when its worker did not tell.
    public let ran: Duration?
}

extension PoolEvent {
    /// Something else of the same moment.
    func replacing(_ kind: Kind) -> PoolEvent {
        PoolEvent(time: time, wallTime: wallTime, queued: queued, kind: kind)
    }

    /// The worker that the event is about, if it is about one.
    public var worker: PoolWorker? {
        switch kind {
        case .workerStarting(let worker), .workerReplaced(let worker), .workerReady(let worker, after: _),
            .workerStartFailed(let worker, _, triesAgain: _), .workerCrashed(let worker, _), .workerKilled(let worker),
            .workerGivenUp(let worker), .workerRecycled(let worker), .workerStopped(let worker),
            .itemsStarted(_, let worker), .itemsFinished(_, let worker), .setUpBegan(let worker),
            .setUpDone(let worker, after: _), .setUpFailed(let worker, _):
            worker
        case .itemsFailed(_, let worker, _), .itemsTimedOut(_, let worker), .itemsCancelled(_, let worker):
            worker
        case .itemsQueued, .itemsRetried, .poolResized, .poolEnded, .missed:
            nil
        }
    }

    /// The items that the event is about, if it is about some.
    public var work: PoolWork? {
        switch kind {
        case .itemsQueued(let work), .itemsRetried(let work), .itemsStarted(let work, _), .itemsFinished(let work, _),
            .itemsFailed(let work, _, _), .itemsTimedOut(let work, _), .itemsCancelled(let work, _):
            work
        default:
            nil
        }
    }

    /// The error that the event tells of, if it tells of one.
    public var error: (any Error)? {
        switch kind {
        case .workerStartFailed(_, let error, triesAgain: _), .workerCrashed(_, let error), .setUpFailed(_, let error):
            error
        case .itemsFailed(_, _, let error):
            error
        default:
            nil
        }
    }
}

/// Counts what happens in a pool, and tells it to who reads the pool's events.
///
/// Part of what the pool's lock guards, so that numbers fit together and events come in the order in which things
/// were decided. With no reader no event is made; what is counted is a few words for each chunk.
struct Journal {
    /// What was reported to the pool, as far as anybody wants to know of it.
    enum Fact {
        case other
        case submitted(Chunk)
        case submittedTogether([Chunk])
        /// It may have to be set up first.
        case started(WorkerID, processID: Int32?)
        case setUpDone(WorkerID, UInt64)
        case ended(Chunk, WorkerID, UInt64)
        case cameBack([Chunk], WorkerID)
        /// What was one chunk is several.
        case cut([Chunk])
        // Indirect, because the error is large, and every fact would be as large.
        indirect case gone(WorkerID, HeldWork, PoolError)
        /// A worker's item was given up, and what else it held comes back.
        case interrupted(WorkerID, HeldWork)
        /// A further attempt is to be queued, now or later.
        case retried(Chunk)
        case resized(from: Int, to: Int)
        indirect case startFailed(WorkerID, PoolError)
    }

    let events: EventLog
    private let isOnThreads: Bool

    var counts = PoolStatistics()
    private(set) var tallies: [Tally] = []
    private var lastNumber: UInt64 = 0

    /// What is known of the workers of one place.
    struct Tally {
        var counts = PoolStatistics.Worker()
        /// Which worker has the place: what is told of the ones before changes none of its numbers.
        var generation: UInt64 = 0
        var startedAt: UInt64 = 0
        var busyTime: UInt64 = 0
        var waitingTime = LogHistogram()
        var runningTime = LogHistogram()
        /// Whether the worker was told to end.
        var isEnding = false
        /// Whether the worker before ended in another way than by itself, when asked.
        var isReplacement = false
    }

    init(_ events: EventLog, isOnThreads: Bool) {
        self.events = events
        self.isOnThreads = isOnThreads
    }

    // MARK: Facts

    mutating func submitted(_ chunk: Chunk, at now: UInt64) {
        number(chunk, at: now)
        counts.submitted += chunk.count
        if events.isWatched { append(.itemsQueued(work(chunk, items: chunk.count)), at: now) }
    }

    mutating func started(_ id: WorkerID, processID: Int32?) {
        change(id) { $0.counts.processID = processID }
    }

    mutating func setUpDone(_ id: WorkerID, _ nanoseconds: UInt64, at now: UInt64) {
        guard events.isWatched else { return }
        append(.setUpDone(worker(id), after: .nanoseconds(Int64(clamping: nanoseconds))), at: now)
    }

    mutating func ready(_ id: WorkerID, at now: UInt64) {
        counts.workersStarted += 1
        let start = change(id) { tally in
            tally.counts.started += 1
            return tally.startedAt
        }
        guard events.isWatched else { return }
        append(.workerReady(worker(id), after: .nanoseconds(Int64(clamping: now &- start))), at: now)
    }

    mutating func ended(_ chunk: Chunk, on id: WorkerID, _ nanoseconds: UInt64, at now: UInt64) {
        let uncounted = chunk.count - chunk.record.counted
        let ran = chunk.finishedCount - chunk.record.counted
        // A time of zero: it never ran, or its worker did not tell.
        change(id) { tally in
            tally.busyTime &+= nanoseconds
            if ran > 0, nanoseconds > 0 { tally.runningTime.record(nanoseconds / UInt64(ran), times: ran) }
        }
        hold(-uncounted, on: id)
        received(chunk, from: id)
        settle(chunk, on: id, ran: nanoseconds, at: now)
        rest(of: chunk, Chunk.cancellation, on: id, ran: nanoseconds, at: now)
    }

    /// Takes the news that a worker did not begin these; parts of a chunk are seen here first.
    mutating func cameBack(_ chunks: [Chunk], from id: WorkerID, at now: UInt64) {
        for chunk in chunks {
            number(chunk, at: now)
            chunk.record.startedAt = 0
            hold(chunk.record.counted - chunk.count, on: id)
        }
    }

    mutating func cut(_ parts: [Chunk], at now: UInt64) {
        for part in parts { number(part, at: now) }
    }

    mutating func gone(_ id: WorkerID, _ fact: HeldWork, _ error: PoolError, at now: UInt64) {
        // News of one that is gone already, as from a thread that was given up twice, is no news.
        guard tallies.count > id.index, tallies[id.index].generation == id.generation else { return }
        let current = worker(id)
        hold(-(tallies.count > id.index ? tallies[id.index].counts.running : 0), on: id)
        // It used more than it may, and was killed by those who watch that.
        let isOverLimit = error.code == .memoryLimitExceeded || error.code == .timedOut
        let wasAsked = change(id) { tally in
            defer { tally.isEnding = false }
            // Items that it still runs are not counted with the next worker.
            tally.generation = 0
            tally.counts.processID = nil
            if !tally.isEnding {
                tally.isReplacement = true
                if !isOverLimit { tally.counts.crashed += 1 }
            }
            return tally.isEnding
        }
        switch (wasAsked, isOverLimit) {
        case (true, _): break
        case (false, true): counts.workersKilled += 1
        case (false, false): counts.workersCrashed += 1
        }
        if case .begun(let chunk, end: _) = fact {
            received(chunk, from: id)
            settle(chunk, on: id, ran: 0, at: now)
        }
        guard events.isWatched else { return }
        if !wasAsked, isOverLimit { append(.workerKilled(current), at: now) }
        append(wasAsked || isOverLimit ? .workerStopped(current) : .workerCrashed(current, error), at: now)
    }

    mutating func interrupted(_ id: WorkerID, _ fact: HeldWork, at now: UInt64) {
        hold(-(tallies.count > id.index ? tallies[id.index].counts.running : 0), on: id)
        guard case .begun(let chunk, end: _) = fact else { return }
        received(chunk, from: id)
        settle(chunk, on: id, ran: 0, at: now)
    }

    mutating func retried(_ chunk: Chunk, at now: UInt64) {
        number(chunk, at: now)
        counts.submitted += chunk.count
        counts.retried += chunk.count
        if events.isWatched { append(.itemsRetried(work(chunk, items: chunk.count)), at: now) }
    }

    mutating func resized(from old: Int, to new: Int, at now: UInt64) {
        if old != new, events.isWatched { append(.poolResized(from: old, to: new), at: now) }
    }

    mutating func startFailed(_ id: WorkerID, _ error: PoolError, triesAgain: Bool, at now: UInt64) {
        change(id) { $0.isEnding = false }
        if events.isWatched { append(.workerStartFailed(worker(id), error, triesAgain: triesAgain), at: now) }
    }

    mutating func sent(_ byteCount: Int, to id: WorkerID) {
        counts.bytesSent += byteCount
        change(id) { $0.counts.bytesSent += byteCount }
    }

    // MARK: Decisions

    mutating func starting(_ id: WorkerID, at now: UInt64) {
        let isReplacement = change(id) { tally in
            defer { tally.isReplacement = false }
            tally.startedAt = now
            tally.generation = id.generation
            tally.isEnding = false
            return tally.isReplacement
        }
        guard events.isWatched else { return }
        append(isReplacement ? .workerReplaced(worker(id)) : .workerStarting(worker(id)), at: now)
    }

    mutating func assigned(_ chunk: Chunk, to id: WorkerID, at now: UInt64) {
        // What has come of it with a worker before.
        settle(chunk, on: nil, ran: 0, at: now)
        let waited = now > chunk.record.queuedAt ? now - chunk.record.queuedAt : 0
        chunk.record.startedAt = now
        chunk.record.waited = waited
        chunk.record.handed = chunk.count - chunk.record.counted
        change(id) { $0.waitingTime.record(waited) }
        let items = chunk.count - chunk.record.counted
        hold(items, on: id)
        if !isOnThreads, !chunk.record.isSent {
            chunk.record.isSent = true
            counts.bytesSent += chunk.inputSize
            let size = chunk.inputSize
            change(id) { $0.counts.bytesSent += size }
        }
        if events.isWatched { append(.itemsStarted(work(chunk, items: items), worker(id)), at: now) }
    }

    mutating func settingUp(_ id: WorkerID, at now: UInt64) {
        if events.isWatched { append(.setUpBegan(worker(id)), at: now) }
    }

    mutating func setUpFailed(_ id: WorkerID, _ error: PoolError, at now: UInt64) {
        if events.isWatched { append(.setUpFailed(worker(id), error), at: now) }
    }

    mutating func stopping(_ id: WorkerID, isRecycling: Bool, at now: UInt64) {
        change(id) { tally in
            tally.isEnding = true
            if isRecycling { tally.isReplacement = true }
        }
        guard isRecycling else { return }
        counts.workersRecycled += 1
        if events.isWatched { append(.workerRecycled(worker(id)), at: now) }
    }

    mutating func killing(_ id: WorkerID, at now: UInt64) {
        let isFirst = change(id) { tally in
            defer {
                tally.isEnding = true
                tally.isReplacement = true
            }
            return !tally.isEnding
        }
        guard isFirst else { return }
        if !isOnThreads { counts.workersKilled += 1 }
        guard events.isWatched else { return }
        append(isOnThreads ? .workerGivenUp(worker(id)) : .workerKilled(worker(id)), at: now)
    }

    /// Takes the decision that what is left of a chunk does not run.
    mutating func ending(_ chunk: Chunk, _ reason: Scheduler.Reason, at now: UInt64) {
        settle(chunk, on: nil, ran: 0, at: now)
        rest(of: chunk, reason.error, on: nil, ran: 0, at: now)
    }

    /// Takes the decision that nobody waits for a chunk any more; a thread may still run it, and may never end it.
    mutating func abandoning(_ chunk: Chunk, _ reason: Scheduler.Reason, at now: UInt64) {
        let items = min(chunk.record.handed, chunk.count - chunk.record.counted)
        guard isOnThreads, items > 0 else { return }
        chunk.record.handed = 0
        chunk.record.countedFailures += items
        fail(chunk, items, reason.error, on: nil, ran: 0, at: now)
    }

    // MARK: What came of items

    private mutating func received(_ chunk: Chunk, from id: WorkerID) {
        let bytes = chunk.receivedSize - chunk.record.countedBytes
        guard bytes > 0 else { return }
        chunk.record.countedBytes += bytes
        counts.bytesReceived += bytes
        change(id) { $0.counts.bytesReceived += bytes }
    }

    /// Counts the items that have ended since they were counted last.
    private mutating func settle(_ chunk: Chunk, on id: WorkerID?, ran: UInt64, at now: UInt64) {
        // Those that were given up are counted, whatever the thread makes of them later.
        guard chunk.record.counted < chunk.count else { return }
        let (failed, error) = chunk.failures
        let loss = chunk.pendingLoss
        let made = chunk.finishedCount - failed - chunk.record.countedValues
        var news = failed + (loss?.count ?? 0) - chunk.record.countedFailures
        if let loss, news > 0 {
            let lost = min(news, loss.count)
            news -= lost
            chunk.record.countedFailures += lost
            fail(chunk, lost, loss.error, on: id, ran: ran, at: now)
        }
        if let error, news > 0 {
            chunk.record.countedFailures += news
            fail(chunk, news, error, on: id, ran: ran, at: now)
        }
        guard made > 0 else { return }
        chunk.record.countedValues += made
        if chunk.count == 1, chunk.isCancelled {
            // Its value is nobody's.
            return fail(chunk, made, CancellationError(), on: id, ran: ran, at: now)
        }
        counts.finished += made
        guard let id else { return }
        change(id) { $0.counts.finished += made }
        if events.isWatched {
            append(.itemsFinished(work(chunk, items: made, ran: ran), worker(id)), at: now)
        }
    }

    /// Counts the items that will not end any more.
    private mutating func rest(of chunk: Chunk, _ error: any Error, on id: WorkerID?, ran: UInt64, at now: UInt64) {
        let left = chunk.count - chunk.record.counted
        guard left > 0 else { return }
        chunk.record.countedFailures += left
        fail(chunk, left, error, on: id, ran: ran, at: now)
    }

    private mutating func fail(
        _ chunk: Chunk, _ items: Int, _ error: any Error, on id: WorkerID?, ran: UInt64, at now: UInt64
    ) {
        let isTimeOut = (error as? PoolError)?.code == .timedOut
        let isCancellation = error is CancellationError
        if isCancellation {
            counts.cancelled += items
        } else if isTimeOut {
            counts.timedOut += items
        } else {
            counts.failed += items
        }
        if let id { change(id) { $0.counts.failed += items } }
        guard events.isWatched else { return }
        let work = work(chunk, items: items, ran: ran)
        let worker = id.map { self.worker($0) }
        let kind: PoolEvent.Kind =
            if isCancellation {
                .itemsCancelled(work, worker)
            } else if isTimeOut {
                .itemsTimedOut(work, worker)
            } else {
                .itemsFailed(work, worker, error)
            }
        append(kind, at: now)
    }

    // MARK: Names

    private mutating func number(_ chunk: Chunk, at now: UInt64) {
        guard chunk.record.number == 0 else { return }
        lastNumber += 1
        chunk.record.number = lastNumber
        chunk.record.queuedAt = now
    }

    private func work(_ chunk: Chunk, items: Int, ran: UInt64 = 0) -> PoolWork {
        PoolWork(
            number: Int(clamping: chunk.record.number), items: items, label: chunk.label, attempt: chunk.attempt,
            waited: .nanoseconds(Int64(clamping: chunk.record.waited)),
            ran: ran == 0 ? nil : .nanoseconds(Int64(clamping: ran)))
    }

    func worker(_ id: WorkerID) -> PoolWorker {
        let processID = id.index < tallies.count ? tallies[id.index].counts.processID : nil
        return PoolWorker(index: id.index, generation: Int(clamping: id.generation), processID: processID)
    }

    private func append(_ kind: PoolEvent.Kind, at now: UInt64) {
        let ended = counts.finished + counts.failed + counts.timedOut + counts.cancelled
        events.append(kind, queued: max(0, counts.submitted - ended - counts.running), at: now)
    }

    /// Notes that a worker has so many more items, or fewer; what belongs to a worker before it is not counted.
    private mutating func hold(_ items: Int, on id: WorkerID) {
        let isCounted = change(id) { tally in
            guard tally.generation == id.generation else { return false }
            tally.counts.running += items
            return true
        }
        if isCounted { counts.running += items }
    }

    @discardableResult
    private mutating func change<Result>(_ id: WorkerID, _ body: (inout Tally) -> Result) -> Result {
        while tallies.count <= id.index {
            var tally = Tally()
            tally.counts.index = tallies.count
            tallies.append(tally)
        }
        return body(&tallies[id.index])
    }
}

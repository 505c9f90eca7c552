import Dispatch
import MultiprocessingSystem
import Synchronization

/// The one owner of a pool's state: feeds events to the scheduler and performs its actions.
///
/// It outlives the ``Pool`` that made it for as long as workers or pending futures need it.
@usableFromInline
final class PoolCore: WorkerReporting {
    /// How many workers there are at most.
    var workerCount: Int { size.load(ordering: .relaxed) }

    private let size: Atomic<Int>

    /// Where completion handlers run, one at a time, so that a handler that blocks stalls no worker.
    let callbackQueue = DispatchQueue(label: "Multiprocessing.callbacks")

    /// Whether work has to be encoded, because workers are other processes.
    let needsPortableWork: Bool

    /// The callers' task-locals that go to worker processes, if there are such.
    let carrier: TaskLocalCarrier?

    /// The options of calls that say nothing, checked.
    private let defaults: WorkOptions

    /// What holds for those calls.
    private let defaultCall: CallOptions

    /// After how many items a worker is replaced, if it is.
    let recyclingItems: Int?

    /// Whether workers are replaced because of the memory that they have.
    private let measuresMemory: Bool

    let state: Mutex<State>

    /// How many a pool's results can still reach: the pool itself, and each pending future that somebody holds.
    private let observers = Atomic(1)

    /// How long the last single item ran, in nanoseconds.
    let recentTime = Atomic<UInt64>(.max)

    /// An item that ran for less may be waited for without sleeping.
    static let briefTime: UInt64 = 20_000

    let callerWait = BusyWait(.caller)

    /// How often a stream's consumer had to wait; for tests.
    let streamWaits = Atomic(0)

    /// How many threads are about to end chunks that the scheduler has let go of.
    private let endsInProgress = Atomic(0)

    /// How many decisions workers are still to be told of; the thread that brings the first tells them all.
    private let untoldCount = Atomic(0)

    /// When the scheduler is told that its time has come; without the alarm itself while that is being set.
    private let alarm = Mutex<(time: UInt64, set: AlarmClock.Alarm?)?>(nil)

    /// What happens, for those who read it.
    let events = EventLog()

    /// The process that the workers and threads belong to; in one that is forked off it there are none.
    let origin = ForkMark()

    /// Whether the workers are gone and none will come.
    private let isOver = Atomic(false)

    /// Called for each worker that has ended, or could not be started, before anything comes of it: with its end, and
    /// whether the worker had not ended all that it was given.
    private let onWorkerEnd: (@Sendable (PoolError, _ isHolding: Bool) -> Void)?

    struct State {
        var scheduler: Scheduler
        /// What has happened, counted, and told to who reads it.
        var journal: Journal
        /// The workers, until the end.
        var group: (any WorkerGroup)?
        /// What the thread that is telling workers something has to tell them behind that.
        fileprivate var untold = RingQueue<[Scheduler.Action]>()
        var isFinished = false
        var finishWaiters: [CheckedContinuation<Void, Never>] = []
        /// What is called at the end; it does not block.
        var finishCallbacks: [@Sendable () -> Void] = []
        /// What each worker runs first.
        var setUp: SetUpWork?
        /// Who waits for all workers to be ready.
        var startWaiters = StartWaiters()

        fileprivate mutating func takeWaiters() -> [CheckedContinuation<Void, Never>] {
            defer { finishWaiters = [] }
            return finishWaiters
        }

        fileprivate mutating func takeCallbacks() -> [@Sendable () -> Void] {
            defer { finishCallbacks = [] }
            return finishCallbacks
        }
    }

    init(
        backend: any Backend, workerCount: Int, carrying locals: [CarriedTaskLocal],
        defaults: WorkOptions = WorkOptions(), rules: SchedulerRules = SchedulerRules(),
        onWorkerEnd: (@Sendable (PoolError, Bool) -> Void)? = nil
    ) throws {
        // Every pool has a mark. Dispatch does not know that the threads it had for the first one are not here.
        if ForkMark.isFork { throw PoolError.madeInFork }
        WorkerActorSystem.install()
        size = Atomic(workerCount)
        recyclingItems = rules.recyclingItems
        measuresMemory = rules.recyclingGrowth != nil
        self.defaults = defaults
        defaultCall = try WorkOptions().call(over: defaults)
        self.onWorkerEnd = onWorkerEnd
        guard let backend = backend as? any WorkerBackend else { throw PoolError.foreignBackend(type(of: backend)) }
        needsPortableWork = backend.needsPortableWork
        carrier =
            needsPortableWork && !locals.isEmpty ? try TaskLocalCarrier(locals) : nil
        let scheduler = Scheduler(
            workerCount: workerCount, formsLots: needsPortableWork, inquires: needsPortableWork, rules: rules)
        state = Mutex(State(scheduler: scheduler, journal: Journal(events, isOnThreads: !needsPortableWork)))
        let group = try backend.makeWorkers(count: workerCount, reportingTo: WorkerEvents(to: self))
        state.withLock { $0.group = group }
    }

    /// Why no work is taken any more; `nil` while it is.
    var refusal: PoolError? {
        // First: in a forked process the lock may be held by a thread that is not there.
        if origin.isElsewhere { return .forked }
        return state.withLock { $0.scheduler.phase == .open } ? nil : .poolShutDown
    }

    /// Has the scheduler know how much memory a worker has, which has nothing to do at this moment.
    private func noteMemory(of worker: WorkerID) {
        guard let memory = state.withLock({ $0.group })?.memory(of: worker) else { return }
        state.withLock { $0.scheduler.note(memory: memory, of: worker) }
    }

    // MARK: Work

    /// Has each worker run something first; before there is any.
    func setUp(with work: ItemFunction<Void, Void>) throws {
        let setUp = try SetUpWork(work, isPortable: needsPortableWork)
        state.withLock { $0.setUp = setUp }
    }

    /// What holds for a call with these options.
    ///
    /// - Throws: ``PoolError/Code/invalidArgument`` naming the option.
    func call(_ options: WorkOptions) throws -> CallOptions {
        options.isEmpty ? defaultCall : try options.call(over: defaults)
    }

    /// Queues a chunk, or has it handed to an idle worker.
    func submit(_ chunk: Chunk) {
        if origin.isElsewhere { return chunk.endOnce(failing: PoolError.forked, nanoseconds: 0) }
        let now = MonotonicTime.now().nanoseconds
        perform(.submitted(chunk), at: now) { $0.submit(chunk, now: now) }
    }

    /// Queues chunks that come together, or has them handed to idle workers; each of these is told once.
    func submit(_ chunks: [Chunk]) {
        if chunks.count == 1 { return submit(chunks[0]) }
        if origin.isElsewhere {
            for chunk in chunks { chunk.endOnce(failing: PoolError.forked, nanoseconds: 0) }
            return
        }
        let now = MonotonicTime.now().nanoseconds
        perform(.submittedTogether(chunks), at: now) { $0.submit(chunks, now: now) }
    }

    /// Queues the rest of what was submitted before, and was begun.
    func resubmit(_ chunk: Chunk) {
        if origin.isElsewhere { return chunk.endOnce(failing: PoolError.forked, nanoseconds: 0) }
        let now = MonotonicTime.now().nanoseconds
        perform(.submitted(chunk), at: now) { $0.submit(chunk, isRest: true, now: now) }
    }

    /// Cancels a chunk that was submitted.
    func cancel(_ chunk: Chunk) {
        chunk.markCancelled()
        if origin.isElsewhere { return }
        perform { $0.cancel(chunk, now: MonotonicTime.now().nanoseconds) }
    }

    /// Changes how many workers there are at most, from now on.
    func resize(to count: Int) throws {
        if let refusal { throw refusal }
        perform(.resized(from: workerCount, to: count)) { scheduler in
            // With the lock held, so that it follows the scheduler.
            if scheduler.phase == .open { size.store(count, ordering: .relaxed) }
            return scheduler.resize(to: count, now: MonotonicTime.now().nanoseconds)
        }
        settleStarts()
    }

    /// Queues a further attempt of an item, when its pause is over.
    func retry(_ chunk: Chunk, after pause: Duration) {
        if origin.isElsewhere { return chunk.endOnce(failing: PoolError.forked, nanoseconds: 0) }
        let now = MonotonicTime.now()
        perform(.retried(chunk), at: now.nanoseconds) {
            $0.retry(chunk, at: now.advanced(by: pause).nanoseconds, now: now.nanoseconds)
        }
    }

    /// Whether there is a point in a further attempt.
    var takesRetries: Bool { !origin.isElsewhere && state.withLock { $0.scheduler.phase != .terminated } }

    // MARK: Events from the workers

    func workerReady(_ worker: WorkerID) {
        let now = MonotonicTime.now().nanoseconds
        let processID = state.withLock { $0.group }?.processID(of: worker)
        if measuresMemory { noteMemory(of: worker) }
        perform(.started(worker, processID: processID), at: now) { $0.workerReady(worker, now: now) }
        settleStarts()
    }

    private func setUpEnded(on worker: WorkerID, with chunk: SetUpChunk, nanoseconds: UInt64) {
        chunk.endOnce(failing: Chunk.cancellation, nanoseconds: nanoseconds)
        let now = MonotonicTime.now().nanoseconds
        let fact: Journal.Fact = chunk.failure == nil ? .setUpDone(worker, nanoseconds) : .other
        perform(fact, at: now) { $0.setUpEnded(worker, chunk.failure, now: now) }
        settleStarts()
    }

    func workEnded(on worker: WorkerID, with chunk: Chunk, nanoseconds: UInt64) {
        if let setUp = chunk as? SetUpChunk { return setUpEnded(on: worker, with: setUp, nanoseconds: nanoseconds) }
        if chunk.count == 1 { recentTime.store(nanoseconds, ordering: .relaxed) }
        if measuresMemory { noteMemory(of: worker) }
        let now = MonotonicTime.now().nanoseconds
        perform(.ended(chunk, worker, nanoseconds), at: now, ending: chunk, nanoseconds) {
            $0.workEnded(on: worker, now: now)
        }
    }

    func sent(_ byteCount: Int, to worker: WorkerID) {
        state.withLock { $0.journal.sent(byteCount, to: worker) }
    }

    func chunkEnded(on worker: WorkerID, with chunk: Chunk, nanoseconds: UInt64) {
        noteEnd(of: chunk, on: worker, nanoseconds)
        chunk.endOnce(failing: Chunk.cancellation, nanoseconds: nanoseconds)
    }

    func reclaimed(_ chunks: [Chunk], from worker: WorkerID) {
        let now = MonotonicTime.now().nanoseconds
        perform(.cameBack(chunks, worker), at: now) { $0.reclaimed(chunks, from: worker, now: now) }
    }

    func workerEnded(_ worker: WorkerID, holding: HeldWork, error: PoolError) {
        if let onWorkerEnd { onWorkerEnd(error, state.withLock { $0.scheduler.isHolding(worker) }) }
        let now = MonotonicTime.now().nanoseconds
        perform(.gone(worker, holding, error), at: now) {
            $0.workerEnded(worker, holding: holding, error: error, now: now)
        }
        settleStarts()
    }

    func working(on chunk: Chunk, item: Int, since: UInt64?, _ worker: WorkerID) {
        perform { $0.working(on: chunk, item: item, since: since, worker, now: MonotonicTime.now().nanoseconds) }
    }

    func interrupted(_ worker: WorkerID, holding: HeldWork) {
        perform(.interrupted(worker, holding)) {
            $0.interrupted(worker, holding: holding, now: MonotonicTime.now().nanoseconds)
        }
    }

    func recovered(_ worker: WorkerID) {
        perform { $0.recovered(worker, now: MonotonicTime.now().nanoseconds) }
    }

    func actorEnded(_ actor: UInt64, on worker: WorkerID) {
        perform { $0.actorEnded(actor, on: worker, now: MonotonicTime.now().nanoseconds) }
    }

    func progressed(on worker: WorkerID, chunk: Chunk, item: Int, fraction: Double, text: String) {
        chunk.receiveProgress(fraction, text)
    }

    func startFailed(_ worker: WorkerID, error: PoolError, wasKilled: Bool) {
        onWorkerEnd?(error, true)
        let now = MonotonicTime.now().nanoseconds
        perform(.startFailed(worker, error), at: now) {
            $0.startFailed(worker, error: error, wasKilled: wasKilled, now: now)
        }
        settleStarts()
    }

    // MARK: The end

    func shutDown() async {
        // The workers are another process's, and go on for it.
        if origin.isElsewhere { return }
        perform { $0.shutDown() }
        settleStarts()
        await waitUntilFinished()
    }

    func terminate() async {
        if origin.isElsewhere { return }
        perform { $0.terminate() }
        settleStarts()
        await waitUntilFinished()
    }

    /// Takes no more work; returns at once, and the workers end when what was submitted has ended.
    func close() {
        perform { $0.shutDown() }
    }

    /// Ends the workers and what they run; returns at once.
    func abandon() {
        perform { $0.terminate() }
    }

    /// Calls `body`, which does not block, once the last worker is gone; at once if it is.
    func onFinished(_ body: @escaping @Sendable () -> Void) {
        let isFinished = state.withLock { state in
            if !state.isFinished { state.finishCallbacks.append(body) }
            return state.isFinished
        }
        if isFinished { body() }
    }

    private func waitUntilFinished() async {
        await withCheckedContinuation { continuation in
            let isFinished = state.withLock { state in
                if state.isFinished { return true }
                state.finishWaiters.append(continuation)
                return false
            }
            if isFinished { continuation.resume() }
        }
    }

    // MARK: Being dropped

    func addObserver() {
        observers.wrappingAdd(1, ordering: .relaxed)
    }

    /// Ends the workers when nobody is left who could see a result or submit more work.
    ///
    /// Never blocks: it runs in `deinit`, on any thread.
    func removeObserver() {
        if observers.wrappingSubtract(1, ordering: .acquiringAndReleasing).newValue == 0, !origin.isElsewhere {
            perform { $0.terminate(stopsIdle: true) }
        }
    }

    // MARK: Actions

    /// Feeds one event to the scheduler and does what it answers, with the lock released.
    ///
    /// Workers are told in the order in which it was decided, whichever threads decide: while one
    /// thread tells them something, others leave to it what comes next. Nobody waits for that. A
    /// worker gets its next chunk before the last one's waiters are resumed, so that it works meanwhile.
    ///
    /// - Returns: The worker that is handed something, if one is.
    @discardableResult
    func perform(
        _ fact: Journal.Fact = .other,
        at now: UInt64? = nil,
        ending chunk: Chunk? = nil,
        _ nanoseconds: UInt64 = 0,
        _ event: (inout Scheduler) -> Scheduler.Actions
    ) -> WorkerID? {
        // Not returned from the lock, which would copy it.
        var actions = Scheduler.Actions()
        let group: (any WorkerGroup)? = state.withLock { state in
            actions = event(&state.scheduler)
            state.scheduler.takeDropped(into: &actions)
            state.note(fact, actions, at: now)
            if chunk != nil || actions.endsWork { endsInProgress.wrappingAdd(1, ordering: .relaxed) }
            guard actions.tellsWorkers, let group = state.group else { return nil }
            if untoldCount.wrappingAdd(1, ordering: .acquiring).oldValue > 0 {
                state.untold.append(actions.orders)
                return nil
            }
            return group
        }
        events.wakeReaders()
        if actions.cutsWork { cut(actions) }
        if let group { tell(group, actions) }
        if chunk != nil || actions.endsWork {
            chunk?.endOnce(failing: Chunk.cancellation, nanoseconds: nanoseconds)
            actions.forEach { action in
                if case .end(let chunk, let reason) = action { chunk.endOnce(failing: reason.error, nanoseconds: 0) }
            }
            endsInProgress.wrappingSubtract(1, ordering: .sequentiallyConsistent)
            finishIfOver()
        }
        return actions.assignee
    }

    /// Tells workers what was decided, and what is decided meanwhile.
    private func tell(_ group: any WorkerGroup, _ actions: Scheduler.Actions) {
        actions.forEach { tell(group, $0) }
        // Released and acquired, so that workers see what was told in this order whoever tells it.
        while untoldCount.wrappingSubtract(1, ordering: .acquiringAndReleasing).newValue > 0 {
            let orders = state.withLock { $0.untold.popFirst() } ?? []
            for order in orders { tell(group, order) }
        }
    }

    private func tell(_ group: any WorkerGroup, _ action: Scheduler.Action) {
        switch action {
        case .assign(let next, let others, let worker):
            next.failLost()
            for other in others { other.failLost() }
            group.assign(next, then: others, to: worker)
        case .reclaim(let worker): group.reclaim(from: worker)
        case .start(let worker): group.start(worker)
        case .setUp(let worker):
            if let chunk = state.withLock({ $0.setUp })?.makeChunk() { group.assign(chunk, then: [], to: worker) }
        case .watchActor(let actor, let worker): group.watchActor(actor, on: worker)
        case .inquire(let worker): group.inquire(worker)
        case .inspect(let worker): group.inspect(worker)
        case .interrupt(let worker, let chunk, let item): group.interrupt(worker, running: chunk, item: item)
        case .wake(let time): wake(at: time)
        case .cancel(let chunk, let worker): group.cancel(chunk, on: worker)
        case .stop(let worker): group.stop(worker)
        case .kill(let worker): group.kill(worker)
        case .finished:
            isOver.store(true, ordering: .sequentiallyConsistent)
            finishIfOver()
        // Here, because it comes before its worker is killed, which would end it in another way.
        case .abandon(let chunk, let reason): chunk.abandon(reason.error)
        case .end, .cut, .setUpFailed: break
        }
    }

    /// Cuts a chunk that nobody else has, and hands in its parts.
    private func cut(_ actions: Scheduler.Actions) {
        actions.forEach { action in
            guard case .cut(let chunk, let places) = action else { return }
            if chunk.hasLoss { chunk.tellLosses() }
            let parts = chunk.cut(before: places)
            perform(.cut(parts)) { $0.cut(parts, now: MonotonicTime.now().nanoseconds) }
        }
    }

    /// Has the scheduler told when a time has come; once, for it then asks again for what is still to come.
    private func wake(at time: UInt64) {
        let (isFirst, later) = alarm.withLock { alarm in
            if let alarm, alarm.time <= time { return (false, nil as AlarmClock.Alarm?) }
            let later = alarm?.set
            alarm = (time, nil)
            return (true, later)
        }
        guard isFirst else { return }
        // Left to go off, it would ask for a call of its own each time.
        if let later { AlarmClock.shared.cancel(later) }
        let set = AlarmClock.shared.call(at: MonotonicTime(nanoseconds: time)) { [weak self] in
            self?.forgetAlarm(time)
            self?.timeIsUp()
        }
        guard let set else {
            forgetAlarm(time)
            perform { $0.clockFailed(now: MonotonicTime.now().nanoseconds) }
            return
        }
        let isWanted = alarm.withLock { alarm in
            guard alarm?.time == time else { return false }
            alarm?.set = set
            return true
        }
        // It has gone off, or an earlier one was asked for meanwhile.
        if !isWanted { AlarmClock.shared.cancel(set) }
    }

    private func forgetAlarm(_ time: UInt64) {
        alarm.withLock { alarm in
            if alarm?.time == time { alarm = nil }
        }
    }

    private func timeIsUp() {
        perform { $0.timeIsUp(now: MonotonicTime.now().nanoseconds) }
        settleStarts()
    }

    /// Tells of the pool's end once every result has been delivered, whichever thread delivers the last.
    private func finishIfOver() {
        guard isOver.load(ordering: .sequentiallyConsistent),
            endsInProgress.load(ordering: .sequentiallyConsistent) == 0
        else { return }
        let (group, waiters, callbacks) = state.withLock { state in
            // An attempt that was asked for since then is still to come.
            guard state.scheduler.seal() else {
                return (nil as (any WorkerGroup)?, [CheckedContinuation<Void, Never>](), [@Sendable () -> Void]())
            }
            state.isFinished = true
            return (state.group.take(), state.takeWaiters(), state.takeCallbacks())
        }
        events.finish()
        let tellEnd = { @Sendable in
            waiters.forEach { $0.resume() }
            callbacks.forEach { $0() }
        }
        if let group { group.close(tellEnd) } else { tellEnd() }
    }
}

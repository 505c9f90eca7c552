import Glibc
import Multiprocessing
import TestSupport
import Testing

/// A world of workers around the scheduler, in which anything that can happen does.
///
/// It performs the scheduler's actions as the pool and a backend would, and notes every
/// breach of what must hold: no chunk is lost, ended twice or held by two workers, no item is lost
/// where chunks are cut, no more workers live than are wanted, nobody waits for a call that does
/// not come, no worker is stopped under an actor that keeps it, actors are spread evenly, and the end is reported once.
private struct SchedulerModel {
    private enum State: Equatable {
        case starting
        case settingUp
        case ready
        case dying
    }

    private struct Process {
        var state = State.starting
        /// What it holds, in order; the first is the one that runs.
        var chunks: [Chunk] = []
        /// Whether it was asked for what it has not begun.
        var isReclaiming = false
        /// Whether it was asked for that since it was given work.
        var wasAsked = false
        /// When the item that runs began.
        var itemStart: UInt64 = 0
        /// Whether it runs an item that was given up.
        var isOverstaying = false
        /// When its work was given up.
        var interruptTime: UInt64 = 0
        /// When its set-up began.
        var setUpStart: UInt64 = 0
        /// The actors that it has, and which of them keep it.
        var actors: [UInt64: Bool] = [:]
        /// Whether it has never been ready, so that its end is that of a start.
        var isNew = true
    }

    private(set) var scheduler: Scheduler
    private(set) var breaches: [String] = []
    private var submittedItems = 0
    private var endedItems = 0
    private var finishedCount = 0

    private var workerCount: Int
    private let rules: SchedulerRules
    private let hasClock: Bool
    private let error: PoolError
    private var random: RandomSource
    private var now: UInt64 = 0
    private var alarms: [UInt64] = []
    private var processes: [WorkerID: Process] = [:]
    private var open: [ObjectIdentifier: Chunk] = [:]
    private var waitTimes: [ObjectIdentifier: UInt64] = [:]
    /// Whether each actor that was made keeps its worker.
    private var madeActors: [UInt64: Bool] = [:]
    /// Chunks that are to be cut before the items with these numbers.
    private var cuts: [(chunk: Chunk, places: [Int])] = []

    init(workerCount: Int, seed: UInt64, error: PoolError) {
        random = RandomSource(seed: seed)
        rules = Self.makeRules(&random)
        scheduler = Scheduler(workerCount: workerCount, formsLots: Bool.random(using: &random), rules: rules)
        hasClock = Int.random(in: 0..<4, using: &random) > 0
        self.workerCount = workerCount
        self.error = error
    }

    private static func makeRules(_ random: inout RandomSource) -> SchedulerRules {
        var rules = SchedulerRules()
        rules.gracePeriod = [0, 30_000, 1_000_000_000].randomElement(using: &random) ?? 0
        rules.recyclingItems = [nil, nil, 1, 20].randomElement(using: &random) ?? nil
        rules.recyclingAge = [nil, nil, 100_000, 2_000_000_000].randomElement(using: &random) ?? nil
        rules.recyclingGrowth = [nil, nil, 1_000].randomElement(using: &random) ?? nil
        rules.setUpTimeout = [nil, nil, 60_000, 2_000_000_000].randomElement(using: &random) ?? nil
        rules.idleTimeout = [nil, nil, 50_000, 1_000_000_000].randomElement(using: &random) ?? nil
        return rules
    }

    mutating func step() {
        // Mostly little, so that work is quick and handed out together, and now and then long.
        let most: UInt64 = Int.random(in: 0..<10, using: &random) == 0 ? 1_500_000_000 : 20_000
        now += UInt64.random(in: 0...most, using: &random)
        ring()
        switch Int.random(in: 0..<100, using: &random) {
        case 0..<26: submit()
        case 26..<30: submitPlacement()
        case 30..<40: becomeReady()
        case 40..<44: endSetUp()
        case 44..<52: advance()
        case 52..<70: endChunk()
        case 70..<74: giveBack()
        case 74..<80: cut()
        case 80..<86: die()
        case 86..<89: failStart()
        case 89..<94: cancel()
        case 94..<97: recover()
        case 97: resize()
        case 98: endActor()
        default: sendStaleNews()
        }
        check()
    }

    /// Lets everything that is under way come to its end.
    mutating func settle() {
        var turns = 0
        while !scheduler.isFinished, breaches.isEmpty, turns < 10_000 {
            turns += 1
            now = max(now, alarms.min() ?? 0)
            ring()
            becomeReady()
            endSetUp()
            giveBack()
            cut()
            endChunk()
            recover()
            die(only: .dying)
            check()
        }
        if !scheduler.isFinished { breaches.append("something is waited for that does not come") }
        if scheduler.isFinished, !scheduler.seal() { breaches.append("the end is not final") }
        if breaches.isEmpty { perform(scheduler.retry(makeChunk(), at: now, now: now)) }
        if finishedCount != 1 { breaches.append("the end was reported \(finishedCount) times") }
        if !open.isEmpty { breaches.append("\(open.count) chunks were lost") }
        if endedItems != submittedItems { breaches.append("\(endedItems) of \(submittedItems) items ended") }
    }

    mutating func shutDown() { perform(scheduler.shutDown()) }

    mutating func terminate() { perform(scheduler.terminate()) }

    // MARK: Events

    /// Calls at the times that were asked for; now and then too early.
    private mutating func ring() {
        let time = now
        let due = alarms.count { $0 <= time }
        alarms.removeAll { $0 <= time }
        for _ in 0..<due { perform(scheduler.timeIsUp(now: time)) }
        if Int.random(in: 0..<100, using: &random) == 0 { perform(scheduler.timeIsUp(now: time)) }
    }

    private mutating func submit() {
        if Int.random(in: 0..<8, using: &random) == 0 { return retry() }
        guard Int.random(in: 0..<4, using: &random) == 0 else {
            let isRest = Int.random(in: 0..<8, using: &random) == 0
            return perform(scheduler.submit(makeChunk(), isRest: isRest, now: now))
        }
        var chunks: [Chunk] = []
        for _ in 0..<Int.random(in: 2...6, using: &random) { chunks.append(makeChunk()) }
        perform(scheduler.submit(chunks, now: now))
    }

    /// Hands in a further attempt of an item, which waits for its time, while there is an end to wait for.
    private mutating func retry() {
        guard !scheduler.isFinished else { return }
        let chunk = makeChunk()
        let time = now + [0, 10_000, 700_000_000].randomElement(using: &random)!
        waitTimes[ObjectIdentifier(chunk)] = max(time, now)
        perform(scheduler.retry(chunk, at: time, now: now))
    }

    private mutating func makeChunk() -> Chunk {
        let count = Int.random(in: 1...12, using: &random)
        let chunk = Chunk.placeholder(
            count: count, stride: Int.random(in: 1...count + 1, using: &random),
            tellsLosses: .random(using: &random))
        chunk.isPrompt = Int.random(in: 0..<3, using: &random) == 0
        // Most often without limits.
        chunk.limits.timeout = [nil, nil, 40_000, 800_000_000].randomElement(using: &random) ?? nil
        chunk.limits.queueTimeout = [nil, nil, nil, 60_000, 900_000_000].randomElement(using: &random) ?? nil
        waitTimes[ObjectIdentifier(chunk)] = now
        open[ObjectIdentifier(chunk)] = chunk
        submittedItems += count
        return chunk
    }

    private mutating func submitPlacement() {
        let chunk = Chunk.placeholder(count: 1)
        chunk.placement = ActorPlacement(keepsWorker: Int.random(in: 0..<4, using: &random) > 0)
        open[ObjectIdentifier(chunk)] = chunk
        submittedItems += 1
        perform(scheduler.submit(chunk, now: now))
    }

    /// Most often a chunk that makes an actor has made one.
    private mutating func makeActor(with chunk: Chunk) {
        guard let placement = chunk.placement, Int.random(in: 0..<5, using: &random) > 0 else { return }
        let actor = UInt64(madeActors.count)
        madeActors[actor] = placement.keepsWorker
        chunk.placement?.actor = actor
    }

    private mutating func endActor() {
        guard let worker = pick({ !$0.actors.isEmpty }, using: &random),
            let actor = processes[worker]?.actors.keys.sorted().randomElement(using: &random)
        else { return }
        processes[worker]?.actors[actor] = nil
        perform(scheduler.actorEnded(actor, on: worker, now: now))
    }

    private func pick(_ isWanted: (Process) -> Bool, using random: inout RandomSource) -> WorkerID? {
        processes.filter { isWanted($0.value) }.keys
            .sorted { ($0.index, $0.generation) < ($1.index, $1.generation) }
            .randomElement(using: &random)
    }

    private mutating func becomeReady() {
        guard let worker = pick({ $0.state == .starting }, using: &random) else { return }
        processes[worker]?.state = rules.setUpTimeout == nil ? .ready : .settingUp
        processes[worker]?.isNew = false
        processes[worker]?.setUpStart = now
        noteMemory(of: worker)
        perform(scheduler.workerReady(worker, now: now))
    }

    /// A worker ends what it had to do before its first item, one way or the other.
    private mutating func endSetUp() {
        guard let worker = pick({ $0.state == .settingUp }, using: &random) else { return }
        let failure = Int.random(in: 0..<4, using: &random) == 0 ? error : nil
        processes[worker]?.state = .ready
        let waiting = scheduler.queuedCount
        let actions = scheduler.setUpEnded(worker, failure, now: now)
        if failure != nil, scheduler.queuedCount > 0 {
            breaches.append("\(scheduler.queuedCount) of \(waiting) chunks wait on after a set-up has failed")
        }
        perform(actions)
    }

    /// A worker ends some of its chunk's items.
    private mutating func advance() {
        guard let worker = pick({ $0.state == .ready && !$0.chunks.isEmpty }, using: &random),
            let chunk = processes[worker]?.chunks.first
        else { return }
        let finished = Int.random(in: chunk.finishedCount..<chunk.count, using: &random)
        guard finished > chunk.finishedCount else { return }
        chunk.finishedCount = finished
        processes[worker]?.itemStart = now
    }

    private mutating func endChunk() {
        guard let worker = pick({ $0.state == .ready && !$0.chunks.isEmpty }, using: &random),
            let chunk = processes[worker]?.chunks.removeFirst()
        else { return }
        chunk.finishedCount = chunk.count
        processes[worker]?.itemStart = now
        makeActor(with: chunk)
        if processes[worker]?.chunks.isEmpty == true {
            noteMemory(of: worker)
            let actions = scheduler.workEnded(on: worker, now: now)
            end(chunk)
            perform(actions)
            if let actor = chunk.placement?.actor, processes[worker]?.actors[actor] == nil {
                breaches.append("an actor is not watched")
            }
        } else {
            end(chunk)
        }
    }

    /// What a worker has to itself is looked at when it is about to be ready, and when it has ended its work.
    private mutating func noteMemory(of worker: WorkerID) {
        scheduler.note(memory: .random(in: 0...2_000, using: &random), of: worker)
    }

    private mutating func giveBack() {
        guard let worker = pick({ $0.isReclaiming }, using: &random), var process = processes[worker] else { return }
        process.isReclaiming = false
        // The first may or may not have begun.
        var back = process.chunks
        if let first = process.chunks.first, first.finishedCount > 0 || Bool.random(using: &random) {
            back.removeFirst()
            // A stride is the least that has begun.
            let least = min(first.count, first.finishedCount + first.strideLength)
            if let part = first.split(keeping: Int.random(in: least...first.count, using: &random)) {
                open[ObjectIdentifier(part)] = part
                waitTimes[ObjectIdentifier(part)] = waitTimes[ObjectIdentifier(first)]
                back.insert(part, at: 0)
            }
        }
        process.chunks.removeAll { held in back.contains { $0 === held } }
        processes[worker] = process
        perform(scheduler.reclaimed(back, from: worker, now: now))
    }

    private mutating func cut() {
        guard let index = cuts.indices.randomElement(using: &random) else { return }
        let (chunk, places) = cuts.remove(at: index)
        chunk.tellLosses()
        let parts = chunk.cut(before: places)
        if parts.count != places.count + 1 || parts.contains(where: { $0.count < 1 }) {
            breaches.append("a chunk was to be cut where it cannot be")
        }
        let start = waitTimes[ObjectIdentifier(chunk)]
        for part in parts {
            open[ObjectIdentifier(part)] = part
            waitTimes[ObjectIdentifier(part)] = start
        }
        // One that has lost items was with a worker that is gone.
        if places.isEmpty { noteWait(of: parts) }
        perform(scheduler.cut(parts, now: now))
    }

    private mutating func die(only state: State? = nil) {
        guard let worker = pick({ state == nil || $0.state == state }, using: &random),
            let process = processes.removeValue(forKey: worker)
        else { return }
        noteWait(of: process.chunks)
        perform(scheduler.workerEnded(worker, holding: account(process.chunks), error: error, now: now))
    }

    /// What a worker had done of what it held: most often nothing of it, or a part of the first.
    private mutating func account(_ chunks: [Chunk]) -> HeldWork {
        guard let first = chunks.first, Bool.random(using: &random) else { return .unbegun }
        // One that lies, or of which results are lost, may have begun any of them.
        let chunk = Bool.random(using: &random) ? first : chunks.randomElement(using: &random) ?? first
        return .begun(chunk, end: Int.random(in: chunk.finishedCount...chunk.count, using: &random))
    }

    private mutating func failStart() {
        // One that is to end may have failed to start before it could be killed.
        guard let worker = pick({ $0.state == .starting || $0.state == .dying && $0.isNew }, using: &random) else {
            return
        }
        processes[worker] = nil
        let wasKilled = Int.random(in: 0..<3, using: &random) == 0
        perform(scheduler.startFailed(worker, error: error, wasKilled: wasKilled, now: now))
    }

    private mutating func cancel() {
        let chunks = open.values.sorted { ObjectIdentifier($0) < ObjectIdentifier($1) }
        guard let chunk = chunks.randomElement(using: &random) else { return }
        chunk.markCancelled()
        perform(scheduler.cancel(chunk, now: now))
    }

    /// A worker has done with an item that was given up.
    private mutating func recover() {
        guard let worker = pick({ $0.state == .ready && $0.isOverstaying }, using: &random) else { return }
        processes[worker]?.isOverstaying = false
        perform(scheduler.recovered(worker, now: now))
    }

    private mutating func resize() {
        let count = Int.random(in: 1...5, using: &random)
        if scheduler.phase == .open { workerCount = count }
        perform(scheduler.resize(to: count, now: now))
    }

    private mutating func inspect(_ worker: WorkerID) {
        // It may have ended all that it held, and say so next.
        guard let process = processes[worker], process.state == .ready, let chunk = process.chunks.first,
            Bool.random(using: &random) || !chunk.isDivisible
        else { return }
        // When an item behind another began is not always known.
        let since = Bool.random(using: &random) ? process.itemStart : nil
        perform(scheduler.working(on: chunk, item: chunk.finishedCount, since: since, worker, now: now))
    }

    private mutating func interrupt(_ worker: WorkerID, _ chunk: Chunk, _ item: Int?) {
        guard var process = processes[worker], process.state == .ready else { return }
        guard process.chunks.first === chunk, item ?? chunk.finishedCount == chunk.finishedCount else {
            return inspect(worker)
        }
        if item != nil, process.itemStart + (chunk.limits.timeout ?? .max) > now {
            breaches.append("an item was stopped before its time")
        }
        if item == nil, !chunk.isCancelled { breaches.append("an item was stopped without a reason") }
        noteWait(of: process.chunks)
        process.chunks = []
        process.isReclaiming = false
        process.isOverstaying = true
        process.interruptTime = now
        let wasReclaiming = processes[worker]?.isReclaiming == true
        processes[worker] = process
        // Most often at once; on threads without a limit it cannot be taken from the thread.
        perform(
            scheduler.interrupted(worker, holding: .begun(chunk, end: chunk.finishedCount + 1), now: now))
        if wasReclaiming { perform(scheduler.reclaimed([], from: worker, now: now)) }
    }

    private mutating func sendStaleNews() {
        let index = Int.random(in: 0..<workerCount, using: &random)
        let current = scheduler.seats[index].generation
        let worker = WorkerID(index: index, generation: UInt64.random(in: 0...current, using: &random))
        guard processes[worker] == nil else { return }
        let live = scheduler.liveCount
        perform(scheduler.workerReady(worker, now: now))
        perform(scheduler.workEnded(on: worker, now: now))
        perform(scheduler.actorEnded(0, on: worker, now: now))
        perform(scheduler.workerEnded(worker, holding: .unbegun, error: error, now: now))
        perform(scheduler.startFailed(worker, error: error, wasKilled: false, now: now))
        perform(scheduler.setUpEnded(worker, Bool.random(using: &random) ? error : nil, now: now))
        if scheduler.liveCount != live { breaches.append("stale news had an effect") }
        // An occasion for a start that was due.
        perform(scheduler.reclaimed([], from: worker, now: now))
    }

    // MARK: Actions

    private mutating func perform(_ actions: Scheduler.Actions) {
        var list: [Scheduler.Action] = []
        actions.forEach { list.append($0) }
        for action in list { perform(action) }
    }

    private mutating func perform(_ action: Scheduler.Action) {
        if finishedCount > 0 {
            if case .end = action {} else { breaches.append("something was to be done after the end") }
        }
        switch action {
        case .start(let worker):
            if processes.keys.contains(where: { $0.index == worker.index }) {
                breaches.append("a place was taken twice")
            }
            processes[worker] = Process()
        case .setUp(let worker):
            if processes[worker]?.state != .settingUp { breaches.append("a worker was to be set up that is not new") }
        case .setUpFailed:
            break
        case .assign(let first, let others, let worker):
            assign([first] + others, to: worker)
        case .reclaim(let worker):
            if processes[worker]?.chunks.isEmpty != false { breaches.append("a worker was asked for what it has not") }
            processes[worker]?.isReclaiming = true
            processes[worker]?.wasAsked = true
        case .cut(let chunk, let places):
            if isHeld(chunk) { breaches.append("a chunk that a worker holds was to be cut") }
            cuts.append((chunk, places))
        case .cancel(let chunk, let worker):
            let holder = processes.first { $0.value.chunks.contains { $0 === chunk } }?.key
            // One that has ended among others is still on its worker's list.
            if let holder, holder != worker { breaches.append("the wrong worker was told of a cancellation") }
        case .watchActor(let actor, let worker):
            processes[worker]?.actors[actor] = madeActors[actor]
        case .inquire(let worker):
            if processes[worker]?.chunks.isEmpty != false { breaches.append("a worker was asked that holds nothing") }
        case .inspect(let worker): inspect(worker)
        case .interrupt(let worker, let chunk, let item): interrupt(worker, chunk, item)
        case .wake(let time):
            if time <= now { breaches.append("a call was asked for a time that is over") }
            if hasClock || Bool.random(using: &random) {
                alarms.append(time)
            } else {
                // What was to be queued later is queued now.
                noteWait(of: open.values.filter { $0.place == .delayed })
                perform(scheduler.clockFailed(now: now))
            }
        case .stop(let worker):
            if processes[worker]?.chunks.isEmpty == false {
                breaches.append("a worker was stopped with work in its hands")
            }
            if scheduler.phase == .open, processes[worker]?.actors.values.contains(true) == true {
                breaches.append("a worker was stopped under an actor that keeps it")
            }
            processes[worker]?.state = .dying
        case .kill(let worker):
            processes[worker]?.state = .dying
        case .end(let chunk, let reason):
            if case .failed(let error) = reason, error.code == .timedOut { checkExpiry(of: chunk) }
            end(chunk)
        case .abandon(let chunk, _):
            if open[ObjectIdentifier(chunk)] == nil { breaches.append("an ended chunk was given up") }
        case .finished:
            finishedCount += 1
            if !processes.isEmpty { breaches.append("the end was reported while workers live") }
            if !cuts.isEmpty { breaches.append("the end was reported while a chunk is cut") }
        }
    }

    private mutating func assign(_ chunks: [Chunk], to worker: WorkerID) {
        guard let process = processes[worker], process.state == .ready, process.chunks.isEmpty, !process.isOverstaying
        else {
            breaches.append("a worker was given work that cannot take it")
            return
        }
        for chunk in chunks {
            if isHeld(chunk) { breaches.append("two workers hold a chunk") }
            if open[ObjectIdentifier(chunk)] == nil { breaches.append("an ended chunk was assigned") }
            if chunk.isCancelled { breaches.append("a cancelled chunk was assigned") }
            chunk.failLost()
            if chunk.finishedCount >= chunk.count { breaches.append("a chunk with nothing left was assigned") }
        }
        if chunks.contains(where: { $0.placement != nil }) {
            if chunks.count > 1 { breaches.append("an actor was to be made among other work") }
            let isUneven = processes.contains { other, process in
                other != worker && isIdle(other) && process.actors.count < processes[worker]?.actors.count ?? 0
            }
            if isUneven { breaches.append("an actor was not given to the idle worker that has the fewest") }
        }
        processes[worker]?.chunks = chunks
        processes[worker]?.wasAsked = false
        processes[worker]?.itemStart = now
        if worker.index >= workerCount { breaches.append("a worker that is too many was given work") }
    }

    /// Chunks wait from now on, with all the time that they had when they were submitted.
    private mutating func noteWait(of chunks: [Chunk]) {
        for chunk in chunks { waitTimes[ObjectIdentifier(chunk)] = now }
    }

    private mutating func checkExpiry(of chunk: Chunk) {
        guard let limit = chunk.limits.queueTimeout, let time = waitTimes[ObjectIdentifier(chunk)] else {
            return breaches.append("a chunk without a limit has waited for too long")
        }
        if now < time + limit { breaches.append("a chunk has waited for too long before its time") }
    }

    /// Whether a worker has nothing to do and is not there for its actors only.
    private func isIdle(_ worker: WorkerID) -> Bool {
        guard let process = processes[worker], worker.index < workerCount else { return false }
        return process.state == .ready && process.chunks.isEmpty && !process.isOverstaying
    }

    private func isHeld(_ chunk: Chunk) -> Bool {
        processes.values.contains { $0.chunks.contains { $0 === chunk } }
    }

    private mutating func end(_ chunk: Chunk) {
        if open.removeValue(forKey: ObjectIdentifier(chunk)) == nil { breaches.append("a chunk ended twice") }
        if isHeld(chunk) { breaches.append("a held chunk was ended") }
        if cuts.contains(where: { $0.chunk === chunk }) { breaches.append("a chunk was ended that is being cut") }
        chunk.endOnce(failing: CancellationError(), nanoseconds: 0)
        if chunk.finishedCount > chunk.count { breaches.append("more items were lost than there were") }
        endedItems += chunk.count
    }

    private mutating func check() {
        let wanted = processes.keys.count { $0.index < workerCount }
        if wanted > workerCount { breaches.append("too many workers live") }
        let retries = scheduler.seats.compactMap { seat -> UInt64? in
            if case .retrying(let time, _) = seat.life { time } else { nil }
        }
        if scheduler.liveCount != processes.count + retries.count { breaches.append("workers are miscounted") }
        let starting = processes.values.count { $0.state == .starting || $0.state == .settingUp }
        if scheduler.startingCount != starting + retries.count { breaches.append("starting workers are miscounted") }
        let held = processes.values.reduce(0) { $0 + $1.chunks.count }
        if scheduler.cuttingCount != cuts.count { breaches.append("chunks that are cut are miscounted") }
        let delayed = open.values.count { $0.place == .delayed }
        if scheduler.queuedCount != open.count - held - cuts.count - delayed {
            breaches.append("queued chunks are miscounted")
        }
        if scheduler.queuedCount > 0, scheduler.servingCount == 0 { breaches.append("work waits for nobody") }
        let hasIdle = processes.keys.contains(where: isIdle)
        if scheduler.queuedCount > scheduler.placingCount, hasIdle {
            breaches.append("work waits beside an idle worker")
        }
        guard hasClock else { return }
        let alarm = alarms.min() ?? .max
        if let retry = retries.min(), alarm > retry { breaches.append("a start waits for a call that does not come") }
        let lacksWorker = scheduler.queuedCount > scheduler.startingCount && scheduler.servingCount < workerCount
        let late = processes.values.contains { process in
            guard process.state == .ready, let timeout = process.chunks.first?.limits.timeout else { return false }
            // A limit that is shorter than the time between two looks is kept at the next look.
            return alarm > now + max(timeout, Scheduler.lookInterval)
        }
        if late { breaches.append("an item's limit waits for a call that does not come") }
        let waiting = processes.values.contains { process in
            guard process.state == .ready, !process.wasAsked, let chunk = process.chunks.first, chunk.isDivisible,
                let limit = chunk.limits.queueTimeout
            else { return false }
            return chunk.startBy > now + limit || alarm > max(now + 1, chunk.startBy)
        }
        if waiting { breaches.append("items behind another wait for a call that does not come") }
        let overdue = processes.values.contains { process in
            process.state == .ready && process.isOverstaying && alarm > process.interruptTime + rules.gracePeriod
        }
        if overdue { breaches.append("a grace period waits for a call that does not come") }
        let isSetUpLate = processes.values.contains { process in
            process.state == .settingUp && alarm > process.setUpStart + (rules.setUpTimeout ?? .max)
        }
        if isSetUpLate { breaches.append("a set-up's limit waits for a call that does not come") }
        if scheduler.placingCount > 0, hasIdle, scheduler.startingCount == 0, alarm == .max {
            breaches.append("an actor waits beside an idle worker")
        }
        // One worker is started with each event, and that it is ready is the next.
        if lacksWorker, scheduler.startingCount == 0, alarm == .max {
            breaches.append("work waits for a start that nobody tries")
        }
    }
}

@Suite(.admitted)
struct SchedulerModelTests {
    /// How many pools live and end; more by the environment.
    private var roundCount: Int {
        getenv("MULTIPROCESSING_ROUNDS").flatMap { Int(String(cString: $0)) } ?? 10_000
    }

    @Test func `Whatever happens, nothing is lost, done twice or left over`() async throws {
        let error = try #require(#expect(throws: PoolError.self) { try Pool(.threads, workers: 0) })
        let seed = UInt64.random(in: 0 ... .max)
        let roundCount = roundCount
        let breach = try await onBlockableThread { Self.breach(rounds: roundCount, seed: seed, error: error) }
        #expect(breach == nil, "seed \(seed)")
    }

    /// Has pools live and end; returns what was wrong with the first that something was wrong with.
    private static func breach(rounds: Int, seed: UInt64, error: PoolError) -> String? {
        var random = RandomSource(seed: seed)
        for round in 0..<rounds {
            var model = SchedulerModel(
                workerCount: Int.random(in: 1...5, using: &random), seed: random.next(), error: error)
            for _ in 0..<Int.random(in: 0...50, using: &random) where model.breaches.isEmpty { model.step() }
            // Events of all kinds also come between the request to end and the end.
            let isGraceful = Bool.random(using: &random)
            if isGraceful { model.shutDown() } else { model.terminate() }
            for _ in 0..<Int.random(in: 0...20, using: &random) where model.breaches.isEmpty { model.step() }
            if isGraceful, Bool.random(using: &random) { model.terminate() }
            model.settle()
            guard model.breaches.isEmpty else { return "round \(round): \(model.breaches)" }
        }
        return nil
    }
}

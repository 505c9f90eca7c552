import Multiprocessing
import Testing

/// A world of workers around the scheduler, in which anything that can happen does.
///
/// It performs the scheduler's actions as the pool and a backend would, and notes every
/// breach of what must hold: no chunk is lost, ended twice or held by two workers, no more
/// workers live than are wanted, and the end is reported once.
private struct SchedulerModel {
    private enum State: Equatable {
        case starting
        case ready
        case dying
    }

    private struct Process {
        var state = State.starting
        /// What it holds, in order; the first is the one that runs.
        var chunks: [Chunk] = []
        /// Whether it was asked for what it has not begun.
        var isReclaiming = false
    }

    private(set) var scheduler: Scheduler
    private(set) var breaches: [String] = []
    private(set) var submittedCount = 0
    private(set) var finishedCount = 0

    private let workerCount: Int
    private let error: PoolError
    private var random: RandomSource
    private var now: UInt64 = 0
    private var alarms: [UInt64] = []
    private var processes: [WorkerID: Process] = [:]
    private var open: [ObjectIdentifier: Chunk] = [:]

    init(workerCount: Int, seed: UInt64, error: PoolError) {
        scheduler = Scheduler(workerCount: workerCount)
        self.workerCount = workerCount
        self.error = error
        random = RandomSource(seed: seed)
    }

    mutating func step() {
        // Mostly little, so that work is quick and handed out together, and now and then long.
        let most: UInt64 = Int.random(in: 0..<10, using: &random) == 0 ? 300_000_000 : 20_000
        now += UInt64.random(in: 0...most, using: &random)
        ring()
        switch Int.random(in: 0..<100, using: &random) {
        case 0..<35: submit()
        case 35..<50: becomeReady()
        case 50..<72: endChunk()
        case 72..<75: giveBack()
        case 75..<85: die()
        case 85..<90: failStart()
        case 90..<98: cancel()
        default: sendStaleNews()
        }
        check()
    }

    /// Lets everything that is under way come to its end.
    mutating func settle() {
        var turns = 0
        while !scheduler.isFinished, breaches.isEmpty, !processes.isEmpty {
            turns += 1
            if turns > 10_000 { breaches.append("a worker is waited for that has nothing to do") }
            becomeReady()
            giveBack()
            endChunk()
            die(only: .dying)
            check()
        }
        if !scheduler.isFinished { breaches.append("the end was not reported") }
        if finishedCount != 1 { breaches.append("the end was reported \(finishedCount) times") }
        if !open.isEmpty { breaches.append("\(open.count) chunks were lost") }
    }

    mutating func shutDown() { perform(scheduler.shutDown()) }

    mutating func terminate() { perform(scheduler.terminate()) }

    // MARK: Events

    private mutating func ring() {
        let now = now
        let due = alarms.count { $0 <= now }
        alarms.removeAll { $0 <= now }
        for _ in 0..<due { perform(scheduler.timeIsUp(now: now)) }
    }

    private mutating func submit() {
        let chunk = Chunk.placeholder(count: Int.random(in: 1...4, using: &random))
        open[ObjectIdentifier(chunk)] = chunk
        submittedCount += 1
        perform(scheduler.submit(chunk, now: now))
    }

    private func pick(_ isWanted: (Process) -> Bool, using random: inout RandomSource) -> WorkerID? {
        processes.filter { isWanted($0.value) }.keys
            .sorted { ($0.index, $0.incarnation) < ($1.index, $1.incarnation) }
            .randomElement(using: &random)
    }

    private mutating func becomeReady() {
        guard let worker = pick({ $0.state == .starting }, using: &random) else { return }
        processes[worker]?.state = .ready
        perform(scheduler.workerReady(worker, now: now))
    }

    private mutating func endChunk() {
        guard let worker = pick({ $0.state == .ready && !$0.chunks.isEmpty }, using: &random),
            let chunk = processes[worker]?.chunks.removeFirst()
        else { return }
        chunk.finishedCount = chunk.count
        if processes[worker]?.chunks.isEmpty == true {
            let actions = scheduler.workEnded(on: worker, now: now)
            end(chunk)
            perform(actions)
        } else {
            end(chunk)
            chunk.endOnce(failing: CancellationError(), nanoseconds: 0)
        }
    }

    private mutating func giveBack() {
        guard let worker = pick({ $0.isReclaiming }, using: &random), var process = processes[worker] else { return }
        process.isReclaiming = false
        // The first may or may not have begun.
        let begun = process.chunks.isEmpty || Bool.random(using: &random) ? 0 : 1
        let back = Array(process.chunks.dropFirst(begun))
        process.chunks.removeLast(back.count)
        processes[worker] = process
        perform(scheduler.reclaimed(back, from: worker, now: now))
    }

    private mutating func die(only state: State? = nil) {
        guard let worker = pick({ state == nil || $0.state == state }, using: &random),
            let process = processes.removeValue(forKey: worker)
        else { return }
        var holding = HeldWork.nothing
        if let chunk = process.chunks.first {
            if Bool.random(using: &random) {
                holding = .unstartedChunk
            } else {
                holding = .startedChunk
                chunk.finishedCount = Int.random(in: chunk.finishedCount + 1...chunk.count, using: &random)
            }
        }
        perform(scheduler.workerEnded(worker, holding: holding, error: error, now: now))
    }

    private mutating func failStart() {
        guard let worker = pick({ $0.state == .starting }, using: &random) else { return }
        processes[worker] = nil
        perform(scheduler.startFailed(worker, error: error, now: now))
    }

    private mutating func cancel() {
        let chunks = open.values.sorted { ObjectIdentifier($0) < ObjectIdentifier($1) }
        guard let chunk = chunks.randomElement(using: &random) else { return }
        chunk.markCancelled()
        perform(scheduler.cancel(chunk))
    }

    private mutating func sendStaleNews() {
        let worker = WorkerID(index: Int.random(in: 0..<workerCount, using: &random), incarnation: 0)
        let live = scheduler.liveCount
        perform(scheduler.workerReady(worker, now: now))
        perform(scheduler.workEnded(on: worker, now: now))
        perform(scheduler.workerEnded(worker, holding: .startedChunk, error: error, now: now))
        perform(scheduler.startFailed(worker, error: error, now: now))
        if scheduler.liveCount != live { breaches.append("stale news had an effect") }
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
        case .assign(let first, let others, let worker):
            guard let process = processes[worker], process.state == .ready, process.chunks.isEmpty else {
                breaches.append("a worker was given work that cannot take it")
                return
            }
            for chunk in [first] + others {
                if processes.values.contains(where: { $0.chunks.contains { $0 === chunk } }) {
                    breaches.append("two workers hold a chunk")
                }
                if open[ObjectIdentifier(chunk)] == nil { breaches.append("an ended chunk was assigned") }
                if chunk.isCancelled { breaches.append("a cancelled chunk was assigned") }
                if chunk.finishedCount == chunk.count { breaches.append("a chunk with nothing left was assigned") }
            }
            processes[worker]?.chunks = [first] + others
        case .reclaim(let worker):
            if processes[worker]?.chunks.isEmpty != false { breaches.append("a worker was asked for what it has not") }
            processes[worker]?.isReclaiming = true
        case .cancel(let chunk, let worker):
            let holder = processes.first { $0.value.chunks.contains { $0 === chunk } }?.key
            // One that has ended among others is still on its worker's list.
            if let holder, holder != worker { breaches.append("the wrong worker was told of a cancellation") }
        case .inquire(let worker):
            if processes[worker]?.chunks.isEmpty != false { breaches.append("a worker was asked that holds nothing") }
        case .wake(let time):
            if time <= now { breaches.append("a call was asked for a time that is over") }
            alarms.append(time)
        case .stop(let worker):
            if processes[worker]?.chunks.isEmpty == false {
                breaches.append("a worker was stopped with work in its hands")
            }
            processes[worker]?.state = .dying
        case .kill(let worker):
            processes[worker]?.state = .dying
        case .end(let chunk, _):
            end(chunk)
        case .abandon(let chunk, _):
            if open[ObjectIdentifier(chunk)] == nil { breaches.append("an ended chunk was given up") }
        case .finished:
            finishedCount += 1
            if !processes.isEmpty { breaches.append("the end was reported while workers live") }
        }
    }

    private mutating func end(_ chunk: Chunk) {
        if open.removeValue(forKey: ObjectIdentifier(chunk)) == nil { breaches.append("a chunk ended twice") }
        if processes.values.contains(where: { $0.chunks.contains { $0 === chunk } }) {
            breaches.append("a held chunk was ended")
        }
    }

    private mutating func check() {
        if scheduler.liveCount > workerCount { breaches.append("too many workers live") }
        if scheduler.liveCount != processes.count { breaches.append("workers are miscounted") }
        let starting = processes.values.filter { $0.state == .starting }.count
        if scheduler.startingCount != starting { breaches.append("starting workers are miscounted") }
        let held = processes.values.reduce(0) { $0 + $1.chunks.count }
        if scheduler.queuedCount != open.count - held { breaches.append("queued chunks are miscounted") }
        if scheduler.queuedCount > 0, scheduler.liveCount == 0 { breaches.append("work waits for nobody") }
        let isIdle = processes.values.contains { $0.state == .ready && $0.chunks.isEmpty }
        if scheduler.queuedCount > 0, isIdle { breaches.append("work waits beside an idle worker") }
    }
}

struct SchedulerModelTests {
    @Test func `Whatever happens, nothing is lost, done twice or left over`() throws {
        let error = try #require(#expect(throws: PoolError.self) { try Pool(.threads, workers: 0) })
        let seed = UInt64.random(in: 0 ... .max)
        var random = RandomSource(seed: seed)
        for round in 0..<400 {
            var model = SchedulerModel(
                workerCount: Int.random(in: 1...5, using: &random), seed: random.next(), error: error)
            for _ in 0..<Int.random(in: 0...300, using: &random) where model.breaches.isEmpty { model.step() }
            // Events of all kinds also come between the request to end and the end.
            let isGraceful = Bool.random(using: &random)
            if isGraceful { model.shutDown() } else { model.terminate() }
            for _ in 0..<Int.random(in: 0...30, using: &random) where model.breaches.isEmpty { model.step() }
            if isGraceful, Bool.random(using: &random) { model.terminate() }
            model.settle()
            #expect(model.breaches.isEmpty, "seed \(seed), round \(round): \(model.breaches)")
            guard model.breaches.isEmpty else { return }
        }
    }
}

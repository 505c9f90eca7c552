import Multiprocessing
import TestSupport
import Testing

/// What the scheduler answered, in a form that can be compared.
enum Answer: Equatable, CustomStringConvertible {
    case start(WorkerID)
    case setUp(WorkerID)
    case setUpFailed(WorkerID, PoolError.Code)
    case assign(ObjectIdentifier, then: [ObjectIdentifier], WorkerID)
    case reclaim(WorkerID)
    case cut(ObjectIdentifier, [Int])
    case cancel(ObjectIdentifier, WorkerID)
    case watchActor(UInt64, WorkerID)
    case inquire(WorkerID)
    case inspect(WorkerID)
    case interrupt(WorkerID, ObjectIdentifier, item: Int?)
    case wake(UInt64)
    case stop(WorkerID)
    case kill(WorkerID)
    case end(ObjectIdentifier, String)
    case abandon(ObjectIdentifier, String)
    case finished

    init(_ action: Scheduler.Action) {
        switch action {
        case .start(let worker): self = .start(worker)
        case .setUp(let worker): self = .setUp(worker)
        case .setUpFailed(let worker, let error): self = .setUpFailed(worker, error.code)
        case .assign(let chunk, let others, let worker):
            self = .assign(ObjectIdentifier(chunk), then: others.map { ObjectIdentifier($0) }, worker)
        case .reclaim(let worker): self = .reclaim(worker)
        case .cut(let chunk, let places): self = .cut(ObjectIdentifier(chunk), places)
        case .cancel(let chunk, let worker): self = .cancel(ObjectIdentifier(chunk), worker)
        case .watchActor(let actor, let worker): self = .watchActor(actor, worker)
        case .inquire(let worker): self = .inquire(worker)
        case .inspect(let worker): self = .inspect(worker)
        case .interrupt(let worker, let chunk, let item):
            self = .interrupt(worker, ObjectIdentifier(chunk), item: item)
        case .wake(let time): self = .wake(time)
        case .stop(let worker): self = .stop(worker)
        case .kill(let worker): self = .kill(worker)
        case .end(let chunk, let reason): self = .end(ObjectIdentifier(chunk), Self.name(reason))
        case .abandon(let chunk, let reason): self = .abandon(ObjectIdentifier(chunk), Self.name(reason))
        case .finished: self = .finished
        }
    }

    private static func name(_ reason: Scheduler.Reason) -> String {
        switch reason {
        case .shutDown: "shutDown"
        case .cancelled: "cancelled"
        case .failed(let error): "failed: \(error.code)"
        }
    }

    var description: String {
        switch self {
        case .start(let worker): "start \(worker.index).\(worker.generation)"
        case .setUp(let worker): "set up \(worker.index).\(worker.generation)"
        case .setUpFailed(let worker, let code): "set-up of \(worker.index).\(worker.generation) failed: \(code)"
        case .assign(_, let others, let worker):
            "assign \(1 + others.count) to \(worker.index).\(worker.generation)"
        case .reclaim(let worker): "reclaim from \(worker.index).\(worker.generation)"
        case .cut(_, let places): "cut before \(places)"
        case .cancel(_, let worker): "cancel on \(worker.index).\(worker.generation)"
        case .watchActor(let actor, let worker): "watch \(actor) of \(worker.index).\(worker.generation)"
        case .inquire(let worker): "inquire of \(worker.index).\(worker.generation)"
        case .inspect(let worker): "inspect \(worker.index).\(worker.generation)"
        case .interrupt(let worker, _, let item):
            "interrupt \(worker.index).\(worker.generation) at \(item.map(String.init) ?? "any item")"
        case .wake(let time): "wake at \(time)"
        case .stop(let worker): "stop \(worker.index).\(worker.generation)"
        case .kill(let worker): "kill \(worker.index).\(worker.generation)"
        case .end(_, let reason): "end (\(reason))"
        case .abandon(_, let reason): "abandon (\(reason))"
        case .finished: "finished"
        }
    }
}

extension Scheduler.Actions {
    /// What is to be done with workers and work; ``wakes`` are told apart.
    var answers: [Answer] {
        var answers: [Answer] = []
        forEach { action in
            if case .wake = action { return }
            answers.append(Answer(action))
        }
        return answers
    }

    /// For when the scheduler asks to be called.
    var wakes: [UInt64] {
        var times: [UInt64] = []
        forEach { action in
            if case .wake(let time) = action { times.append(time) }
        }
        return times
    }
}

private func worker(_ index: Int, _ generation: UInt64 = 1) -> WorkerID {
    WorkerID(index: index, generation: generation)
}

private func assigned(_ chunk: Chunk, then others: [Chunk] = [], _ worker: WorkerID) -> Answer {
    .assign(ObjectIdentifier(chunk), then: others.map { ObjectIdentifier($0) }, worker)
}

private func ended(_ chunk: Chunk, _ reason: String) -> Answer {
    .end(ObjectIdentifier(chunk), reason)
}

private func chunk(_ count: Int = 1, stride: Int? = nil) -> Chunk {
    Chunk.placeholder(count: count, stride: stride)
}

/// An error as a backend reports it; made by the library, whose initializers are its own.
private func failure() throws -> PoolError {
    try #require(#expect(throws: PoolError.self) { try Pool(.threads, workers: 0) })
}

@Suite(.admitted)
struct SchedulerTests {
    // MARK: Work and workers

    @Test func `Nothing starts before there is work`() {
        let scheduler = Scheduler(workerCount: 3)
        #expect(scheduler.liveCount == 0)
        #expect(scheduler.phase == .open)
    }

    @Test func `Work starts a worker and gets it when it is ready`() {
        var scheduler = Scheduler(workerCount: 2)
        let work = chunk()
        #expect(scheduler.submit(work, now: 0).answers == [.start(worker(0))])
        #expect(scheduler.queuedCount == 1)
        #expect(scheduler.workerReady(worker(0), now: 0).answers == [assigned(work, worker(0))])
        #expect(scheduler.queuedCount == 0)
        #expect(scheduler.workEnded(on: worker(0), now: 0).answers == [])
        #expect(work.place == .ended)
        #expect(scheduler.seats.map(\.isIdle) == [true, false])
        #expect(scheduler.seats.map(\.isTaken) == [true, false])
    }

    @Test func `An idle worker gets work at once and nothing more is started`() {
        var scheduler = Scheduler(workerCount: 4)
        _ = scheduler.submit(chunk(), now: 0)
        _ = scheduler.workerReady(worker(0), now: 0)
        for _ in 0..<10 {
            _ = scheduler.workEnded(on: worker(0), now: 0)
            let next = chunk()
            #expect(scheduler.submit(next, now: 0).answers == [assigned(next, worker(0))])
        }
        #expect(scheduler.liveCount == 1)
    }

    @Test func `As many workers start as work waits for and never more than wanted`() {
        var scheduler = Scheduler(workerCount: 3)
        let answers = (0..<10).flatMap { _ in scheduler.submit(chunk(), now: 0).answers }
        #expect(answers == [.start(worker(0)), .start(worker(1)), .start(worker(2))])
        #expect(scheduler.liveCount == 3)
        #expect(scheduler.queuedCount == 10)
    }

    @Test func `The worker that worked last works next`() {
        var scheduler = Scheduler(workerCount: 3)
        for _ in 0..<3 { _ = scheduler.submit(chunk(), now: 0) }
        for index in 0..<3 { _ = scheduler.workerReady(worker(index), now: 0) }
        for index in [2, 0, 1] { _ = scheduler.workEnded(on: worker(index), now: 0) }
        let work = chunk()
        #expect(scheduler.submit(work, now: 0).answers == [assigned(work, worker(1))])
    }

    @Test func `Chunks are handed out in the order in which they came`() {
        var scheduler = Scheduler(workerCount: 1)
        let chunks = (0..<20).map { _ in chunk() }
        for chunk in chunks { _ = scheduler.submit(chunk, now: 0) }
        #expect(scheduler.workerReady(worker(0), now: 0).answers == [assigned(chunks[0], worker(0))])
        for next in chunks.dropFirst() {
            #expect(scheduler.workEnded(on: worker(0), now: 0).answers == [assigned(next, worker(0))])
        }
    }

    // MARK: Several chunks at a time

    /// A scheduler of two workers that knows its chunks to be quick, both idle.
    private func quickScheduler(workerCount: Int = 2, formsLots: Bool = true) -> Scheduler {
        var scheduler = Scheduler(workerCount: workerCount, formsLots: formsLots)
        for _ in 0..<workerCount { _ = scheduler.submit(chunk(), now: 0) }
        for index in 0..<workerCount { _ = scheduler.workerReady(worker(index), now: 0) }
        for index in 0..<workerCount { _ = scheduler.workEnded(on: worker(index), now: 10_000) }
        return scheduler
    }

    @Test func `Where messages cost little, chunks start one by one in the order in which they came`() {
        var scheduler = quickScheduler(formsLots: false)
        let chunks = (0..<14).map { _ in chunk() }
        for chunk in chunks { _ = scheduler.submit(chunk, now: 20_000) }
        for index in 2..<14 {
            let worker = worker(index % 2)
            #expect(scheduler.workEnded(on: worker, now: 30_000).answers == [assigned(chunks[index], worker)])
        }
    }

    @Test func `Quick chunks are handed out several at a time, a share to each worker`() {
        var scheduler = quickScheduler()
        let chunks = (0..<14).map { _ in chunk() }
        for chunk in chunks { _ = scheduler.submit(chunk, now: 20_000) }
        let first = scheduler.workEnded(on: worker(1), now: 30_000).answers
        #expect(first == [assigned(chunks[2], then: Array(chunks[3..<8]), worker(1))])
        let second = scheduler.workEnded(on: worker(0), now: 30_000).answers
        #expect(second == [assigned(chunks[8], then: Array(chunks[9..<11]), worker(0))])
        #expect(chunks[..<11].allSatisfy { $0.place != .queued })
        #expect(chunks[11...].allSatisfy { $0.place == .queued })
        #expect(scheduler.queuedCount == 3)
    }

    @Test func `Slow chunks are handed out one at a time`() {
        var scheduler = Scheduler(workerCount: 1)
        let chunks = (0..<10).map { _ in chunk() }
        for chunk in chunks { _ = scheduler.submit(chunk, now: 0) }
        _ = scheduler.workerReady(worker(0), now: 0)
        let answers = scheduler.workEnded(on: worker(0), now: Scheduler.lotTime + 1).answers
        #expect(answers == [assigned(chunks[1], worker(0))])
    }

    /// Two workers of which the first holds several chunks and the second has nothing to do.
    private func lopsided() -> (Scheduler, [Chunk], answers: [Answer]) {
        var scheduler = quickScheduler()
        let chunks = (0..<8).map { _ in chunk() }
        for chunk in chunks { _ = scheduler.submit(chunk, now: 20_000) }
        _ = scheduler.workEnded(on: worker(1), now: 30_000)
        var answers = scheduler.workEnded(on: worker(0), now: 30_000).answers
        while scheduler.queuedCount > 0 { answers = scheduler.workEnded(on: worker(0), now: 30_000).answers }
        answers = scheduler.workEnded(on: worker(0), now: 30_000).answers
        return (scheduler, chunks, answers)
    }

    @Test func `A worker with nothing to do gets what another has not begun`() {
        var (scheduler, chunks, answers) = lopsided()
        #expect(answers == [.reclaim(worker(1))])
        let back = Array(chunks[3...4])
        answers = scheduler.reclaimed(back, from: worker(1), now: 40_000).answers
        #expect(answers == [assigned(back[0], worker(0))])
        #expect(back[1].place == .queued)
        #expect(scheduler.workEnded(on: worker(1), now: 50_000).answers == [assigned(back[1], worker(1))])
    }

    @Test func `A worker of which all comes back that it had not ended is free`() {
        var (scheduler, chunks, _) = lopsided()
        // Others were still behind it then, so nothing was said of the worker.
        chunks[2].endOnce(failing: CancellationError(), nanoseconds: 0)
        let back = Array(chunks[3...4])
        let answers = scheduler.reclaimed(back, from: worker(1), now: 40_000).answers
        #expect(answers.count == 2)
        #expect(back.allSatisfy { $0.place == .held(by: 0) || $0.place == .held(by: 1) })
        #expect(back[0].place != back[1].place)
    }

    @Test func `What comes back to a pool that closes is done before the workers stop`() {
        var (scheduler, chunks, _) = lopsided()
        #expect(scheduler.shutDown().answers == [])
        let back = [chunks[4]]
        #expect(scheduler.reclaimed(back, from: worker(1), now: 40_000).answers == [assigned(back[0], worker(0))])
        #expect(scheduler.workEnded(on: worker(1), now: 50_000).answers == [.stop(worker(1))])
        #expect(scheduler.workEnded(on: worker(0), now: 50_000).answers == [.stop(worker(0))])
    }

    @Test func `A pool that closes waits for what was asked back, though the worker has ended the rest`() {
        var (scheduler, chunks, _) = lopsided()
        _ = scheduler.shutDown()
        #expect(scheduler.workEnded(on: worker(1), now: 40_000).answers == [])
        let back = [chunks[4]]
        let answers = scheduler.reclaimed(back, from: worker(1), now: 50_000).answers
        guard case .assign(ObjectIdentifier(back[0]), then: _, let holder) = answers.first else {
            Issue.record("\(answers)")
            return
        }
        #expect(scheduler.workEnded(on: holder, now: 60_000).answers.contains(.stop(holder)))
    }

    @Test func `When one worker has nothing to give another is asked`() {
        var scheduler = quickScheduler(workerCount: 3)
        let chunks = (0..<24).map { _ in chunk() }
        for chunk in chunks { _ = scheduler.submit(chunk, now: 20_000) }
        // Two get several each; the third ends what it has until nothing is left.
        for index in [0, 1] { _ = scheduler.workEnded(on: worker(index), now: 30_000) }
        var answers = scheduler.workEnded(on: worker(2), now: 30_000).answers
        while scheduler.queuedCount > 0 { answers = scheduler.workEnded(on: worker(2), now: 30_000).answers }
        answers = scheduler.workEnded(on: worker(2), now: 30_000).answers
        #expect(answers == [.reclaim(worker(0))])
        #expect(scheduler.reclaimed([], from: worker(0), now: 30_000).answers == [.reclaim(worker(1))])
        #expect(scheduler.reclaimed([], from: worker(1), now: 30_000).answers == [])
    }

    @Test func `Nothing that comes back lets the workers stop`() {
        var (scheduler, _, _) = lopsided()
        #expect(scheduler.shutDown().answers == [])
        #expect(scheduler.reclaimed([], from: worker(1), now: 40_000).answers == [.stop(worker(0))])
    }

    @Test func `What comes back after the end was asked for ends`() {
        var (scheduler, chunks, _) = lopsided()
        _ = scheduler.terminate()
        let answers = scheduler.reclaimed([chunks[4]], from: worker(1), now: 40_000).answers
        #expect(answers == [ended(chunks[4], "shutDown")])
    }

    @Test func `Work that a worker sits on for long goes to others that have work of their own`() {
        var scheduler = quickScheduler()
        let chunks = (0..<40).map { _ in chunk() }
        for chunk in chunks { _ = scheduler.submit(chunk, now: 20_000) }
        _ = scheduler.workEnded(on: worker(1), now: 30_000)
        let late = 30_000 + Scheduler.patience + 1
        let answers = scheduler.workEnded(on: worker(0), now: late).answers
        #expect(answers.last == .reclaim(worker(1)))
        _ = scheduler.reclaimed([chunks[3]], from: worker(1), now: late)
        // First in the queue, because it came before all that is there.
        let next = scheduler.workEnded(on: worker(0), now: late + 1).answers
        guard case .assign(ObjectIdentifier(chunks[3]), then: _, worker(0)) = next.first else {
            Issue.record("\(next)")
            return
        }
    }

    @Test func `Chunks behind the one that ran are not lost with their worker`() throws {
        var scheduler = quickScheduler()
        let chunks = (0..<8).map { _ in chunk() }
        for chunk in chunks { _ = scheduler.submit(chunk, now: 20_000) }
        _ = scheduler.workEnded(on: worker(1), now: 30_000)
        #expect(chunks[2...4].allSatisfy { $0.place == .held(by: 1) })
        let answers = try scheduler.workerEnded(worker(1), holding: .begun(chunks[2], end: 1), error: failure(), now: 0)
            .answers
        #expect(answers.first == ended(chunks[2], "cancelled"))
        #expect(chunks[3...].allSatisfy { $0.place == .queued })
        let next = scheduler.workEnded(on: worker(0), now: 1).answers.first
        guard case .assign(ObjectIdentifier(chunks[3]), then: _, _) = next else {
            Issue.record("what the worker had not begun is not first")
            return
        }
    }

    // MARK: Cutting

    /// Three workers of which the first holds a chunk of many strides, and the others have nothing to do.
    private func schedulerOfOne(_ long: Chunk) -> Scheduler {
        var scheduler = Scheduler(workerCount: 3)
        let others = [chunk(), chunk()]
        for work in [long] + others { _ = scheduler.submit(work, now: 0) }
        for index in 0..<3 { _ = scheduler.workerReady(worker(index), now: 0) }
        for index in 1..<3 { _ = scheduler.workEnded(on: worker(index), now: 10) }
        return scheduler
    }

    @Test func `What comes back is cut into whole strides, a part for each worker that can run it`() throws {
        let long = chunk(100, stride: 5)
        var scheduler = schedulerOfOne(long)
        let rest = try #require(long.split(keeping: 20))
        #expect(
            scheduler.reclaimed([rest], from: worker(0), now: 20).answers == [.cut(ObjectIdentifier(rest), [25, 50])])
        #expect(rest.place == .cut)
        // Cancelled or not: its parts are on their way.
        #expect(scheduler.cancel(rest, now: 0).answers == [])
        let parts = rest.cut(before: [25, 50])
        #expect(parts.map(\.count) == [25, 25, 30])
        let answers = scheduler.cut(parts, now: 30).answers
        #expect(answers == [assigned(parts[0], worker(2)), assigned(parts[1], worker(1))])
        #expect(parts[2].place == .queued)
        #expect(scheduler.workEnded(on: worker(0), now: 40).answers.first == assigned(parts[2], worker(0)))
    }

    @Test func `A pool does not end while a chunk is cut`() throws {
        let long = chunk(10, stride: 1)
        var scheduler = schedulerOfOne(long)
        let rest = try #require(long.split(keeping: 1))
        _ = scheduler.reclaimed([rest], from: worker(0), now: 20)
        _ = scheduler.terminate()
        var answers: [Answer] = []
        for index in 0..<3 {
            answers += try scheduler.workerEnded(worker(index), holding: .unbegun, error: failure(), now: 30).answers
        }
        #expect(!answers.contains(.finished))
        let parts = rest.cut(before: [3, 6])
        answers = scheduler.cut(parts, now: 40).answers
        #expect(answers == parts.reversed().map { ended($0, "shutDown") } + [.finished])
    }

    @Test func `Numbers of any size are cut without a trap`() throws {
        let long = chunk(.max, stride: .max / 2)
        var scheduler = schedulerOfOne(long)
        let rest = try #require(long.split(keeping: 1))
        #expect(
            scheduler.reclaimed([rest], from: worker(0), now: 20).answers
                == [.cut(ObjectIdentifier(rest), [.max / 2])])
    }

    // MARK: Workers that end

    @Test func `Items that had begun fail before what is left of their chunk is handed on`() throws {
        let (first, second) = (chunk(4), chunk(3))
        var quick = quickScheduler(workerCount: 1)
        for work in [chunk(), first, second, chunk()] { _ = quick.submit(work, now: 20_000) }
        _ = quick.workEnded(on: worker(0), now: 30_000)
        #expect(second.place == .held(by: 0))
        // Results of both are lost, and the second had begun two items.
        let fact = HeldWork.begun(second, end: 2)
        let answers = try quick.workerEnded(worker(0), holding: fact, error: failure(), now: 40_000).answers
        #expect(answers.first == ended(first, "cancelled"))
        first.failLost()
        #expect(first.finishedCount == 4)
        #expect(second.place == .queued)
        second.failLost()
        #expect(second.finishedCount == 2)
    }

    @Test func `A worker that ends is replaced when work waits`() throws {
        var scheduler = Scheduler(workerCount: 1)
        let (first, second) = (chunk(), chunk())
        _ = scheduler.submit(first, now: 0)
        _ = scheduler.submit(second, now: 0)
        _ = scheduler.workerReady(worker(0), now: 0)
        let answers = try scheduler.workerEnded(worker(0), holding: .begun(first, end: 1), error: failure(), now: 0)
            .answers
        #expect(answers == [ended(first, "cancelled"), .start(worker(0, 2))])
        #expect(scheduler.workerReady(worker(0, 2), now: 0).answers == [assigned(second, worker(0, 2))])
    }

    @Test func `A worker that ends idle is replaced only when there is work again`() throws {
        var scheduler = Scheduler(workerCount: 1)
        _ = scheduler.submit(chunk(), now: 0)
        _ = scheduler.workerReady(worker(0), now: 0)
        _ = scheduler.workEnded(on: worker(0), now: 0)
        #expect(try scheduler.workerEnded(worker(0), holding: .unbegun, error: failure(), now: 0).answers == [])
        #expect(scheduler.liveCount == 0)
        #expect(scheduler.submit(chunk(), now: 0).answers == [.start(worker(0, 2))])
    }

    @Test func `What is left of a chunk goes on before all that came later`() throws {
        var scheduler = Scheduler(workerCount: 1)
        let (first, second) = (chunk(5), chunk())
        _ = scheduler.submit(first, now: 0)
        _ = scheduler.submit(second, now: 0)
        _ = scheduler.workerReady(worker(0), now: 0)
        #expect(
            try scheduler.workerEnded(worker(0), holding: .begun(first, end: 3), error: failure(), now: 0).answers
                == [.start(worker(0, 2))])
        #expect(scheduler.workerReady(worker(0, 2), now: 0).answers == [assigned(first, worker(0, 2))])
        #expect(first.returns == 0)
    }

    @Test func `What is left of a chunk goes to an idle worker at once`() throws {
        var scheduler = Scheduler(workerCount: 2)
        let (first, second) = (chunk(5), chunk())
        for chunk in [first, second] { _ = scheduler.submit(chunk, now: 0) }
        for index in 0..<2 { _ = scheduler.workerReady(worker(index), now: 0) }
        _ = scheduler.workEnded(on: worker(1), now: 0)
        #expect(
            try scheduler.workerEnded(worker(0), holding: .begun(first, end: 1), error: failure(), now: 0).answers
                == [assigned(first, worker(1))])
    }

    @Test func `A chunk that ends workers before it is begun is failed at last`() throws {
        var scheduler = Scheduler(workerCount: 1)
        let work = chunk()
        var answers = scheduler.submit(work, now: 0).answers
        var generation: UInt64 = 1
        while answers == [.start(worker(0, generation))] {
            _ = scheduler.workerReady(worker(0, generation), now: 0)
            answers = try scheduler.workerEnded(
                worker(0, generation), holding: .unbegun, error: failure(), now: 0
            ).answers
            generation += 1
        }
        #expect(generation == UInt64(Scheduler.maximumReturns) + 1)
        #expect(answers == [ended(work, "failed: invalidArgument")])
    }

    @Test func `A chunk that goes on running where it is ends there`() throws {
        var scheduler = Scheduler(workerCount: 1)
        let work = chunk()
        _ = scheduler.submit(work, now: 0)
        _ = scheduler.workerReady(worker(0), now: 0)
        _ = scheduler.terminate()
        #expect(
            try scheduler.workerEnded(worker(0), holding: .goesOn, error: failure(), now: 0).answers
                == [.finished])
        #expect(work.place == .ended)
    }

    @Test func `News of a worker that was replaced is no news`() throws {
        var scheduler = Scheduler(workerCount: 1)
        let (first, second) = (chunk(2), chunk())
        _ = scheduler.submit(first, now: 0)
        _ = scheduler.workerReady(worker(0), now: 0)
        _ = try scheduler.workerEnded(worker(0), holding: .begun(first, end: 1), error: failure(), now: 0)
        #expect(scheduler.workerReady(worker(0), now: 0).answers == [])
        _ = scheduler.workerReady(worker(0, 2), now: 0)
        #expect(scheduler.workEnded(on: worker(0), now: 0).answers == [])
        #expect(try scheduler.workerEnded(worker(0), holding: .unbegun, error: failure(), now: 0).answers == [])
        #expect(
            try scheduler.startFailed(worker(0), error: failure(), wasKilled: false, now: 0).answers == [])
        #expect(scheduler.seats.map(\.isBusy) == [true])
        #expect(first.place == .held(by: 0))
        _ = scheduler.submit(second, now: 0)
        #expect(scheduler.workEnded(on: worker(0, 2), now: 0).answers == [assigned(second, worker(0, 2))])
    }

    // MARK: Starts that fail

    /// Lets all attempts to start the first worker of a seat fail; returns what the scheduler answers to the last.
    private func failStart(of seat: Int, _ scheduler: inout Scheduler, now: UInt64 = 0) throws -> Scheduler.Actions {
        for attempt in 1..<UInt64(Seat.Attempts.limit) {
            let worker = worker(seat, attempt)
            #expect(try scheduler.startFailed(worker, error: failure(), wasKilled: false, now: now).answers == [])
            // The pauses are as good as over.
            #expect(scheduler.clockFailed(now: now).answers == [.start(self.worker(seat, attempt + 1))])
        }
        let last = worker(seat, UInt64(Seat.Attempts.limit))
        return try scheduler.startFailed(last, error: failure(), wasKilled: false, now: now)
    }

    private func worker(_ index: Int, _ generation: UInt64 = 1) -> WorkerID {
        WorkerID(index: index, generation: generation)
    }

    @Test func `A start is tried a few times, after longer and longer pauses`() throws {
        var scheduler = Scheduler(workerCount: 1)
        let work = chunk()
        _ = scheduler.submit(work, now: 0)
        #expect(
            try scheduler.startFailed(worker(0), error: failure(), wasKilled: false, now: 5).wakes == [10_000_005])
        #expect(scheduler.timeIsUp(now: 10_000_004).answers == [])
        #expect(scheduler.timeIsUp(now: 10_000_005).answers == [.start(worker(0, 2))])
        let second = try scheduler.startFailed(worker(0, 2), error: failure(), wasKilled: false, now: 20_000_000)
        #expect(second.wakes == [60_000_000])
        // Work that comes meanwhile starts nobody else, and no worker is lost for it.
        #expect(scheduler.submit(chunk(), now: 20_000_001).answers == [])
        #expect(scheduler.timeIsUp(now: 60_000_000).answers == [.start(worker(0, 3))])
        #expect(scheduler.workerReady(worker(0, 3), now: 70_000_000).answers == [assigned(work, worker(0, 3))])
    }

    @Test func `Starts that are ended from outside are tried many times, and the error tells how many`() throws {
        var scheduler = Scheduler(workerCount: 1)
        _ = scheduler.submit(chunk(), now: 0)
        var generation: UInt64 = 0
        var attempts: Int?
        for wasKilled in Array(repeating: true, count: 20) + [false, true, false, false] {
            generation += 1
            let id = worker(0, generation)
            let actions = try scheduler.startFailed(id, error: failure(), wasKilled: wasKilled, now: 0)
            actions.forEach { action in
                if case .end(_, .failed(let error)) = action { attempts = error.attempts }
            }
            if attempts == nil { _ = scheduler.clockFailed(now: 0) }
        }
        #expect(attempts == 24)
    }

    @Test func `A start that is to be tried again is nothing to wait for at the end`() throws {
        var scheduler = Scheduler(workerCount: 1)
        let work = chunk()
        _ = scheduler.submit(work, now: 0)
        _ = try scheduler.startFailed(worker(0), error: failure(), wasKilled: false, now: 0)
        #expect(scheduler.terminate().answers == [ended(work, "shutDown"), .finished])
        #expect(scheduler.timeIsUp(now: 1 << 40).answers == [])
    }

    @Test func `Work fails when no worker can be started`() throws {
        var scheduler = Scheduler(workerCount: 2)
        let (first, second) = (chunk(), chunk())
        _ = scheduler.submit(first, now: 0)
        _ = scheduler.submit(second, now: 0)
        // One is still being started and may come.
        #expect(try failStart(of: 0, &scheduler).answers == [])
        #expect(
            try failStart(of: 1, &scheduler).answers
                == [ended(first, "failed: invalidArgument"), ended(second, "failed: invalidArgument")])
        #expect(scheduler.queuedCount == 0)
    }

    @Test func `A pool whose start failed tries again with the next work`() throws {
        var scheduler = Scheduler(workerCount: 1)
        _ = scheduler.submit(chunk(), now: 0)
        _ = try failStart(of: 0, &scheduler)
        #expect(scheduler.submit(chunk(), now: 1).answers == [.start(worker(0, 4))])
    }

    @Test func `A failed start is not repeated at once while others work`() throws {
        var scheduler = Scheduler(workerCount: 2)
        _ = scheduler.submit(chunk(), now: 0)
        _ = scheduler.workerReady(worker(0), now: 0)
        #expect(scheduler.submit(chunk(), now: 0).answers == [.start(worker(1))])
        #expect(try failStart(of: 1, &scheduler, now: 100).answers == [])
        #expect(scheduler.submit(chunk(), now: 101).answers == [])
        #expect(scheduler.submit(chunk(), now: 100 + Scheduler.startPause).answers == [.start(worker(1, 4))])
    }

    @Test func `A failed start is repeated when its pause is over, though nothing else happens`() throws {
        var scheduler = Scheduler(workerCount: 2)
        let (long, short) = (chunk(), chunk())
        _ = scheduler.submit(long, now: 0)
        _ = scheduler.workerReady(worker(0), now: 0)
        _ = scheduler.submit(short, now: 0)
        let end = 100 + Scheduler.startPause
        #expect(try failStart(of: 1, &scheduler, now: 100).wakes == [end])
        // The time at which the worker that is busy is asked may come first.
        let early = scheduler.timeIsUp(now: Scheduler.silence)
        #expect(early.answers == [.inquire(worker(0))])
        #expect(early.wakes == [end])
        #expect(scheduler.timeIsUp(now: end).answers == [.start(worker(1, 4))])
        #expect(scheduler.workerReady(worker(1, 4), now: end).answers == [assigned(short, worker(1, 4))])
    }

    @Test func `After many quick deaths a worker is started when a pause is over`() throws {
        var scheduler = Scheduler(workerCount: 2)
        _ = scheduler.submit(chunk(), now: 0)
        _ = scheduler.workerReady(worker(0), now: 0)
        // The one that is busy was asked, so that nothing else is to be looked at.
        _ = scheduler.timeIsUp(now: Scheduler.silence)
        let start = Scheduler.silence + 1
        // One after another, so that none is failed for having ended so many workers itself.
        var waiting = chunk()
        #expect(scheduler.submit(waiting, now: start).answers == [.start(worker(1))])
        let last = UInt64(Scheduler.quickDeathLimit)
        for death in 1..<last {
            if death == last / 2 {
                let next = chunk()
                _ = scheduler.submit(next, now: start)
                _ = scheduler.cancel(waiting, now: start)
                waiting = next
            }
            _ = scheduler.workerReady(worker(1, death), now: start)
            let end = try scheduler.workerEnded(worker(1, death), holding: .unbegun, error: failure(), now: start)
            #expect(end.answers == [.start(worker(1, death + 1))])
        }
        _ = scheduler.workerReady(worker(1, last), now: start)
        // The silence of those that died is looked at later, if at all.
        _ = scheduler.timeIsUp(now: start)
        let end = try scheduler.workerEnded(worker(1, last), holding: .unbegun, error: failure(), now: start)
        let pauseEnd = start + Scheduler.startPause
        #expect(end.answers == [])
        #expect(scheduler.alarmTime <= pauseEnd)
        #expect(scheduler.timeIsUp(now: pauseEnd).answers == [.start(worker(1, last + 1))])
    }

    // MARK: Silence

    @Test func `A worker that is silent for long is asked once`() {
        var scheduler = Scheduler(workerCount: 2)
        for _ in 0..<2 { _ = scheduler.submit(chunk(), now: 0) }
        #expect(scheduler.workerReady(worker(0), now: 0).wakes == [Scheduler.silence])
        #expect(scheduler.workerReady(worker(1), now: 5).wakes == [])
        let first = scheduler.timeIsUp(now: Scheduler.silence)
        #expect(first.answers == [.inquire(worker(0))])
        #expect(first.wakes == [5 + Scheduler.silence])
        let second = scheduler.timeIsUp(now: 5 + Scheduler.silence)
        #expect(second.answers == [.inquire(worker(1))])
        #expect(second.wakes == [])
        #expect(scheduler.timeIsUp(now: 10 * Scheduler.silence).answers == [])
    }

    @Test func `A pool whose workers are idle asks for no call`() {
        var scheduler = Scheduler(workerCount: 1)
        _ = scheduler.submit(chunk(), now: 0)
        _ = scheduler.workerReady(worker(0), now: 0)
        _ = scheduler.workEnded(on: worker(0), now: 10)
        let late = scheduler.timeIsUp(now: Scheduler.silence)
        #expect(late.answers == [])
        #expect(late.wakes == [])
    }

    // MARK: Cancelling

    @Test func `What is cancelled in the queue ends at once and is never assigned`() {
        var scheduler = Scheduler(workerCount: 1)
        let (first, second, third) = (chunk(), chunk(), chunk())
        for chunk in [first, second, third] { _ = scheduler.submit(chunk, now: 0) }
        _ = scheduler.workerReady(worker(0), now: 0)
        #expect(scheduler.cancel(second, now: 0).answers == [ended(second, "cancelled")])
        #expect(scheduler.cancel(second, now: 0).answers == [])
        #expect(scheduler.queuedCount == 1)
        #expect(scheduler.workEnded(on: worker(0), now: 0).answers == [assigned(third, worker(0))])
    }

    @Test func `A worker that holds a cancelled chunk is told`() {
        var scheduler = Scheduler(workerCount: 1)
        let work = chunk()
        #expect(scheduler.cancel(work, now: 0).answers == [])
        _ = scheduler.submit(work, now: 0)
        _ = scheduler.workerReady(worker(0), now: 0)
        #expect(scheduler.cancel(work, now: 0).answers == [.cancel(ObjectIdentifier(work), worker(0))])
        _ = scheduler.workEnded(on: worker(0), now: 0)
        #expect(scheduler.cancel(work, now: 0).answers == [])
    }

    @Test func `A cancelled chunk does not go on in another worker`() throws {
        var scheduler = Scheduler(workerCount: 1)
        let work = chunk(3)
        _ = scheduler.submit(work, now: 0)
        _ = scheduler.workerReady(worker(0), now: 0)
        work.markCancelled()
        _ = scheduler.cancel(work, now: 0)
        #expect(
            try scheduler.workerEnded(worker(0), holding: .begun(work, end: 1), error: failure(), now: 0).answers
                == [ended(work, "cancelled")])
    }

    @Test func `A worker that was started for work that is cancelled stays for the next`() {
        var scheduler = Scheduler(workerCount: 1)
        let work = chunk()
        _ = scheduler.submit(work, now: 0)
        _ = scheduler.cancel(work, now: 0)
        #expect(scheduler.workerReady(worker(0), now: 0).answers == [])
        #expect(scheduler.seats.map(\.isIdle) == [true])
    }

    // MARK: The end

    @Test func `A pool that never worked is finished at once`() {
        var scheduler = Scheduler(workerCount: 2)
        #expect(scheduler.shutDown().answers == [.finished])
        #expect(scheduler.isFinished)
        #expect(scheduler.shutDown().answers == [])
        #expect(scheduler.terminate().answers == [])
    }

    @Test func `What was submitted is finished before the workers stop`() throws {
        var scheduler = Scheduler(workerCount: 1)
        let (first, second, late) = (chunk(), chunk(), chunk())
        for chunk in [first, second] { _ = scheduler.submit(chunk, now: 0) }
        _ = scheduler.workerReady(worker(0), now: 0)
        #expect(scheduler.shutDown().answers == [])
        #expect(scheduler.submit(late, now: 0).answers == [ended(late, "shutDown")])
        #expect(scheduler.workEnded(on: worker(0), now: 0).answers == [assigned(second, worker(0))])
        #expect(scheduler.workEnded(on: worker(0), now: 0).answers == [.stop(worker(0))])
        #expect(!scheduler.isFinished)
        #expect(
            try scheduler.workerEnded(worker(0), holding: .unbegun, error: failure(), now: 0).answers == [.finished])
        #expect(scheduler.isFinished)
    }

    @Test func `A worker that ends while the pool shuts down is replaced for the work that is left`() throws {
        var scheduler = Scheduler(workerCount: 1)
        let (first, second) = (chunk(), chunk())
        for chunk in [first, second] { _ = scheduler.submit(chunk, now: 0) }
        _ = scheduler.workerReady(worker(0), now: 0)
        _ = scheduler.shutDown()
        #expect(
            try scheduler.workerEnded(worker(0), holding: .begun(first, end: 1), error: failure(), now: 0).answers
                == [ended(first, "cancelled"), .start(worker(0, 2))])
        #expect(scheduler.workerReady(worker(0, 2), now: 0).answers == [assigned(second, worker(0, 2))])
        #expect(scheduler.workEnded(on: worker(0, 2), now: 0).answers == [.stop(worker(0, 2))])
    }

    @Test func `A worker that is still starting when nothing is left is not waited for`() {
        var scheduler = Scheduler(workerCount: 1)
        let work = chunk()
        _ = scheduler.submit(work, now: 0)
        _ = scheduler.shutDown()
        #expect(scheduler.cancel(work, now: 0).answers == [ended(work, "cancelled"), .kill(worker(0))])
    }

    @Test func `A start that fails while the pool shuts down still lets it finish`() throws {
        var scheduler = Scheduler(workerCount: 1)
        let work = chunk()
        _ = scheduler.submit(work, now: 0)
        _ = scheduler.shutDown()
        #expect(
            try failStart(of: 0, &scheduler).answers
                == [ended(work, "failed: invalidArgument"), .finished])
    }

    @Test func `To terminate ends queued work, gives up what runs and kills every worker`() throws {
        var scheduler = Scheduler(workerCount: 3)
        let chunks = (0..<4).map { _ in chunk() }
        for chunk in chunks { _ = scheduler.submit(chunk, now: 0) }
        _ = scheduler.workerReady(worker(0), now: 0)
        _ = scheduler.workerReady(worker(1), now: 0)
        _ = scheduler.workEnded(on: worker(1), now: 0)
        #expect(
            scheduler.terminate().answers == [
                ended(chunks[3], "shutDown"),
                .abandon(ObjectIdentifier(chunks[0]), "shutDown"), .kill(worker(0)),
                .abandon(ObjectIdentifier(chunks[2]), "shutDown"), .kill(worker(1)),
                .kill(worker(2)),
            ])
        #expect(scheduler.terminate().answers == [])
        // Whatever the workers still say, they get nothing to do.
        #expect(
            !scheduler.workerReady(worker(2), now: 0).answers.contains { answer in
                if case .assign = answer { true } else { false }
            })
        for index in 0..<3 {
            let answers = try scheduler.workerEnded(
                worker(index), holding: index == 0 ? .begun(chunks[0], end: 1) : .unbegun, error: failure(), now: 0
            ).answers
            #expect(answers.contains(.finished) == (index == 2))
        }
    }

    @Test func `A worker that gets ready after it was to be killed is killed again`() {
        var scheduler = Scheduler(workerCount: 1)
        _ = scheduler.submit(chunk(), now: 0)
        _ = scheduler.terminate()
        // The order to start it may have been carried out after the order to kill it.
        #expect(scheduler.workerReady(worker(0), now: 0).answers == [.kill(worker(0))])
    }
}

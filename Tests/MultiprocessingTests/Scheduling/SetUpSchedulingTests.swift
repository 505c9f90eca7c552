import Multiprocessing
import TestSupport
import Testing

private func worker(_ index: Int, _ generation: UInt64 = 1) -> WorkerID {
    WorkerID(index: index, generation: generation)
}

private struct Broken: Error, Codable {}

/// What the scheduler does with a worker before its first item.
@Suite(.admitted)
struct SetUpSchedulingTests {
    private func scheduler(workers: Int = 1) -> Scheduler {
        var rules = SchedulerRules()
        rules.setUpTimeout = 1_000
        return Scheduler(workerCount: workers, rules: rules)
    }

    @Test("A worker is set up before it is given work, and counts as starting until then")
    func comesFirst() {
        var scheduler = scheduler()
        let chunk = Chunk.placeholder(count: 1)
        _ = scheduler.submit(chunk, now: 0)
        let actions = scheduler.workerReady(worker(0), now: 5)
        #expect(actions.answers == [.setUp(worker(0))])
        #expect(actions.wakes == [1_005])
        #expect(scheduler.startingCount == 1)
        #expect(
            scheduler.setUpEnded(worker(0), nil, now: 10).answers == [
                .assign(ObjectIdentifier(chunk), then: [], worker(0))
            ])
        #expect(scheduler.startingCount == 0)
        // Once.
        #expect(scheduler.setUpEnded(worker(0), Broken(), now: 11).answers.isEmpty)
    }

    @Test("One that fails fails all that waits, and for a while what comes then")
    func failsWhatWaits() {
        var scheduler = scheduler()
        let chunks = (0..<4).map { _ in Chunk.placeholder(count: 1) }
        for chunk in chunks[..<2] { _ = scheduler.submit(chunk, now: 0) }
        _ = scheduler.workerReady(worker(0), now: 5)
        #expect(
            scheduler.setUpEnded(worker(0), Broken(), now: 10).answers == [
                .stop(worker(0)), .setUpFailed(worker(0), .setUpFailed),
                .end(ObjectIdentifier(chunks[0]), "failed: setUpFailed"),
                .end(ObjectIdentifier(chunks[1]), "failed: setUpFailed"),
            ])
        let ended: [Answer] = [.end(ObjectIdentifier(chunks[2]), "failed: setUpFailed")]
        #expect(scheduler.submit(chunks[2], now: 20).answers == ended)
        _ = scheduler.workerEnded(worker(0), holding: .unbegun, error: error, now: 30)
        let later = 10 + Scheduler.startPause
        #expect(scheduler.submit(chunks[3], now: later).answers == [.start(worker(0, 2))])
    }

    @Test("A start that is asked for while the worker that failed still ends comes when it is gone")
    func startsAgain() {
        var scheduler = scheduler()
        _ = scheduler.startAll()
        _ = scheduler.workerReady(worker(0), now: 5)
        _ = scheduler.setUpEnded(worker(0), Broken(), now: 10)
        #expect(scheduler.startAll().answers.isEmpty)
        #expect(scheduler.isStarting)
        // It waits for that worker, though the last set-up has failed.
        let chunk = Chunk.placeholder(count: 1)
        #expect(scheduler.submit(chunk, now: 15).answers.isEmpty)
        #expect(
            scheduler.workerEnded(worker(0), holding: .unbegun, error: error, now: 20).answers == [.start(worker(0, 2))]
        )
        #expect(scheduler.isStarting)
        _ = scheduler.workerReady(worker(0, 2), now: 25)
        #expect(
            scheduler.setUpEnded(worker(0, 2), nil, now: 30).answers == [
                .assign(ObjectIdentifier(chunk), then: [], worker(0, 2))
            ])
        #expect(!scheduler.isStarting)
    }

    @Test("One that takes too long is killed, and so is the rest of what waits")
    func takesTooLong() {
        var scheduler = scheduler()
        let chunk = Chunk.placeholder(count: 1)
        _ = scheduler.submit(chunk, now: 0)
        _ = scheduler.workerReady(worker(0), now: 5)
        #expect(scheduler.timeIsUp(now: 1_004).answers.isEmpty)
        #expect(
            scheduler.timeIsUp(now: 1_005).answers == [
                .kill(worker(0)), .setUpFailed(worker(0), .setUpFailed),
                .end(ObjectIdentifier(chunk), "failed: setUpFailed"),
            ])
        #expect(scheduler.startingCount == 0)
    }

    @Test("A worker that was set up goes on with what comes later")
    func othersGoOn() {
        var scheduler = scheduler(workers: 2)
        let chunks = (0..<4).map { _ in Chunk.placeholder(count: 1) }
        for chunk in chunks[..<3] { _ = scheduler.submit(chunk, now: 0) }
        _ = scheduler.workerReady(worker(0), now: 5)
        _ = scheduler.setUpEnded(worker(0), nil, now: 6)
        _ = scheduler.workerReady(worker(1), now: 7)
        let answers = scheduler.workerEnded(worker(1), holding: .unbegun, error: error, now: 8).answers
        #expect(answers.contains(.setUpFailed(worker(1), .setUpFailed)))
        for chunk in chunks[1...2] {
            #expect(answers.contains(.end(ObjectIdentifier(chunk), "failed: setUpFailed")))
        }
        #expect(scheduler.submit(chunks[3], now: 9).answers.isEmpty)
        #expect(
            scheduler.workEnded(on: worker(0), now: 10).answers
                == [.assign(ObjectIdentifier(chunks[3]), then: [], worker(0))])
    }

    @Test("The end of the pool does not wait for it")
    func endComesFirst() {
        var scheduler = scheduler()
        _ = scheduler.startAll()
        _ = scheduler.workerReady(worker(0), now: 5)
        #expect(scheduler.shutDown().answers == [.kill(worker(0))])
        #expect(
            scheduler.workerEnded(worker(0), holding: .unbegun, error: error, now: 6).answers == [.finished])
    }

    private var error: PoolError {
        do {
            _ = try Pool(.threads, workers: 0)
            fatalError("a pool without workers")
        } catch {
            guard let error = error as? PoolError else { fatalError("\(error)") }
            return error
        }
    }
}

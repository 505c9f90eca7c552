import Multiprocessing
import TestSupport
import Testing

private func worker(_ index: Int, _ generation: UInt64 = 1) -> WorkerID {
    WorkerID(index: index, generation: generation)
}

private func assigned(_ chunk: Chunk, _ worker: WorkerID) -> Answer {
    .assign(ObjectIdentifier(chunk), then: [], worker)
}

/// A chunk that makes an actor.
private func placing(keepsWorker: Bool = true) -> Chunk {
    let chunk = Chunk.placeholder(count: 1)
    chunk.placement = ActorPlacement(keepsWorker: keepsWorker)
    return chunk
}

private func work() -> Chunk { Chunk.placeholder(count: 1) }

extension Scheduler {
    /// A worker ends its work; if that was to make an actor, it has made this one.
    fileprivate mutating func end(_ chunk: Chunk, on worker: WorkerID, making actor: UInt64? = nil, now: UInt64 = 0)
        -> [Answer]
    {
        chunk.finishedCount = chunk.count
        chunk.placement?.actor = actor
        return workEnded(on: worker, now: now).answers
    }
}

@Suite(.admitted)
struct ActorSchedulingTests {
    @Test func `Actors are spread over workers, which are started for them`() {
        var scheduler = Scheduler(workerCount: 2)
        let (first, second, third) = (placing(), placing(), placing())
        #expect(scheduler.submit(first, now: 0).answers == [.start(worker(0))])
        #expect(scheduler.workerReady(worker(0), now: 0).answers == [assigned(first, worker(0))])
        #expect(scheduler.end(first, on: worker(0), making: 5) == [.watchActor(5, worker(0))])
        // The idle worker has one already.
        #expect(scheduler.submit(second, now: 0).answers == [.start(worker(1))])
        let item = work()
        #expect(scheduler.submit(item, now: 0).answers == [assigned(item, worker(0))])
        #expect(scheduler.workerReady(worker(1), now: 0).answers == [assigned(second, worker(1))])
        #expect(scheduler.end(item, on: worker(0)) == [])
        #expect(scheduler.end(second, on: worker(1), making: 5) == [.watchActor(5, worker(1))])
        // Both have as many, and the one that worked last is warm.
        #expect(scheduler.submit(third, now: 0).answers == [assigned(third, worker(1))])
    }

    @Test func `A busy worker with fewer actors is waited for, and not for long`() {
        for comes in [true, false] {
            var scheduler = Scheduler(workerCount: 2)
            let (first, second) = (placing(), placing())
            _ = scheduler.submit(first, now: 0)
            _ = scheduler.workerReady(worker(0), now: 0)
            _ = scheduler.end(first, on: worker(0), making: 1)
            let (one, other) = (work(), work())
            _ = scheduler.submit(one, now: 0)
            _ = scheduler.submit(other, now: 0)
            #expect(scheduler.workerReady(worker(1), now: 0).answers == [assigned(other, worker(1))])
            _ = scheduler.end(one, on: worker(0))
            let patience = 10 + Scheduler.placementPatience
            #expect(scheduler.submit(second, now: 10).wakes == [patience])
            // Other work does not wait behind it.
            let further = work()
            #expect(scheduler.submit(further, now: 10).answers == [assigned(further, worker(0))])
            _ = scheduler.end(further, on: worker(0))
            #expect(scheduler.timeIsUp(now: patience - 1).answers == [])
            if comes {
                #expect(scheduler.end(other, on: worker(1)) == [assigned(second, worker(1))])
            } else {
                #expect(scheduler.timeIsUp(now: patience).answers == [assigned(second, worker(0))])
            }
        }
    }

    @Test func `A worker is not replaced under an actor, unless that allows it`() {
        for keepsWorker in [true, false] {
            var rules = SchedulerRules()
            rules.recyclingItems = 1
            var scheduler = Scheduler(workerCount: 1, rules: rules)
            let first = placing(keepsWorker: keepsWorker)
            _ = scheduler.submit(first, now: 0)
            _ = scheduler.workerReady(worker(0), now: 0)
            let answers = scheduler.end(first, on: worker(0), making: 3)
            guard keepsWorker else {
                #expect(answers == [.watchActor(3, worker(0)), .stop(worker(0))])
                continue
            }
            #expect(answers == [.watchActor(3, worker(0))])
            let item = work()
            #expect(scheduler.submit(item, now: 0).answers == [assigned(item, worker(0))])
            #expect(scheduler.end(item, on: worker(0)) == [])
            // Another's end, and one that is not known.
            #expect(scheduler.actorEnded(3, on: worker(0, 7), now: 0).answers == [])
            #expect(scheduler.actorEnded(4, on: worker(0), now: 0).answers == [])
            #expect(scheduler.actorEnded(3, on: worker(0), now: 0).answers == [.stop(worker(0))])
        }
    }

    @Test func `A worker with an actor is not let go for idleness or age until the actor is gone`() {
        for ages in [true, false] {
            var rules = SchedulerRules()
            if ages { rules.recyclingAge = 100 } else { rules.idleTimeout = 100 }
            var scheduler = Scheduler(workerCount: 1, rules: rules)
            let first = placing()
            _ = scheduler.submit(first, now: 0)
            _ = scheduler.workerReady(worker(0), now: 0)
            #expect(scheduler.end(first, on: worker(0), making: 1) == [.watchActor(1, worker(0))])
            #expect(scheduler.timeIsUp(now: 1_000).answers == [])
            #expect(scheduler.actorEnded(1, on: worker(0), now: 2_000).answers == [.stop(worker(0))])
        }
    }

    @Test func `A smaller pool keeps a worker for its actor, gives it no work, and has others in its place`() {
        var scheduler = Scheduler(workerCount: 2)
        let (first, second) = (placing(), placing())
        _ = scheduler.submit(first, now: 0)
        _ = scheduler.workerReady(worker(0), now: 0)
        _ = scheduler.end(first, on: worker(0), making: 1)
        _ = scheduler.submit(second, now: 0)
        _ = scheduler.workerReady(worker(1), now: 0)
        _ = scheduler.end(second, on: worker(1), making: 1)
        #expect(scheduler.resize(to: 1, now: 0).answers == [])
        let (one, other) = (work(), work())
        #expect(scheduler.submit(one, now: 0).answers == [assigned(one, worker(0))])
        #expect(scheduler.submit(other, now: 0).answers == [])
        // The first worker dies, and the one that is there for its actor does not stand in.
        #expect(
            scheduler.workerEnded(worker(0), holding: .unbegun, error: failure, now: 0).answers
                == [.start(worker(0, 2))])
        #expect(scheduler.workerReady(worker(0, 2), now: 0).answers.count == 1)
        // In a larger one it works again.
        let answers = scheduler.resize(to: 2, now: 0).answers
        #expect(answers.count == 1)
        guard case .assign(_, _, worker(1)) = answers.first else {
            return _ = Issue.record("\(answers)")
        }
    }

    @Test func `A worker that is there for its actor only goes with the actor, and with the pool`() {
        for isOver in [true, false] {
            var scheduler = Scheduler(workerCount: 2)
            let (item, first) = (work(), placing())
            _ = scheduler.submit(item, now: 0)
            _ = scheduler.workerReady(worker(0), now: 0)
            #expect(scheduler.submit(first, now: 0).answers == [.start(worker(1))])
            #expect(scheduler.workerReady(worker(1), now: 0).answers == [assigned(first, worker(1))])
            _ = scheduler.end(item, on: worker(0))
            _ = scheduler.end(first, on: worker(1), making: 1)
            #expect(scheduler.resize(to: 1, now: 0).answers == [])
            if isOver {
                #expect(scheduler.shutDown().answers == [.stop(worker(0)), .stop(worker(1))])
            } else {
                #expect(scheduler.actorEnded(1, on: worker(1), now: 0).answers == [.stop(worker(1))])
            }
        }
    }

    @Test func `An actor that is cancelled while it waits is not made, and one whose worker ends is made elsewhere`() {
        var scheduler = Scheduler(workerCount: 1)
        let (first, second) = (placing(), placing())
        _ = scheduler.submit(first, now: 0)
        _ = scheduler.submit(second, now: 0)
        first.markCancelled()
        #expect(scheduler.cancel(first, now: 0).answers == [.end(ObjectIdentifier(first), "cancelled")])
        #expect(scheduler.workerReady(worker(0), now: 0).answers == [assigned(second, worker(0))])
        #expect(
            scheduler.workerEnded(worker(0), holding: .unbegun, error: failure, now: 0).answers
                == [.start(worker(0, 2))])
        #expect(scheduler.workerReady(worker(0, 2), now: 0).answers == [assigned(second, worker(0, 2))])
        #expect(scheduler.terminate().answers.contains(.abandon(ObjectIdentifier(second), "shutDown")))
    }

    @Test func `The rest of what was begun is taken until the pool has ended`() {
        var scheduler = Scheduler(workerCount: 1)
        let (item, rest, late) = (work(), work(), work())
        _ = scheduler.submit(item, now: 0)
        _ = scheduler.workerReady(worker(0), now: 0)
        _ = scheduler.shutDown()
        #expect(scheduler.submit(late, now: 0).answers == [.end(ObjectIdentifier(late), "shutDown")])
        #expect(scheduler.submit(rest, isRest: true, now: 0).answers == [])
        #expect(scheduler.end(item, on: worker(0)) == [assigned(rest, worker(0))])
        #expect(scheduler.end(rest, on: worker(0)) == [.stop(worker(0))])
        #expect(
            scheduler.workerEnded(worker(0), holding: .unbegun, error: failure, now: 0).answers == [.finished])
        let last = work()
        #expect(scheduler.submit(last, isRest: true, now: 0).answers == [.end(ObjectIdentifier(last), "shutDown")])
    }

    /// An error as a backend reports it.
    private var failure: PoolError {
        do {
            _ = try Pool(.threads, workers: 0)
        } catch let error as PoolError {
            return error
        } catch {}
        fatalError("a pool of no workers is refused")
    }
}

import Multiprocessing
import TestSupport
import Testing

private func worker(_ index: Int, _ generation: UInt64 = 1) -> WorkerID {
    WorkerID(index: index, generation: generation)
}

/// What the scheduler does with groups that a worker has had for too long.
@Suite(.admitted)
struct PromptSchedulingTests {
    private func group() -> Chunk {
        let chunk = Chunk.placeholder(count: 10, stride: 1)
        chunk.isPrompt = true
        return chunk
    }

    /// A pool whose first worker has a group.
    private func scheduler(workers: Int) -> Scheduler {
        var scheduler = Scheduler(workerCount: workers)
        _ = scheduler.submit(group(), now: 0)
        let actions = scheduler.workerReady(worker(0), now: 5)
        #expect(actions.wakes.contains(5 + Scheduler.patience))
        return scheduler
    }

    @Test("What is not begun is asked for when a worker could be started for it, though none is idle")
    func startsAnother() {
        var scheduler = scheduler(workers: 2)
        #expect(scheduler.timeIsUp(now: 5 + Scheduler.patience / 2).answers.isEmpty)
        #expect(scheduler.timeIsUp(now: 5 + Scheduler.patience).answers == [.reclaim(worker(0))])
        // Once, and what comes back has a worker started.
        #expect(scheduler.timeIsUp(now: 5 + 2 * Scheduler.patience).answers.isEmpty)
        let rest = group()
        #expect(
            scheduler.reclaimed([rest], from: worker(0), now: 6 + 2 * Scheduler.patience).answers
                == [.start(worker(1))])
    }

    @Test("Nothing is asked for where nobody else could take it")
    func nobodyElse() {
        var scheduler = scheduler(workers: 1)
        #expect(scheduler.timeIsUp(now: 5 + Scheduler.patience).answers.isEmpty)
    }
}

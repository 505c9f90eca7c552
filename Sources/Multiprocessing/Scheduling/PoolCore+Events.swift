import MultiprocessingSystem
import Synchronization

/// Where what a pool is told and what it decides come to those who look: each passes here, in order.
extension PoolCore.State {
    /// Notes a fact and what was decided upon it.
    ///
    /// - Parameter now: The time, if it was asked for already.
    mutating func note(_ fact: Journal.Fact, _ actions: Scheduler.Actions, at time: UInt64?) {
        let isQuiet = !actions.tellsWorkers && !actions.endsWork
        if case .other = fact, isQuiet { return }
        let now = time ?? MonotonicTime.now().nanoseconds
        switch fact {
        case .other: break
        case .submitted(let chunk): journal.submitted(chunk, at: now)
        case .submittedTogether(let chunks): for chunk in chunks { journal.submitted(chunk, at: now) }
        case .started(let worker, let processID):
            journal.started(worker, processID: processID)
            if scheduler.rules.setUpTimeout == nil { journal.ready(worker, at: now) }
        case .setUpDone(let worker, let nanoseconds):
            journal.setUpDone(worker, nanoseconds, at: now)
            journal.ready(worker, at: now)
        case .ended(let chunk, let worker, let nanoseconds): journal.ended(chunk, on: worker, nanoseconds, at: now)
        case .cameBack(let chunks, let worker): journal.cameBack(chunks, from: worker, at: now)
        case .cut(let parts): journal.cut(parts, at: now)
        case .gone(let worker, let holding, let error): journal.gone(worker, holding, error, at: now)
        case .interrupted(let worker, let holding): journal.interrupted(worker, holding, at: now)
        case .retried(let chunk): journal.retried(chunk, at: now)
        case .resized(let old, let new): journal.resized(from: old, to: new, at: now)
        case .startFailed(let worker, let error):
            let triesAgain = scheduler.seats[worker.index].isStarting
            journal.startFailed(worker, error, triesAgain: triesAgain, at: now)
        }
        if isQuiet { return }
        actions.forEach { action in
            switch action {
            case .assign(let first, let others, let worker):
                journal.assigned(first, to: worker, at: now)
                for other in others { journal.assigned(other, to: worker, at: now) }
            case .end(let chunk, let reason): journal.ending(chunk, reason, at: now)
            case .start(let worker): journal.starting(worker, at: now)
            case .setUp(let worker): journal.settingUp(worker, at: now)
            case .setUpFailed(let worker, let error): journal.setUpFailed(worker, error, at: now)
            case .stop(let worker):
                let isRecycling = scheduler.phase == .open && worker.index < scheduler.workerCount
                journal.stopping(
                    worker, isRecycling: isRecycling && scheduler.isSpent(worker.index, now: now), at: now)
            case .kill(let worker): journal.killing(worker, at: now)
            case .abandon(let chunk, let reason): journal.abandoning(chunk, reason, at: now)
            case .reclaim, .cut, .cancel, .watchActor, .inquire, .inspect, .interrupt, .wake, .finished: break
            }
        }
    }
}

extension PoolCore {
    /// Notes the end of a chunk behind which its worker has another.
    func noteEnd(of chunk: Chunk, on worker: WorkerID, _ nanoseconds: UInt64) {
        state.withLock { $0.journal.ended(chunk, on: worker, nanoseconds, at: MonotonicTime.now().nanoseconds) }
        events.wakeReaders()
    }

    /// What the pool has done, and does now.
    var statistics: PoolStatistics {
        // In a forked process the lock may be held by a thread that is not there.
        if origin.isElsewhere { return PoolStatistics() }
        return state.withLock { state in
            var result = state.journal.counts
            var waitingTime = LogHistogram()
            var runningTime = LogHistogram()
            result.workers = state.journal.tallies.map { tally in
                waitingTime.add(tally.waitingTime)
                runningTime.add(tally.runningTime)
                var worker = tally.counts
                worker.busyTime = .nanoseconds(Int64(clamping: tally.busyTime))
                worker.waitingTime = tally.waitingTime.distribution
                worker.runningTime = tally.runningTime.distribution
                return worker
            }
            result.waitingTime = waitingTime.distribution
            result.runningTime = runningTime.distribution
            let ended = result.finished + result.failed + result.timedOut + result.cancelled
            result.queued = max(0, result.submitted - ended - result.running)
            for seat in state.scheduler.seats {
                if seat.isBusy { result.busyWorkers += 1 }
                if seat.isIdle { result.idleWorkers += 1 }
                if seat.isStarting { result.startingWorkers += 1 }
            }
            return result
        }
    }
}

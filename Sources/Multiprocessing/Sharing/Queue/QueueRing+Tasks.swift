import CMultiprocessing
import MultiprocessingSystem
import Synchronization

extension QueueRing {
    // MARK: Who has received what

    /// This process's place in the table of those who have received; the receivers' lock is held.
    @inline(__always)
    func ownTaker() throws -> QueueTaker { try knownTaker ?? takePlace() }

    /// The same if it has one.
    @inline(__always)
    var knownTaker: QueueTaker? {
        let known = takerPlace.load(ordering: .relaxed)
        guard known > 0 else { return nil }
        let taker = memory.taker(known - 1)
        return taker.owner.load() == mp_get_life_number() ? taker : nil
    }

    @inline(never)
    private func takePlace() throws -> QueueTaker {
        let page: LifePage
        do throws(SystemError) { page = try LifePage.current } catch { throw SharedStateError.system(error) }
        let used = min(Int(memory.takerCount.load()), QueueMemory.takerLimit)
        var found: Int?
        for index in 0..<used {
            let owner = memory.taker(index).owner.load()
            if owner == page.number {
                takerPlace.store(index + 1, ordering: .relaxed)
                return memory.taker(index)
            }
            if found == nil, owner == 0 || !page.isAlive(owner) { found = index }
        }
        if found == nil, used < QueueMemory.takerLimit {
            found = used
            memory.takerCount.store(UInt32(used + 1))
        }
        guard let found else {
            throw SharedStateError(
                .tooManyProcesses,
                "more than \(QueueMemory.takerLimit) processes receive from the queue, which is the most; use more queues"
            )
        }
        memory.taker(found).give(to: page.number)
        takerPlace.store(found + 1, ordering: .relaxed)
        return memory.taker(found)
    }

    /// Counts one item less that this process is not done with.
    func finishTask() throws {
        let known = takerPlace.load(ordering: .relaxed)
        guard known > 0, memory.taker(known - 1).owner.load() == mp_get_life_number(),
            let left = memory.taker(known - 1).remove(1)
        else {
            throw SharedStateError(
                .notHeld,
                "taskDone() was called more often than this process has received items; call it once for each, in the process that received it"
            )
        }
        if left == 0, memory.done.take() { memory.done.ringForAll() }
    }

    /// Whether nothing is in the queue, lent, or received and not done by a process that lives.
    private func isAllDone(_ page: LifePage, _ round: WaitRound) -> Bool {
        // In this order: an item is with its taker before it has left the queue.
        guard memory.tail.items(since: memory.head) == 0 else { return false }
        for index in 0..<leaseCount where [.prepared, .lent].contains(memory.lease(index).phase) { return false }
        for index in 0..<min(Int(memory.takerCount.load()), QueueMemory.takerLimit) {
            let taker = memory.taker(index)
            let owner = taker.owner.load()
            guard owner != 0, taker.outstanding > 0 else { continue }
            if round.isUnprompted ? page.isAlive(owner) : page.wasAlive(owner, deaths: round.deaths) { return false }
        }
        return true
    }

    private func lookForDone(_ page: LifePage, _ round: WaitRound) -> Look<Void> {
        let value = memory.done.prepareToSleep()
        return isAllDone(page, round) ? .done(()) : .sleep(on: memory.done.word, while: value)
    }

    /// Blocks until all is done.
    func join(_ limit: QueueLimit) throws {
        let outcome: WaitOutcome<Void>
        do throws(SystemError) {
            let page = try LifePage.current
            outcome = try SharedWait.block(until: limit.deadline) { lookForDone(page, $0) }
        } catch { throw SharedStateError.system(error) }
        try finishJoin(outcome, limit)
    }

    /// Suspends until all is done.
    nonisolated(nonsending) func join(_ limit: QueueLimit) async throws {
        let outcome: WaitOutcome<Void>
        do throws(SystemError) {
            let page = try LifePage.current
            outcome = try await SharedWait.suspend(
                on: memory.done.word, exclusively: false, until: limit.deadline
            ) { self.lookForDone(page, $0) }
        } catch { throw SharedStateError.system(error) }
        try finishJoin(outcome, limit)
    }

    private func finishJoin(_ outcome: WaitOutcome<Void>, _ limit: QueueLimit) throws {
        switch outcome {
        case .done: break
        case .cancelled: throw CancellationError()
        case .timedOut:
            throw SharedStateError.timedOut("not all items of the queue were received and done", after: limit.timeout)
        }
    }
}

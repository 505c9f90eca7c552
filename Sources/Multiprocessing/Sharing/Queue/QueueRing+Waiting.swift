import CMultiprocessing
import MultiprocessingSystem
import Synchronization

/// What somebody waits for.
enum QueueSide: Sendable {
    /// An item, or the end.
    case items
    /// Room for an item of so many units, or the end.
    case room(units: UInt64)

    fileprivate var isForItems: Bool {
        if case .items = self { return true }
        return false
    }

    fileprivate func timedOut(_ timeout: Duration?) -> SharedStateError {
        .timedOut(isForItems ? "no item came" : "the queue had no room for the item", after: timeout)
    }
}

/// When a wait is given up.
struct QueueLimit: Sendable {
    let timeout: Duration?
    let deadline: MonotonicTime?

    init(_ timeout: Duration?) {
        self.timeout = timeout
        deadline = timeout.map { MonotonicTime.now().advanced(by: $0) }
    }
}

/// How long to wait before descriptors are sent again that the system had no room for.
private enum DescriptorPause {
    static let milliseconds: UInt32 = 2
}

extension QueueRing {
    /// How often one who finds nothing looks again before it sleeps: some microseconds.
    private static let spins = 300

    private func lock(of side: QueueSide) -> LockWord { side.isForItems ? memory.receiveLock : memory.sendLock }

    private func bell(of side: QueueSide) -> QueueBell { side.isForItems ? memory.items : memory.room }

    /// How many tasks of this process were resumed for what they wait for, and have not looked for it yet.
    private func claims(of side: QueueSide) -> Int {
        side.isForItems ? itemClaims.load(ordering: .acquiring) : roomClaims.load(ordering: .acquiring)
    }

    private func changeClaims(of side: QueueSide, by change: Int) {
        if side.isForItems {
            itemClaims.add(change, ordering: .acquiringAndReleasing)
        } else {
            roomClaims.add(change, ordering: .acquiringAndReleasing)
        }
    }

    // MARK: Looking

    /// How many of those who wait have something to do.
    @inline(__always)
    private func ready(_ side: QueueSide) -> Int {
        switch side {
        case .items:
            let (tail, head) = (memory.tail, memory.head)
            let count = tail.items(since: head)
            return count == 0 && (tail.isClosed || hasOrphanedLease) ? .max : count
        case .room(let units):
            return roomEstimate(units: units)
        }
    }

    private func isReadySoon(_ side: QueueSide) -> Bool {
        if ready(side) > 0 { return true }
        let occasions = side.isForItems ? itemSpins : roomSpins
        guard occasions.take() else { return false }
        for _ in 0..<Self.spins {
            mp_pause()
            if ready(side) > 0 {
                occasions.note(success: true)
                return true
            }
        }
        occasions.note(success: false)
        return false
    }

    private func look(_ side: QueueSide) -> Look<Void> {
        let bell = bell(of: side)
        let value = bell.prepareToSleep()
        return ready(side) > 0 ? .done(()) : .sleep(on: bell.word, while: value)
    }

    /// As the other, for one of many: no more are resumed than have something to do.
    private func claim(_ side: QueueSide) -> Look<Void> {
        let bell = bell(of: side)
        let value = bell.prepareToSleep()
        guard ready(side) > claims(of: side) else { return .sleep(on: bell.word, while: value) }
        changeClaims(of: side, by: 1)
        return .done(())
    }

    // MARK: Blocking

    /// Tries with the lock held until `attempt`, which lets go of it, has come to an end; blocks the thread meanwhile.
    func block<Value>(
        for side: QueueSide, _ limit: QueueLimit, _ attempt: (_ hasSlept: Bool) throws -> Turn<Value>
    ) throws -> Value {
        var hasSlept = false
        while true {
            if side.isForItems, !isReadySoon(side) {
                try wait(for: side, limit)
                hasSlept = true
            }
            try hold(lock(of: side), limit, side)
            switch try attempt(hasSlept) {
            case .done(let value): return value
            case .wait: break
            case .retry:
                try checkLimit(limit, side)
                ThisProcess.pause(milliseconds: DescriptorPause.milliseconds)
            }
            if !side.isForItems, !isReadySoon(side) {
                try wait(for: side, limit)
                hasSlept = true
            }
        }
    }

    private func wait(for side: QueueSide, _ limit: QueueLimit) throws {
        let outcome: WaitOutcome<Void>
        do throws(SystemError) {
            outcome = try SharedWait.block(until: limit.deadline) { _ in look(side) }
        } catch { throw SharedStateError.system(error) }
        try finish(outcome, limit, side)
    }

    @inline(__always)
    private func hold(_ lock: LockWord, _ limit: QueueLimit, _ side: QueueSide) throws {
        if mp_lock_take(lock.word.address) { return }
        try holdSlowly(lock, limit, side)
    }

    @inline(never)
    private func holdSlowly(_ lock: LockWord, _ limit: QueueLimit, _ side: QueueSide) throws {
        let outcome: WaitOutcome<LockWord.Acquired>
        do throws(SystemError) {
            outcome = try lock.lock(until: limit.deadline)
        } catch { throw SharedStateError.system(error) }
        noticeDeath(try finish(outcome, limit, side), lock, side)
    }

    /// Whoever has the lock after a death puts in order what the dead one may have left.
    private func noticeDeath(_ acquired: LockWord.Acquired, _ lock: LockWord, _ side: QueueSide) {
        guard case .afterDeath = acquired else { return }
        if side.isForItems { repairLeases() }
        lock.markRecovered()
    }

    private func finish<Value>(
        _ outcome: WaitOutcome<Value>, _ limit: QueueLimit, _ side: QueueSide
    ) throws -> Value {
        switch outcome {
        case .done(let value): return value
        case .cancelled: throw CancellationError()
        case .timedOut: throw side.timedOut(limit.timeout)
        }
    }

    private func checkLimit(_ limit: QueueLimit, _ side: QueueSide) throws {
        if let deadline = limit.deadline, deadline <= .now() { throw side.timedOut(limit.timeout) }
    }

    // MARK: Not waiting

    /// Tries once; `nil` if the other side has to move first, or a stopped process has the lock.
    func tryNow<Value>(for side: QueueSide, _ attempt: (_ hasSlept: Bool) throws -> Turn<Value>) throws -> Value? {
        guard ready(side) > 0 else { return nil }
        let lock = lock(of: side)
        if !mp_lock_take(lock.word.address) {
            let acquired: LockWord.Acquired?
            do throws(SystemError) {
                acquired = lock.spin() ? .clean : try lock.tryLock()
            } catch { throw SharedStateError.system(error) }
            guard let acquired else { return nil }
            noticeDeath(acquired, lock, side)
        }
        guard case .done(let value) = try attempt(false) else { return nil }
        return value
    }

    // MARK: Suspending

    /// As ``block(for:_:_:)``, but suspends the task; cancelling ends the wait with `CancellationError`.
    nonisolated(nonsending) func suspend<Value>(
        for side: QueueSide, _ limit: QueueLimit, _ attempt: (_ hasSlept: Bool) throws -> Turn<Value>
    ) async throws -> Value {
        var hasSlept = false
        while true {
            var hasClaim = false
            if !isReadySoon(side) {
                try await claim(side, limit)
                hasClaim = true
                hasSlept = true
            }
            do {
                try await hold(side, limit)
            } catch {
                if hasClaim { giveUpClaim(side) }
                throw error
            }
            if hasClaim { changeClaims(of: side, by: -1) }
            switch try attempt(hasSlept) {
            case .done(let value): return value
            case .wait: break
            case .retry:
                try checkLimit(limit, side)
                try await Task.sleep(for: .milliseconds(DescriptorPause.milliseconds))
            }
        }
    }

    nonisolated(nonsending) private func claim(_ side: QueueSide, _ limit: QueueLimit) async throws {
        let outcome: WaitOutcome<Void>
        do throws(SystemError) {
            outcome = try await SharedWait.suspend(
                on: bell(of: side).word, exclusively: true, until: limit.deadline
            ) { _ in self.claim(side) }
        } catch { throw SharedStateError.system(error) }
        try finish(outcome, limit, side)
    }

    /// One who was woken and goes without what was there wakes another in its place.
    private func giveUpClaim(_ side: QueueSide) {
        changeClaims(of: side, by: -1)
        let bell = bell(of: side)
        bell.word.add(1)
        bell.ring()
    }

    nonisolated(nonsending) private func hold(_ side: QueueSide, _ limit: QueueLimit) async throws {
        let lock = lock(of: side)
        if mp_lock_take(lock.word.address) || lock.spin() { return }
        let outcome: WaitOutcome<LockWord.Acquired>
        do throws(SystemError) {
            let page = try LifePage.current
            outcome = try await SharedWait.suspend(on: lock.word, exclusively: true, until: limit.deadline) { round in
                lock.look(round, page)
            }
        } catch { throw SharedStateError.system(error) }
        noticeDeath(try finish(outcome, limit, side), lock, side)
    }
}

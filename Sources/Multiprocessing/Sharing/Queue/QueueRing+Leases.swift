import CMultiprocessing
import MultiprocessingSystem
import Synchronization

/// One lease of an item: which place, and which of the leases that the place has had.
struct QueueLeaseTicket: Hashable, Sendable {
    let index: Int
    let sequence: UInt64
    let attempt: Int
}

extension QueueRing {
    /// How often an item is lent before it is given up.
    static let attemptLimit: UInt32 = 3

    /// How many places were ever used.
    var leaseCount: Int { min(Int(memory.leaseCount.load()), QueueShape.leaseLimit) }

    // MARK: Orphans

    /// Whether an item waits that was lent to a process that has died, or was given back.
    ///
    /// Who is alive is asked once after each death.
    var hasOrphanedLease: Bool {
        let count = leaseCount
        guard count > 0, let page = LifePage.existing else { return false }
        let deaths = UInt64(page.deaths.load())
        let isChecked = checkedDeaths.load(ordering: .relaxed) == deaths
        for index in 0..<count {
            let lease = memory.lease(index)
            guard lease.phase == .lent else { continue }
            let owner = lease.owner.load()
            if owner == 0 || (!isChecked && !page.isAlive(owner)) { return true }
        }
        checkedDeaths.store(deaths, ordering: .relaxed)
        return false
    }

    /// Puts in order what one who died with the receivers' lock was about to lend; the lock is held.
    func repairLeases() {
        for index in 0..<leaseCount {
            let lease = memory.lease(index)
            guard lease.phase == .prepared else { continue }
            // As long as the head has not moved, the item is in the ring and is received from there.
            lease.enter(lease.head == memory.head.place ? .free : .lent)
        }
    }

    /// An item that waits because its borrower is gone; the receivers' lock is held.
    private func findOrphan() throws -> Int? {
        guard hasOrphanedLease, let page = LifePage.existing else { return nil }
        for index in 0..<leaseCount {
            let lease = memory.lease(index)
            guard lease.phase == .lent else { continue }
            let owner = lease.owner.load()
            guard owner == 0 || !page.isAlive(owner) else { continue }
            guard lease.length <= UInt64(memory.shape.largestItem) else { throw SharedStateError.damagedQueue }
            guard lease.attempts.load() < Self.attemptLimit else {
                // Whoever has it dies.
                endLease(lease, index)
                continue
            }
            return index
        }
        return nil
    }

    /// Takes such an item for good; the receivers' lock is held.
    func takeOrphan(_ body: (UnsafeRawBufferPointer) throws -> Void) throws -> Bool {
        guard let index = try findOrphan() else { return false }
        let lease = memory.lease(index)
        try readLease(index, Int(lease.length), body)
        try ownTaker().add(1)
        endLease(lease, index)
        return true
    }

    /// Ends a lease for good; `false` if it has ended.
    @discardableResult
    private func endLease(_ lease: QueueLeaseSlot, _ index: Int) -> Bool {
        guard lease.end() else { return false }
        // Only then: one who dies in between leaves a place without use, and no item without bytes.
        memory.discardLease(index, count: Int(clamping: lease.length))
        lease.enter(.free)
        if memory.done.take() { memory.done.ringForAll() }
        return true
    }

    private func readLease(_ index: Int, _ count: Int, _ body: (UnsafeRawBufferPointer) throws -> Void) throws {
        let window: MemoryWindow
        do throws(SystemError) {
            window = try memory.leaseWindow(index, count: count)
        } catch { throw SharedStateError.system(error) }
        try withExtendedLifetime(window) { try body(UnsafeRawBufferPointer(start: window.start, count: count)) }
    }

    // MARK: Lending

    /// Lends the next item, of which `body` copies the bytes; the receivers' lock is held, and let go of.
    func lend(hasSlept: Bool, _ body: (UnsafeRawBufferPointer) throws -> Void) throws -> Turn<QueueLeaseTicket> {
        var bells = Bells()
        defer {
            memory.receiveLock.unlock()
            bells.ring()
        }
        let number = mp_get_life_number()
        if let index = try findOrphan() {
            let lease = memory.lease(index)
            try readLease(index, Int(lease.length), body)
            return .done(relend(lease, index, to: number))
        }
        let from = memory.head
        let tail = memory.learnTail()
        guard tail.items(since: from) > 0 else {
            if tail.isClosed { throw SharedStateError.drainedQueue }
            return .wait
        }
        let (payload, hasObjects, next) = try item(at: from, tail: tail)
        guard !hasObjects else {
            throw SharedStateError(
                .notPortable,
                "an item that holds handles cannot be lent, because they travel once; receive() it")
        }
        let index = try freeLease()
        let lease = memory.lease(index)
        // The whole of it is copied here first: what is in the ring may be written over once the head has moved.
        try readLease(index, payload.count) { copy in
            if let start = payload.baseAddress {
                UnsafeMutableRawPointer(mutating: copy.baseAddress)?.copyMemory(from: start, byteCount: payload.count)
            }
            try body(copy)
        }
        lease.length = UInt64(payload.count)
        lease.head = from.place
        lease.sequence += 1
        lease.attempts.store(1)
        lease.owner.store(number)
        lease.enter(.prepared)
        commit(next, hasSlept: hasSlept, &bells)
        lease.enter(.lent)
        return .done(QueueLeaseTicket(index: index, sequence: lease.sequence, attempt: 1))
    }

    private func relend(_ lease: QueueLeaseSlot, _ index: Int, to number: UInt32) -> QueueLeaseTicket {
        let attempt = lease.attempts.load() + 1
        lease.sequence += 1
        // The count first: one who dies in between has had it.
        lease.attempts.store(attempt)
        lease.owner.store(number)
        return QueueLeaseTicket(index: index, sequence: lease.sequence, attempt: Int(attempt))
    }

    private func freeLease() throws -> Int {
        let count = leaseCount
        for index in 0..<count {
            let lease = memory.lease(index)
            if lease.phase == .free { return index }
            if lease.phase == .over, let page = LifePage.existing, !page.isAlive(lease.owner.load()) { return index }
        }
        guard count < QueueShape.leaseLimit else {
            throw SharedStateError(
                .unavailable,
                "\(QueueShape.leaseLimit) items of the queue are lent, which is the most; complete() some first")
        }
        memory.leaseCount.store(UInt32(count + 1))
        return count
    }

    /// Whether a lease goes on, in this process.
    private func isOwn(_ ticket: QueueLeaseTicket) -> Bool {
        let lease = memory.lease(ticket.index)
        return lease.phase == .lent && lease.sequence == ticket.sequence
            && lease.owner.load() == mp_get_life_number()
    }

    /// Ends a lease of this process's for good; `false` if it has ended.
    func complete(_ ticket: QueueLeaseTicket) -> Bool {
        isOwn(ticket) && endLease(memory.lease(ticket.index), ticket.index)
    }

    /// Has an item that was lent delivered again.
    ///
    /// - Parameter counts: Whether this was one of the times that it may be lent.
    func giveBack(_ ticket: QueueLeaseTicket, counts: Bool) {
        guard isOwn(ticket) else { return }
        let lease = memory.lease(ticket.index)
        if !counts { lease.attempts.store(lease.attempts.load() - 1) }
        lease.owner.store(0)
        memory.items.word.add(1)
        memory.items.ring()
    }
}

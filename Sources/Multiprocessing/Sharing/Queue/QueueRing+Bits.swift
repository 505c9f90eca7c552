import CMultiprocessing
import MultiprocessingSystem

/// Items that are the bits of numbers: code that knows no types, so that it is the same for all of them.
///
/// What is done simply is what needs neither waiting nor repair: one item, in the segments that both sides are in.
/// Everything else returns `false` and changes nothing, and is left to those who know all cases.
extension QueueRing {
    /// Sends an item if that is simple.
    @usableFromInline
    func putSimply(_ bytes: UnsafeRawBufferPointer) -> Bool {
        guard mp_lock_take(memory.sendLock.word.address) else { return false }
        let isPut = putUnderLock(bytes)
        memory.sendLock.unlock()
        if isPut, memory.items.take() { memory.items.ring() }
        return isPut
    }

    @inline(__always)
    private func putUnderLock(_ bytes: UnsafeRawBufferPointer) -> Bool {
        let tail = memory.tail
        let units = QueueShape.units(for: bytes.count)
        guard !tail.isClosed, isRoomHere(units, tail, memory.knownHead) || isRoomHere(units, tail, memory.learnHead()),
            let place = memory.mappedAddress(tail), let source = bytes.baseAddress
        else { return false }
        QueueRecord.item(bytes.count, hasObjects: false).write(at: place)
        copyItem(place + QueueShape.unit, source, bytes.count)
        return memory.moveTail(from: tail, to: tail.behindItem(units: units))
    }

    @inline(__always)
    private func isRoomHere(_ units: UInt64, _ tail: QueueCursor, _ head: QueueCursor) -> Bool {
        memory.shape.isPlausible(tail: tail, head: head) && memory.shape.place(units, tail: tail, head: head) == .here
    }

    /// Takes an item if that is simple and it has as many bytes as `place`.
    @usableFromInline
    func takeSimply(into place: UnsafeMutableRawBufferPointer) -> Bool {
        guard mp_lock_take(memory.receiveLock.word.address) else { return false }
        let head = takeUnderLock(place)
        memory.receiveLock.unlock()
        guard let head else { return false }
        if memory.room.take() { memory.room.ring() }
        if memory.items.hasSleepers { ringForMore(head) }
        if head.segment > QueueShape.keptSegment { try? giveBackMemory(lastItem: place.count) }
        return true
    }

    /// Returns the place behind the item.
    @inline(__always)
    private func takeUnderLock(_ place: UnsafeMutableRawBufferPointer) -> QueueCursor? {
        guard memory.leaseCount.load() == 0, let taker = knownTaker, let target = place.baseAddress else { return nil }
        let head = memory.head
        var tail = memory.knownTail
        if tail.items(since: head) == 0 {
            tail = memory.learnTail()
            if tail.items(since: head) == 0 { return nil }
        }
        guard head.segment < memory.shape.segmentCount, let source = memory.mappedAddress(head) else { return nil }
        let record = QueueRecord(at: source)
        let units = QueueShape.units(for: place.count)
        guard record.isPlainItem(of: place.count),
            head.segment != tail.segment || units <= tail.unitsInUse(since: head)
        else { return nil }
        let next = head.behindItem(units: units)
        copyItem(target, source + QueueShape.unit, place.count)
        // Before the head moves: one who waits until all is done sees an item in the queue or with its taker.
        taker.add(1)
        memory.moveHead(to: next)
        return next
    }

    /// Wakes another receiver if there is something for it.
    @inline(never)
    private func ringForMore(_ head: QueueCursor) {
        let tail = memory.tail
        if tail.items(since: head) > 0 || tail.isClosed, memory.items.take() { memory.items.ring() }
    }

    /// Takes up to `most` items of `size` bytes each; `place` has room for them.
    ///
    /// The receivers' lock is held, and let go of.
    func takeBits(
        _ most: Int, size: Int, to place: UnsafeMutableRawPointer, hasSlept: Bool
    ) throws -> Turn<Int> {
        var next = place
        return try take(most, hasSlept: hasSlept) { bytes, _ in
            guard bytes.count == size, let start = bytes.baseAddress else { throw SharedStateError.damagedQueue }
            copyItem(next, start, size)
            next += size
            return true
        }
    }
}

import CMultiprocessing
import MultiprocessingSystem
import Synchronization

/// Items as bytes, in a queue's memory: taken and put under its locks, and waited for without.
///
/// Each side commits with one store, so that a death at any instruction leaves nothing or a whole item. Whoever sends
/// or receives copies under the lock and does everything else, above all run code of a user's, without.
@usableFromInline
final class QueueRing: Sendable {
    let memory: QueueMemory

    /// How many tasks of this process were resumed for an item, and have not looked for it yet.
    let itemClaims = Atomic<Int>(0)
    /// How many were resumed for room.
    let roomClaims = Atomic<Int>(0)

    /// Whether looking again and again is worth it for items, and for room.
    let itemSpins = Occasions(mostSkips: 32)
    let roomSpins = Occasions(mostSkips: 32)

    /// One more than the place of this process in the table of takers; zero before it has one.
    let takerPlace = Atomic<Int>(0)
    /// How many deaths had been counted when the lent items were last looked through.
    let checkedDeaths = Atomic<UInt64>(.max)

    init(_ memory: QueueMemory) {
        self.memory = memory
    }

    /// What one turn of waiting and looking has come to.
    enum Turn<Value> {
        case done(Value)
        /// To be tried again when the other side has moved.
        case wait
        /// To be tried again after a moment: nothing tells when there is room for more descriptors.
        case retry
    }

    // MARK: Sending

    /// Copies items from `next` on into the ring, as many as there is room for, and publishes them.
    ///
    /// The senders' lock is held, and let go of.
    /// - Parameter hasSlept: Whether the caller has slept, and others may still.
    func put(_ items: QueuePayloads, from next: inout Int, hasSlept: Bool) throws -> Turn<Void> {
        var bells = Bells()
        defer {
            memory.sendLock.unlock()
            bells.ring()
        }
        let from = memory.tail
        guard !from.isClosed else { throw SharedStateError.closedQueue }
        var head = memory.knownHead
        if !memory.shape.isPlausible(tail: from, head: head) {
            head = memory.learnHead()
            guard memory.shape.isPlausible(tail: from, head: head) else { throw SharedStateError.damagedQueue }
        }
        var tail = from
        let count = items.count
        var written = next
        while written < count {
            let payload = items[written]
            let units = QueueShape.units(for: payload.count)
            var placement = memory.shape.place(units, tail: tail, head: head)
            if placement != .here {
                head = memory.learnHead()
                placement = memory.shape.place(units, tail: tail, head: head)
            }
            if case .segment(let segment) = placement {
                QueueRecord.leading(to: segment).write(at: try memory.address(tail))
                tail = tail.entering(segment)
            } else if placement == .full {
                break
            }
            let place = try memory.address(tail)
            QueueRecord.item(payload.count, hasObjects: !items.attachments.isEmpty).write(at: place)
            if let bytes = payload.baseAddress { copyItem(place + QueueShape.unit, bytes, payload.count) }
            if !items.attachments.isEmpty {
                let item = UnsafeMutableRawBufferPointer(start: place + QueueShape.unit, count: payload.count)
                guard try leaveObjects(items.attachments, of: item) else { return .retry }
            }
            tail = tail.behindItem(units: units)
            written += 1
        }
        if written > next {
            guard memory.moveTail(from: from, to: tail) else { throw SharedStateError.closedQueue }
            next = written
            if memory.items.take() { bells.items = memory.items }
            // Who has slept does not know whether others do; room that is left is for them.
            if hasSlept {
                memory.room.leaveSign()
                if hasRoom(tail: tail), memory.room.take() { bells.room = memory.room }
            }
        } else if from.items(since: head) == 0, from.segment != head.segment {
            followAbandonedSwitch()
        }
        return next == count ? .done(()) : .wait
    }

    /// Rings, once the lock is not held any more.
    struct Bells {
        var items: QueueBell?
        var room: QueueBell?

        @inline(__always)
        func ring() {
            items?.ring()
            room?.ring()
        }
    }

    private func hasRoom(tail: QueueCursor) -> Bool {
        memory.shape.place(2, tail: tail, head: memory.head) != .full
    }

    /// How many more senders have something to do: an estimate, for who is resumed.
    func roomEstimate(units: UInt64) -> Int {
        let (tail, head) = (memory.tail, memory.head)
        if tail.isClosed { return .max }
        guard memory.shape.isPlausible(tail: tail, head: head) else { return .max }
        guard memory.shape.place(units, tail: tail, head: head) != .full else {
            // With nothing there, somebody has died on the way back to a small segment; to be seen to by who tries.
            return tail.items(since: head) == 0 && tail.segment != head.segment ? 1 : 0
        }
        return memory.shape.capacity - tail.items(since: head)
    }

    // MARK: Receiving

    /// Takes up to `most` items out of the ring, each of which `body` copies; `false` for one that it leaves there.
    ///
    /// The receivers' lock is held, and let go of.
    /// - Returns: How many were taken; `.wait` for none, when the queue is not closed.
    @inline(__always)
    func take(
        _ most: Int, hasSlept: Bool, _ body: (UnsafeRawBufferPointer, _ hasObjects: Bool) throws -> Bool
    ) throws -> Turn<Int> {
        var bells = Bells()
        defer {
            memory.receiveLock.unlock()
            bells.ring()
        }
        if memory.leaseCount.load() != 0, try takeOrphan({ _ = try body($0, false) }) { return .done(1) }
        let from = memory.head
        var tail = memory.knownTail
        var there = tail.items(since: from)
        if there < most {
            tail = memory.learnTail()
            there = tail.items(since: from)
        }
        guard there > 0 else {
            if tail.isClosed { throw SharedStateError.drainedQueue }
            return .wait
        }
        var head = from
        var count = 0
        var withObjects: UnsafeRawBufferPointer?
        while count < min(most, there) {
            let (payload, hasObjects, next) = try item(at: head, tail: tail)
            guard try body(payload, hasObjects) else { break }
            if hasObjects { withObjects = payload }
            head = next
            count += 1
        }
        guard count > 0 else { return .done(0) }
        // Before the head moves: one who waits until all is done sees an item in the queue or with its taker.
        try ownTaker().add(count)
        let objects = try withObjects.map { try QueueObjects.parts(of: $0).number }
        commit(head, hasSlept: hasSlept, &bells)
        if let objects { discardObjects(upTo: objects) }
        return .done(count)
    }

    /// Moves the head, and finds out who is to be woken.
    func commit(_ head: QueueCursor, hasSlept: Bool, _ bells: inout Bells) {
        memory.moveHead(to: head)
        if memory.room.take() { bells.room = memory.room }
        if hasSlept { memory.items.leaveSign() }
        guard memory.items.hasSleepers else { return }
        let tail = memory.tail
        if tail.items(since: head) > 0 || tail.isClosed, memory.items.take() { bells.items = memory.items }
    }

    /// The item at a place that is before the tail, and the place behind it.
    @inline(__always)
    func item(at cursor: QueueCursor, tail: QueueCursor) throws -> (UnsafeRawBufferPointer, Bool, QueueCursor) {
        var head = cursor
        var place = try memory.address(checked(head))
        var record = QueueRecord(at: place)
        var switches = 0
        while record.leadsOn, record.isGenuine {
            switches += 1
            guard record.length < UInt64(memory.shape.segmentCount), head.segment != tail.segment,
                switches <= memory.shape.segmentCount
            else { throw SharedStateError.damagedQueue }
            head = head.entering(Int(record.length))
            place = try memory.address(head)
            record = QueueRecord(at: place)
        }
        // Another process may write at any moment: what was checked is what is used.
        let length = record.length
        guard record.isGenuine, length <= UInt64(memory.shape.size(of: head.segment) - 2 * QueueShape.unit) else {
            throw SharedStateError.damagedQueue
        }
        let units = QueueShape.units(for: Int(length))
        guard head.segment != tail.segment || units <= tail.unitsInUse(since: head) else {
            throw SharedStateError.damagedQueue
        }
        let payload = UnsafeRawBufferPointer(start: place + QueueShape.unit, count: Int(length))
        return (payload, record.hasObjects, head.behindItem(units: units))
    }

    @inline(__always)
    private func checked(_ cursor: QueueCursor) throws -> QueueCursor {
        guard cursor.segment < memory.shape.segmentCount else { throw SharedStateError.damagedQueue }
        return cursor
    }

    // MARK: Memory

    /// Goes back to a small segment and gives back the large ones, when nothing is in the queue.
    ///
    /// Neither lock is held by the caller.
    @inline(never)
    func giveBackMemory(lastItem: Int) throws {
        let (tail, head) = (memory.tail, memory.head)
        let kept = QueueShape.keptSegment
        guard tail.segment > kept, tail == head, lastItem < memory.shape.size(of: kept) / 4,
            try lockNow(memory.sendLock)
        else { return }
        defer { memory.sendLock.unlock() }
        guard try lockNow(memory.receiveLock) else { return }
        defer { memory.receiveLock.unlock() }
        let now = memory.tail
        guard now == memory.head, now.segment > kept else { return }
        // First, so that what the senders know is never of a segment that they have left and come back to.
        memory.knownHead = now.place
        // A death between the two leaves a queue whose receivers are led on by the record.
        QueueRecord.leading(to: kept).write(at: try memory.address(now))
        guard memory.moveTail(from: now, to: now.entering(kept)) else { return }
        memory.moveHead(to: now.entering(kept))
        memory.discardLarge()
    }

    private func lockNow(_ lock: LockWord) throws -> Bool {
        do throws(SystemError) {
            guard let acquired = try lock.tryLock() else { return false }
            if case .afterDeath = acquired {
                if lock.word == memory.receiveLock.word { repairLeases() }
                lock.markRecovered()
            }
            return true
        } catch {
            throw SharedStateError.system(error)
        }
    }

    /// Ends what another has begun in ``giveBackMemory(lastItem:)`` and died of: the receivers have nothing to follow
    /// the record for, and the senders no room as long as they do not.
    private func followAbandonedSwitch() {
        guard (try? lockNow(memory.receiveLock)) == true else { return }
        defer { memory.receiveLock.unlock() }
        let tail = memory.tail
        if tail.items(since: memory.head) == 0 { memory.moveHead(to: tail.place) }
    }
}

/// Copies an item's bytes; most are numbers, for which a call takes longer than the copy.
@inline(__always)
func copyItem(_ target: UnsafeMutableRawPointer, _ source: UnsafeRawPointer, _ count: Int) {
    if count == 8 {
        target.storeBytes(of: source.loadUnaligned(as: UInt64.self), as: UInt64.self)
    } else {
        target.copyMemory(from: source, byteCount: count)
    }
}

/// Items that are to be sent, as bytes that lie in one piece of memory.
struct QueuePayloads {
    let base: UnsafeRawPointer?
    let count: Int
    private let size: Int
    private let ends: UnsafePointer<Int>?

    /// What they refer to; there is one item alone then.
    let attachments: [Attachment]

    /// How many units the largest takes.
    let largestUnits: UInt64

    /// One item.
    @inline(__always)
    init(_ bytes: UnsafeRawBufferPointer, _ attachments: [Attachment] = []) {
        base = bytes.baseAddress
        count = 1
        size = bytes.count
        ends = nil
        self.attachments = attachments
        largestUnits = QueueShape.units(for: bytes.count)
    }

    /// Items of the same size, one behind another.
    init(_ bytes: UnsafeRawBufferPointer, size: Int) {
        base = bytes.baseAddress
        count = bytes.count / size
        self.size = size
        ends = nil
        attachments = []
        largestUnits = QueueShape.units(for: size)
    }

    /// Items of different sizes, one behind another, and where each ends.
    init(_ bytes: UnsafeRawBufferPointer, ends: UnsafeBufferPointer<Int>, largest: Int, _ attachments: [Attachment]) {
        base = bytes.baseAddress
        count = ends.count
        size = 0
        self.ends = ends.baseAddress
        self.attachments = attachments
        largestUnits = QueueShape.units(for: largest)
    }

    @inline(__always)
    subscript(index: Int) -> UnsafeRawBufferPointer {
        guard let ends else { return UnsafeRawBufferPointer(start: base.map { $0 + index &* size }, count: size) }
        let start = index == 0 ? 0 : ends[index - 1]
        return UnsafeRawBufferPointer(start: base.map { $0 + start }, count: ends[index] - start)
    }
}

import CMultiprocessing
import MultiprocessingSystem
import Synchronization

/// The memory of a queue as this process has it mapped: its head, and each segment once it is used.
final class QueueMemory: Sendable {
    /// Where what stands in the head; each of what different processes write has 64 bytes of its own.
    private enum Layout {
        static let segmentCount = 0
        static let capacity = 4
        static let sendLock = 64
        static let knownHead = 80
        static let tail = 128
        static let receiveLock = 192
        static let knownTail = 208
        static let head = 256
        static let items = 320
        static let room = 384
        static let done = 448
        static let leaseCount = 512
        static let takerCount = 516
        static let nonce = 520
        static let leases = 4_096
        static let takers = 8_192
    }

    static let takerLimit = 3_072

    let shape: QueueShape
    let sendLock: LockWord
    let receiveLock: LockWord

    /// Where what travels beside items is.
    let objects: DescriptorStore

    private let file: OpenDescriptor
    private let headWindow: MemoryWindow

    private struct Segments {
        var windows: [Int: MemoryWindow] = [:]
    }

    private let segments = Mutex(Segments())

    /// Where the segments lie, zero for one that is not mapped yet.
    // Safe: lives as long as this object, and each cell is atomic.
    private nonisolated(unsafe) let starts: UnsafeMutablePointer<Atomic<UInt>>

    // Safe: the windows live as long as this object, and what they show is used under the locks, or is atomic.
    private nonisolated(unsafe) let start: UnsafeMutableRawPointer

    /// Makes the memory of a new queue.
    convenience init(_ shape: QueueShape) throws(SystemError) {
        let file = try OpenDescriptor.memory(size: shape.fileSize, name: "multiprocessing-queue")
        try self.init(file, .make(), shape)
        start.storeBytes(of: UInt32(shape.segmentCount), toByteOffset: Layout.segmentCount, as: UInt32.self)
        start.storeBytes(of: UInt32(shape.capacity), toByteOffset: Layout.capacity, as: UInt32.self)
    }

    /// Maps what another process has made.
    convenience init(mapping file: OpenDescriptor, _ objects: DescriptorStore) throws {
        let window = try MemoryWindow(of: file, at: 0, count: QueueShape.headSize)
        let count = window.start.load(fromByteOffset: Layout.segmentCount, as: UInt32.self)
        let capacity = window.start.load(fromByteOffset: Layout.capacity, as: UInt32.self)
        guard let shape = QueueShape(segmentCount: Int(count), capacity: Int(capacity)) else {
            throw SharedStateError.damagedQueue
        }
        try self.init(file, objects, shape)
    }

    private init(_ file: OpenDescriptor, _ objects: DescriptorStore, _ shape: QueueShape) throws(SystemError) {
        self.file = file
        self.objects = objects
        self.shape = shape
        // Shows that the memory is as large as it has to be.
        _ = try MemoryWindow(of: file, at: shape.fileSize - 4_096, count: 4_096)
        headWindow = try MemoryWindow(of: file, at: 0, count: QueueShape.headSize)
        start = headWindow.start
        sendLock = LockWord(start + Layout.sendLock)
        receiveLock = LockWord(start + Layout.receiveLock)
        starts = .allocate(capacity: shape.segmentCount)
        for index in 0..<shape.segmentCount { (starts + index).initialize(to: Atomic(0)) }
    }

    deinit {
        starts.deinitialize(count: shape.segmentCount)
        starts.deallocate()
    }

    /// What travels to other processes: the memory, and where the descriptors are.
    var descriptors: [OpenDescriptor] { [file, objects.descriptor] }

    // MARK: Cursors

    private var tailAddress: UnsafeMutableRawPointer { start + Layout.tail }
    private var headAddress: UnsafeMutableRawPointer { start + Layout.head }

    @inline(__always)
    var tail: QueueCursor { QueueCursor(rawValue: mp_load_ordered_u64(tailAddress)) }

    @inline(__always)
    var head: QueueCursor { QueueCursor(rawValue: mp_load_ordered_u64(headAddress)) }

    /// Publishes what was written behind the tail; `false` if the queue was closed meanwhile.
    @inline(__always)
    func moveTail(from old: QueueCursor, to new: QueueCursor) -> Bool {
        var expected = old.rawValue
        return mp_cas_ordered_u64(tailAddress, &expected, new.rawValue)
    }

    @inline(__always)
    func moveHead(to new: QueueCursor) { mp_store_ordered_u64(headAddress, new.rawValue) }

    /// Where the senders last saw the head, which is there or farther; theirs alone, under their lock.
    ///
    /// Because the head itself is in another core's cache after each item.
    @inline(__always)
    var knownHead: QueueCursor {
        get { QueueCursor(rawValue: mp_load_ordered_u64(start + Layout.knownHead)) }
        set { mp_store_release_u64(start + Layout.knownHead, newValue.rawValue) }
    }

    /// Where the receivers last saw the tail, which is there or farther; theirs alone, under their lock.
    ///
    /// Stored before the head moves beyond what it was before, so that it is never behind the head.
    @inline(__always)
    var knownTail: QueueCursor {
        get { QueueCursor(rawValue: mp_load_ordered_u64(start + Layout.knownTail)) }
        set { mp_store_release_u64(start + Layout.knownTail, newValue.rawValue) }
    }

    /// Looks where the head is; the senders' lock is held.
    func learnHead() -> QueueCursor {
        let head = head
        knownHead = head
        return head
    }

    /// Looks where the tail is; the receivers' lock is held.
    func learnTail() -> QueueCursor {
        let tail = tail
        knownTail = tail
        return tail
    }

    func close() {
        var expected = tail.rawValue
        while !mp_cas_ordered_u64(tailAddress, &expected, QueueCursor(rawValue: expected).closing.rawValue) {}
    }

    // MARK: Sleepers

    /// What receivers sleep on; the word behind it says whether anybody does.
    var items: QueueBell { QueueBell(start + Layout.items) }
    /// What senders sleep on.
    var room: QueueBell { QueueBell(start + Layout.room) }
    /// What those sleep on who wait until all is done.
    var done: QueueBell { QueueBell(start + Layout.done) }

    // MARK: Segments

    /// Where a position of a segment lies; `nil` if the segment is not mapped yet.
    @inline(__always)
    func mappedAddress(_ cursor: QueueCursor) -> UnsafeMutableRawPointer? {
        let segment = cursor.segment
        let known = (starts + segment).pointee.load(ordering: .acquiring)
        let offset = Int(truncatingIfNeeded: cursor.position) &* QueueShape.unit & (shape.size(of: segment) &- 1)
        return UnsafeMutableRawPointer(bitPattern: known).map { $0 + offset }
    }

    /// Where a position of a segment lies; as many bytes as the segment has are in one piece from there.
    @inline(__always)
    func address(_ cursor: QueueCursor) throws -> UnsafeMutableRawPointer {
        let segment = cursor.segment
        let known = (starts + segment).pointee.load(ordering: .acquiring)
        let offset = Int(truncatingIfNeeded: cursor.position) &* QueueShape.unit & (shape.size(of: segment) &- 1)
        if let place = UnsafeMutableRawPointer(bitPattern: known) { return place + offset }
        return try map(segment) + offset
    }

    @inline(never)
    private func map(_ segment: Int) throws -> UnsafeMutableRawPointer {
        try segments.withLock { segments in
            let window: MemoryWindow
            if let known = segments.windows[segment] {
                window = known
            } else {
                do throws(SystemError) {
                    window = try MemoryWindow(
                        of: file, at: shape.offset(of: segment), count: shape.size(of: segment), twice: true)
                } catch {
                    throw SharedStateError.system(error)
                }
                segments.windows[segment] = window
                (starts + segment).pointee.store(UInt(bitPattern: window.start), ordering: .releasing)
            }
            return SendablePointer(window.start)
        }.pointer
    }

    /// Gives back the memory of all segments above the one that is kept; both locks are held, and nothing is in them.
    func discardLarge() {
        guard shape.segmentCount > QueueShape.keptSegment + 1 else { return }
        let first = shape.offset(of: QueueShape.keptSegment + 1)
        file.discard(at: first, count: shape.offset(of: shape.segmentCount) - first)
    }

    // MARK: Tables

    /// How many items are lent.
    var leaseCount: FutexWord { FutexWord(start + Layout.leaseCount) }

    func lease(_ index: Int) -> QueueLeaseSlot { QueueLeaseSlot(start + Layout.leases + index * QueueLeaseSlot.size) }

    /// The bytes of a lent item.
    func leaseWindow(_ index: Int, count: Int) throws(SystemError) -> MemoryWindow {
        try MemoryWindow(of: file, at: shape.leaseOffset(index), count: max(count, 1))
    }

    func discardLease(_ index: Int, count: Int) {
        guard count > 1 << 16 else { return }
        file.discard(at: shape.leaseOffset(index), count: count)
    }

    /// How many places of the table below were ever used.
    var takerCount: FutexWord { FutexWord(start + Layout.takerCount) }

    func taker(_ index: Int) -> QueueTaker { QueueTaker(start + Layout.takers + index * QueueTaker.size) }

    /// A number that no other item's descriptors have.
    func nextNonce() -> UInt64 { mp_add_ordered_u64(start + Layout.nonce, 1) + 1 }
}

/// Carries an address out of a lock.
private struct SendablePointer: @unchecked Sendable {
    // Sendable: an address alone; the object that it came from keeps what it leads to.
    let pointer: UnsafeMutableRawPointer

    init(_ pointer: UnsafeMutableRawPointer) { self.pointer = pointer }
}

/// A word to sleep on, and one that says whether somebody may: flags, not counts, so that a dead sleeper costs one call.
struct QueueBell {
    let word: FutexWord

    init(_ address: UnsafeMutableRawPointer) { word = FutexWord(address) }

    private var flag: UnsafeMutableRawPointer { word.address + 4 }

    /// Says that the caller will sleep while the word is what this returns, unless it finds a reason not to.
    func prepareToSleep() -> UInt32 {
        let value = word.load()
        _ = mp_exchange_ordered_u32(flag, 1)
        return value
    }

    /// Says that there may be others who sleep.
    func leaveSign() { _ = mp_exchange_ordered_u32(flag, 1) }

    /// Whether somebody may sleep.
    @inline(__always)
    var hasSleepers: Bool { mp_load_ordered_u32(flag) != 0 }

    /// Whether somebody may sleep; who asks has to ring.
    @inline(__always)
    func take() -> Bool {
        guard hasSleepers, mp_exchange_ordered_u32(flag, 0) != 0 else { return false }
        word.add(1)
        return true
    }

    func ring() { word.wake(1) }

    func ringForAll() {
        word.add(1)
        word.wakeAll()
    }
}

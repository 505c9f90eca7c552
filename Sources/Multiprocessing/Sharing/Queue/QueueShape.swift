/// How a queue's memory is divided, and where in it the next item goes: no memory, no waiting.
///
/// Behind a head of fixed size lie segments, each twice as large as the one before. Senders write into one of them as
/// into a ring, and go on to a larger one when it is full or an item does not fit; a record says so to the receivers,
/// who follow. There is always room for that record. When all have been received from large segments, the queue goes
/// back to a small one, and their memory is given back. Behind the segments lie the places of what is lent.
struct QueueShape: Hashable, Sendable {
    /// In bytes.
    static let unit = 16
    static let headSize = 1 << 16
    static let firstSize = 1 << 18
    /// The segment up to which memory is kept when it is not in use: 8 MiB.
    static let keptSegment = 5
    static let leaseLimit = 64
    private static let segmentLimit = 20

    let segmentCount: Int

    /// The most items at a time.
    let capacity: Int

    /// - Parameters:
    ///   - capacity: `nil` for as many as there can be.
    ///   - byteLimit: How many bytes all segments may have together; one is always there.
    init(capacity: Int?, byteLimit: Int) {
        self.capacity = min(capacity ?? QueueCursor.itemLimit, QueueCursor.itemLimit)
        var count = 1
        while count < Self.segmentLimit, Self.firstSize * (1 << (count + 1) - 1) <= byteLimit { count += 1 }
        segmentCount = count
    }

    /// A shape that another process describes; `nil` if there is none like it.
    init?(segmentCount: Int, capacity: Int) {
        guard (1...Self.segmentLimit).contains(segmentCount), (1...QueueCursor.itemLimit).contains(capacity) else {
            return nil
        }
        self.segmentCount = segmentCount
        self.capacity = capacity
    }

    func size(of segment: Int) -> Int { Self.firstSize << segment }

    func units(of segment: Int) -> UInt64 { UInt64(size(of: segment) / Self.unit) }

    func offset(of segment: Int) -> Int { Self.headSize + Self.firstSize * (1 << segment - 1) }

    /// Where the bytes of a lent item lie.
    func leaseOffset(_ index: Int) -> Int { offset(of: segmentCount) + index * size(of: segmentCount - 1) }

    /// The size of all.
    var fileSize: Int { leaseOffset(Self.leaseLimit) }

    /// The most bytes that an item may have.
    var largestItem: Int { size(of: segmentCount - 1) - 2 * Self.unit }

    /// How many units an item of so many bytes takes, with what describes it.
    @inline(__always)
    static func units(for bytes: Int) -> UInt64 { UInt64((bytes + unit - 1) / unit + 1) }

    /// Where an item goes.
    enum Placement: Hashable {
        /// Where the senders are.
        case here
        /// At the start of a larger segment.
        case segment(Int)
        /// Nowhere, before more has been received.
        case full
    }

    /// Where an item of so many units goes that is no larger than the largest.
    @inline(__always)
    func place(_ units: UInt64, tail: QueueCursor, head: QueueCursor) -> Placement {
        guard tail.items(since: head) < capacity else { return .full }
        if tail.unitsInUse(since: head) + units < self.units(of: tail.segment) { return .here }
        return grow(units, tail: tail, head: head)
    }

    private func grow(_ units: UInt64, tail: QueueCursor, head: QueueCursor) -> Placement {
        var next = tail.segment + 1
        // The one that the receivers are in, from before the queue went back to a small one, is not free yet.
        while next < segmentCount, units >= self.units(of: next) || next == head.segment { next += 1 }
        return next < segmentCount ? .segment(next) : .full
    }

    /// Whether the two can be of one queue: senders are ahead of receivers, by no more than there is room for.
    @inline(__always)
    func isPlausible(tail: QueueCursor, head: QueueCursor) -> Bool {
        tail.segment < segmentCount && head.segment < segmentCount
            && tail.unitsInUse(since: head) < units(of: tail.segment)
    }
}

/// What lies before the bytes of an item, or in their place.
struct QueueRecord {
    /// Of an item in bytes; the number of the segment that a switch leads to.
    let length: UInt64
    let flags: UInt64

    private static let mark: UInt64 = 0x5155_4555 << 32
    private static let markBits: UInt64 = 0xFFFF_FFFF << 32
    private static let isSwitch: UInt64 = 1
    private static let objects: UInt64 = 2

    private init(length: UInt64, flags: UInt64) {
        self.length = length
        self.flags = flags
    }

    /// - Parameter hasObjects: Whether descriptors travel beside it.
    static func item(_ length: Int, hasObjects: Bool) -> QueueRecord {
        QueueRecord(length: UInt64(length), flags: mark | (hasObjects ? objects : 0))
    }

    static func leading(to segment: Int) -> QueueRecord {
        QueueRecord(length: UInt64(segment), flags: mark | isSwitch)
    }

    var isGenuine: Bool { flags & Self.markBits == Self.mark }

    /// Whether this is an item of so many bytes, with nothing beside it.
    @inline(__always)
    func isPlainItem(of size: Int) -> Bool { length == UInt64(size) && flags == Self.mark }

    var leadsOn: Bool { flags & Self.isSwitch != 0 }
    var hasObjects: Bool { flags & Self.objects != 0 }

    @inline(__always)
    init(at place: UnsafeMutableRawPointer) {
        length = place.load(as: UInt64.self)
        flags = place.load(fromByteOffset: 8, as: UInt64.self)
    }

    @inline(__always)
    func write(at place: UnsafeMutableRawPointer) {
        place.storeBytes(of: length, as: UInt64.self)
        place.storeBytes(of: flags, toByteOffset: 8, as: UInt64.self)
    }
}

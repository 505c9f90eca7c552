/// How far the senders, or the receivers, of a queue have come: one word, so that one store moves it.
///
/// From the highest bit: whether the queue is closed (the senders' alone), how many items there have been (24 bits), the
/// segment (5), and how far into it in units of 16 bytes (34). The counts begin again at zero when they are full.
struct QueueCursor: RawRepresentable, Hashable, Sendable {
    var rawValue: UInt64

    static let positionBits: UInt64 = 34
    static let segmentBits: UInt64 = 5
    static let itemBits: UInt64 = 24
    /// The most items that can lie between two cursors.
    static let itemLimit = 1 << 24 - 1
    private static let positions: UInt64 = 1 << positionBits - 1
    private static let segments: UInt64 = 1 << segmentBits - 1
    private static let items: UInt64 = 1 << itemBits - 1
    private static let itemShift = positionBits + segmentBits
    private static let closed: UInt64 = 1 << 63

    init(rawValue: UInt64) { self.rawValue = rawValue }

    init(items: UInt64, segment: Int, position: UInt64, isClosed: Bool = false) {
        rawValue =
            (isClosed ? Self.closed : 0) | (items & Self.items) << Self.itemShift
            | UInt64(segment) << Self.positionBits | position & Self.positions
    }

    var isClosed: Bool { rawValue & Self.closed != 0 }
    var segment: Int { Int((rawValue >> Self.positionBits) & Self.segments) }
    var position: UInt64 { rawValue & Self.positions }
    private var items: UInt64 { (rawValue >> Self.itemShift) & Self.items }

    /// Behind one more item, which with what describes it takes so many units.
    @inline(__always)
    func behindItem(units: UInt64) -> QueueCursor {
        QueueCursor(items: items &+ 1, segment: segment, position: position &+ units, isClosed: isClosed)
    }

    /// At the start of a segment.
    func entering(_ segment: Int) -> QueueCursor {
        QueueCursor(items: items, segment: segment, position: 0, isClosed: isClosed)
    }

    /// The same, of a queue that is closed.
    var closing: QueueCursor { QueueCursor(rawValue: rawValue | Self.closed) }

    /// The same, without saying whether the queue is closed.
    var place: QueueCursor { QueueCursor(rawValue: rawValue & ~Self.closed) }

    /// How many items lie between another cursor and this one.
    @inline(__always)
    func items(since other: QueueCursor) -> Int {
        Int((items &- other.items) & Self.items)
    }

    /// How many units of this cursor's segment are in use when the receivers are at `head`.
    ///
    /// As long as they are in another segment, all that was written since the senders entered this one.
    @inline(__always)
    func unitsInUse(since head: QueueCursor) -> UInt64 {
        head.segment == segment ? (position &- head.position) & Self.positions : position
    }
}

/// Chooses how many items of a stream travel together, where the caller has not said it.
///
/// What is quick is grouped, so that handing it over costs little; what is slow, or was a moment ago, goes one by one. A
/// worker begins the items of a group one at a time: what it has not begun can be given to another, and what has come of
/// those before is not held back by one that takes long.
struct GroupSizer {
    /// How long a group is to run, in nanoseconds: some wake-ups.
    private static let target: UInt64 = 200_000

    /// The most items of a group.
    static let maximum = 256

    /// How many encoded bytes a group is to have, values included; fewer than a worker has room for.
    private static let targetSize = 64 << 10

    /// Fewer are not worth a group.
    private static let minimum = 8

    private let limit: Int

    /// How many items to send together next.
    private(set) var size = 1

    /// - Parameter limit: How many items it may be at most.
    init(limit: Int) {
        self.limit = max(1, min(limit, Self.maximum))
    }

    /// How many items a group may have, so that there are two for each worker in a buffer that the caller has asked for.
    static func limit(buffer: Int?, workerCount: Int) -> Int {
        guard let buffer else { return maximum }
        let share = buffer / (2 * workerCount)
        return share < minimum ? 1 : min(share, maximum)
    }

    /// Learns from items that have ended.
    mutating func observe<Output>(_ result: ChunkResult<Output>) {
        guard limit > 1, result.count > 0 else { return }
        // Others of the group were still to end when it should have been over for long.
        if result.isPart { return size = 1 }
        let time = max(1, result.nanoseconds / UInt64(result.count))
        let bytes = max(1, result.size / result.count)
        // Few quick items say little about many.
        let most = min(limit, max(size, 2 * result.count))
        size = max(1, min(Int(clamping: Self.target / time), Self.targetSize / bytes, most))
    }

    /// Takes the news that what is on its way takes much memory.
    mutating func noteLoad() {
        size = 1
    }
}

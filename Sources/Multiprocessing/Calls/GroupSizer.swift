/// Chooses how many chunks of a stream travel together.
///
/// What is quick is grouped, so that handing it over costs little; what is slow, or was a moment ago, goes chunk by chunk. A
/// worker begins the chunks of a group one at a time: what it has not begun can be given to another, and what has come of
/// those before is not held back by one that takes long.
struct GroupSizer {
    /// How long a group is to run, in nanoseconds: some wake-ups.
    private static let target: UInt64 = 200_000

    /// The most items of a group, where each is a chunk.
    static let maximum = 256

    /// The most chunks and items of a group of larger ones.
    private static let mostChunks = 16
    private static let mostItems = 4_096

    /// Less is not worth a group.
    private static let minimum = 8

    /// How many encoded bytes a group is to have, values included; fewer than a worker has room for.
    private static let targetSize = 64 << 10

    private let chunkSize: Int
    private let limit: Int

    /// How many items to send together next: one chunk, or several.
    private(set) var size: Int

    /// - Parameters:
    ///   - chunkSize: How many items a worker begins together.
    ///   - limit: How many chunks a group may have at most.
    init(chunkSize: Int, limit: Int) {
        self.chunkSize = chunkSize
        self.limit = limit
        size = chunkSize
    }

    /// How many chunks a group may have, so that there are two groups for each worker in a buffer that the caller has asked
    /// for.
    static func limit(chunkSize: Int, buffer: Int?, workerCount: Int) -> Int {
        let most = chunkSize == 1 ? maximum : min(mostChunks, mostItems / chunkSize)
        guard let buffer else { return max(1, most) }
        let share = buffer / (2 * workerCount) / chunkSize
        return share < minimum ? 1 : max(1, min(share, most))
    }

    /// Learns from items that have ended.
    mutating func observe<Output>(_ result: ChunkResult<Output>) {
        guard limit > 1, result.count > 0 else { return }
        // Others of the group were still to end when it should have been over for long.
        if result.isPart { return startAgain() }
        let time = max(1, result.nanoseconds / UInt64(result.count))
        let bytes = max(1, result.size / result.count)
        // Few quick items say little about many.
        let most = min(limit * chunkSize, max(size, 2 * result.count))
        let items = min(Int(clamping: Self.target / time), Self.targetSize / bytes, most)
        size = max(1, items / chunkSize) * chunkSize
    }

    /// Has chunks go one by one until more is known of them: there was to wait for inputs, or what is on its way takes much
    /// memory.
    mutating func startAgain() {
        size = chunkSize
    }
}

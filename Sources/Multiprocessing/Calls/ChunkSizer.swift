/// Chooses how many items travel together, and how many of those a worker begins together.
///
/// What travels grows until running it takes about a millisecond, which makes the cost of sending
/// it (tens of microseconds) small. What a worker begins together, a stride, is a chunk of the size
/// that the caller asked for, or else what takes a small part of that time: the rest can be given
/// to a worker that has nothing to do. Towards the end of a known number of items less travels
/// together, so that all workers finish at about the same time.
package struct ChunkSizer {
    /// How long what travels together is to run, in nanoseconds.
    package static let target: UInt64 = 1_000_000

    /// How long a stride is to run, in nanoseconds; less does not travel alone to the end.
    package static let strideTarget: UInt64 = 50_000

    /// The most items that travel together.
    package static let maximum = 1 << 17

    /// The most items of a chunk, also where the caller asks for more: sums and products of such sizes are numbers.
    package static let limit = 1 << 30

    private let fixed: Int?
    private let workerCount: Int

    /// How many items travel together, and how many of those are a stride, as far as is known.
    private var current = 1
    private var strideItems = 1

    /// - Parameter fixed: The size of a chunk that the caller asked for.
    package init(fixed: Int?, workerCount: Int) {
        self.fixed = fixed.map { min($0, Self.limit) }
        self.workerCount = workerCount
    }

    /// How many items to send together next.
    ///
    /// - Parameter remaining: How many items are left, if that is known.
    package func size(remaining: Int?) -> Int {
        let share = remaining.map { max($0 / (2 * workerCount), strideItems) } ?? .max
        let size = max(1, min(current, share))
        guard let fixed else { return size }
        return max(1, size / fixed) * fixed
    }

    /// How many of the items that travel together a worker begins together.
    package func stride(of size: Int) -> Int {
        fixed ?? max(1, min(size, strideItems))
    }

    /// Learns from items that were run.
    package mutating func observe(count: Int, nanoseconds: UInt64) {
        guard count > 0 else { return }
        let perItem = max(1, nanoseconds / UInt64(count))
        // One fast item says little about the next, so the size grows in steps.
        let limit = min(current * 8, Self.maximum)
        current = max(1, min(Int(clamping: Self.target / perItem), limit))
        strideItems = max(1, min(Int(clamping: Self.strideTarget / perItem), limit))
    }
}

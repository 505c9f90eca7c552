/// Chooses how many items travel together when the caller does not say.
///
/// A chunk grows until running it takes about a millisecond, which makes the cost of sending
/// it (tens of microseconds) small; towards the end of a known number of items chunks shrink
/// again, so that all workers finish at about the same time.
package struct ChunkSizer {
    /// How long a chunk is to run.
    package static let target: UInt64 = 1_000_000

    /// The most items that travel together.
    package static let maximum = 1 << 17

    private let fixed: Int?
    private let workerCount: Int
    private var current = 1

    /// - Parameter fixed: What the caller asked for, and then gets.
    package init(fixed: Int?, workerCount: Int) {
        self.fixed = fixed
        self.workerCount = workerCount
    }

    /// The size of the next chunk.
    ///
    /// - Parameter remaining: How many items are left, if that is known.
    package func size(remaining: Int?) -> Int {
        if let fixed { return fixed }
        guard let remaining else { return current }
        return max(1, min(current, remaining / (2 * workerCount)))
    }

    /// Learns from a chunk that was run.
    package mutating func observe(count: Int, nanoseconds: UInt64) {
        guard fixed == nil, count > 0 else { return }
        let perItem = max(1, nanoseconds / UInt64(count))
        let ideal = Int(clamping: Self.target / perItem)
        // One fast item says little about the next, so the size grows in steps.
        current = max(1, min(ideal, current * 8, Self.maximum))
    }
}

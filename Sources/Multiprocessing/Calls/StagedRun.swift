import MultiprocessingSystem
import Synchronization

/// Where a thread puts the values of items with a deadline, until they are the chunk's.
///
/// Not where they belong at once: the value of an item that was taken while it ran comes when the memory for it
/// may be gone, or holds what another attempt has made. Where neither can be, there is no stage, and values are put
/// where they belong, see `BatchChunk`.
///
/// Sendable is unchecked because what changes is the thread's that runs the items, and the values are those of one
/// thread at a time: of that one until an item is taken; then those before that item are the taker's.
final class StagedRun<Output>: @unchecked Sendable {
    let watch: StrideWatch
    let stage: UnsafeMutablePointer<Output>?
    private let capacity: Int

    /// The number of the item that the first value belongs to, and how many values there are; the thread's.
    // Exclusivity is unchecked because one thread uses them, an item at a time.
    @exclusivity(unchecked) var start: Int
    @exclusivity(unchecked) var count = 0

    /// How many of them were taken already, by another thread that held this one in the item behind.
    let takenCount = Atomic(0)

    /// The most values that are staged: few enough to be in the core's cache when they are moved.
    private static var limit: Int { 512 }

    /// - Parameters:
    ///   - first: The number of the item that begins now.
    ///   - isInPlace: Whether values are put where they belong.
    init(capacity: Int, first: Int, isInPlace: Bool) {
        self.capacity = isInPlace ? capacity : min(capacity, Self.limit)
        start = first
        watch = StrideWatch(first: first, now: MonotonicTime.now().nanoseconds)
        stage = isInPlace ? nil : .allocate(capacity: self.capacity)
    }

    deinit {
        stage?.deallocate()
    }

    /// The number of the item behind the last that has a value.
    var end: Int { start + count }

    /// For how many more values there is room.
    var room: Int { capacity - count }

    /// Where the next value is put.
    ///
    /// - Parameter places: Where the chunk's values belong, if the call has places for them.
    func next(_ places: UnsafeMutablePointer<Output>?) -> UnsafeMutablePointer<Output>? {
        stage.map { $0 + count } ?? places.map { $0 + end }
    }

    /// Drops the values that are not the taker's, after an item was taken.
    func dropRest() {
        let kept = max(watch.takenItem - start, takenCount.load(ordering: .acquiring))
        if let stage, kept < count { (stage + kept).deinitialize(count: count - kept) }
    }
}

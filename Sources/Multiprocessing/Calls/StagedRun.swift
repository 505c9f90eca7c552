import MultiprocessingSystem

/// Where a thread puts the values of items with a deadline, until they are the chunk's.
///
/// Not where they belong at once: the value of an item that was taken while it ran comes when the memory for it
/// may be gone.
///
/// Sendable is unchecked because its values are those of one thread at a time: the thread's that runs the items
/// until one is taken; then those before that item are the taker's, and the others still the thread's.
final class StagedRun<Output>: @unchecked Sendable {
    let watch: StrideWatch
    let stage: UnsafeMutablePointer<Output>
    let capacity: Int

    /// The most values that are staged: few enough to be in the core's cache when they are moved.
    private static var limit: Int { 1_024 }

    /// - Parameter first: The number of the item that begins now.
    init(capacity: Int, first: Int) {
        self.capacity = min(capacity, Self.limit)
        watch = StrideWatch(first: first, now: MonotonicTime.now().nanoseconds)
        stage = .allocate(capacity: self.capacity)
    }

    deinit {
        stage.deallocate()
    }

    /// Drops the values that are not the taker's, after an item was taken.
    ///
    /// - Parameter made: How many were made.
    func drop(_ made: Int) {
        let kept = watch.keptCount
        if kept < made { (stage + kept).deinitialize(count: made - kept) }
    }
}

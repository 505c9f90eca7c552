import Synchronization

/// A chunk as the worker runs it.
final class WorkerChunk: Sendable {
    let sequence: UInt64
    let count: Int
    let epoch: UInt16
    /// How many items are begun together.
    let stride: Int
    /// Whether the time at which each stride begins is noted.
    let isTimed: Bool
    private let stopsAtFailure: Bool
    private let cancelled = Atomic(false)
    private let running = Atomic(0)

    init(_ header: Frame.ChunkHeader, count: Int) {
        sequence = header.sequence
        epoch = header.epoch
        stride = Int(header.stride)
        isTimed = header.isTimed
        stopsAtFailure = header.stopsAtFailure
        self.count = count
    }

    /// Whether items that have not started are not to start.
    var isCancelled: Bool { cancelled.load(ordering: .relaxed) }

    func cancel() {
        cancelled.store(true, ordering: .relaxed)
    }

    /// The number of the item that runs, or did last.
    ///
    /// For any thread.
    var runningItem: Int { running.load(ordering: .relaxed) }

    /// Notes that an item runs.
    func run(_ item: Int) {
        running.store(item, ordering: .relaxed)
    }

    /// The items to begin first.
    var firstStride: Range<Int> { 0..<min(stride, count) }

    /// An item has failed; the items behind it start only if the call wants all results.
    func noteFailure() {
        if stopsAtFailure { cancel() }
    }
}

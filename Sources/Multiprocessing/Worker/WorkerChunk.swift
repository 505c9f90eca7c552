import Synchronization

/// A chunk as the worker runs it.
final class WorkerChunk: Sendable {
    let sequence: UInt64
    let count: Int
    let epoch: UInt16
    /// How many items are begun together.
    let stride: Int
    /// Whether its items have a deadline.
    let isTimed: Bool
    /// Whether the values of a stride are wanted before the next is begun.
    let isPrompt: Bool
    private let stopsAtFailure: Bool
    private let cancelled = Atomic(false)
    private let place: ItemPlace

    init(_ header: Frame.ChunkHeader, count: Int, board: ProgressBoard) {
        sequence = header.sequence
        epoch = header.epoch
        stride = Int(header.stride)
        isTimed = header.isTimed
        isPrompt = header.isPrompt
        stopsAtFailure = header.stopsAtFailure
        self.count = count
        place = ItemPlace(board, sequence: header.sequence, isTimed: header.isTimed)
    }

    /// Whether items that have not started are not to start.
    var isCancelled: Bool { cancelled.load(ordering: .relaxed) }

    func cancel() {
        cancelled.store(true, ordering: .relaxed)
    }

    /// The number of the item that runs, or did last.
    ///
    /// For any thread.
    var runningItem: Int { place.item }

    /// Begins an item; `false` if it is not to, and none behind it.
    ///
    /// For the main thread.
    func begin(_ item: Int) -> Bool {
        if place.begin(item) { return true }
        cancel()
        return false
    }

    /// The items to begin first.
    var firstStride: Range<Int> { 0..<min(stride, count) }

    /// An item has failed; the items behind it start only if the call wants all results.
    func noteFailure() {
        if stopsAtFailure { cancel() }
    }
}

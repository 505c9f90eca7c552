/// What one worker holds, in the order in which it runs it, and what can be believed of what it says of that.
///
/// Pure: it is told what was sent, what came and what stands on the worker's board. A worker that is out of
/// its mind may write anything there; what contradicts what the parent has seen is not believed.
package struct WorkerLedger {
    /// A chunk that the worker holds.
    package struct Entry {
        package let chunk: Chunk
        /// The number that it has there.
        package let sequence: UInt64
        /// How many of its items had ended before it was sent.
        package let sentFrom: Int
        /// How many items the worker begins together.
        package let stride: Int
    }

    /// What the end of a chunk means.
    package enum End {
        case chunk(Chunk, isLast: Bool)
        /// The worker was forbidden to go on with it, so that it still wants to run; the interruption reports it.
        case stopped
        /// Nobody waits for it any more, but for one before which its worker has not recovered.
        case dropped
        /// It was the one that its worker was interrupted in.
        case recovered
    }

    /// Where a worker stood when it was forbidden to go on.
    private struct Stop {
        /// The number of the chunk that it was in, if it was in one.
        var sequence: UInt64?
        /// Where the items of that chunk end that it had begun.
        var end = 0
        /// The number of the last chunk that it held then.
        var last: UInt64
        /// Whether it has done with them.
        var hasEnded = false
    }

    /// How far the worker had come when it ended.
    package enum Progress {
        /// Nothing that it held had begun.
        case unbegun
        /// Of the entry with this number those items had begun that lie before `end`, and all of the entries before it.
        case begun(Int, end: Int)
    }

    private var entries = RingQueue<Entry>()

    /// The number of the last chunk that was sent.
    package private(set) var sequence: UInt64 = 0

    /// How often work was taken back.
    package private(set) var epoch: UInt16 = 0

    /// The number of the last chunk that has ended.
    private var lastEnded: UInt64 = 0

    /// Set between the moment at which a worker is forbidden to go on and the one at which it is interrupted.
    private var stop: Stop?

    /// Up to which chunk results are dropped, in a worker that was interrupted and has not recovered.
    private var dropsThrough: UInt64?

    package init() {}

    /// Whether the results that come are nobody's.
    package var isDropping: Bool { dropsThrough != nil }

    /// The chunk whose results come next.
    package var first: Entry? { entries.first }

    package var count: Int { entries.count }

    /// The number of a chunk that the worker holds.
    package func sequence(of chunk: Chunk) -> UInt64? {
        entries.first { $0.chunk === chunk }?.sequence
    }

    /// Whose item a worker names.
    package enum ItemPlace {
        case item(Int, of: Chunk)
        /// Nobody waits for it any more.
        case gone
        /// The worker was not given such an item.
        case impossible
    }

    /// The item that a worker names, by its number among those of a chunk that were sent.
    package func place(of item: UInt64, in sequence: UInt64) -> ItemPlace {
        guard sequence > 0, sequence <= self.sequence else { return .impossible }
        guard let entry = entries.first(where: { $0.sequence == sequence }) else { return .gone }
        guard item < UInt64(entry.chunk.count - entry.sentFrom) else { return .impossible }
        return .item(entry.sentFrom + Int(item), of: entry.chunk)
    }

    // MARK: What was sent, and what came

    /// Notes a chunk that is sent.
    @discardableResult
    package mutating func add(_ chunk: Chunk) -> Entry {
        sequence += 1
        let entry = Entry(
            chunk: chunk, sequence: sequence, sentFrom: chunk.finishedCount, stride: max(1, chunk.strideLength))
        entries.append(entry)
        return entry
    }

    /// Notes the end of a chunk; `nil` if it cannot be true, because another's is due or results are missing.
    package mutating func end(_ sequence: UInt64) -> End? {
        if let last = dropsThrough {
            guard sequence <= last else { return nil }
            if sequence == last { dropsThrough = nil }
            return sequence == last ? .recovered : .dropped
        }
        guard let entry = entries.first, entry.sequence == sequence else { return nil }
        if entry.chunk.wantsToRun {
            // Of what it was stopped in, it may have been about to begin the last item.
            guard let stop, stop.sequence == sequence, !stop.hasEnded,
                entry.chunk.finishedCount == stop.end
                    || entry.chunk.limits.timeout != nil && entry.chunk.finishedCount == stop.end - 1
            else { return nil }
            self.stop?.hasEnded = true
            return .stopped
        }
        _ = entries.popFirst()
        lastEnded = sequence
        return .chunk(entry.chunk, isLast: entries.isEmpty)
    }

    /// Takes back what the worker has not begun, which it cannot begin any more.
    ///
    /// - Parameter begun: How far it has come, as its board said when it was forbidden to go on.
    /// - Returns: `nil`, and nothing is taken back, if the board says what cannot be.
    package mutating func takeBack(_ begun: ProgressBoard.Begun) -> [Chunk]? {
        defer { epoch &+= 1 }
        guard let progress = progress(begun) else { return nil }
        var kept = RingQueue<Entry>()
        var taken: [Chunk] = []
        if case .begun(let index, let end) = progress {
            if let part = entries[index].chunk.split(keeping: end) { taken.append(part) }
            for _ in 0...index { if let entry = entries.popFirst() { kept.append(entry) } }
        }
        while let entry = entries.popFirst() { taken.append(entry.chunk) }
        entries = kept
        return taken
    }

    /// Forgets all, because the worker is gone, and returns it.
    package mutating func removeAll() -> [Entry] {
        defer { entries = RingQueue() }
        var all: [Entry] = []
        while let entry = entries.popFirst() { all.append(entry) }
        return all
    }

    // MARK: Interruption

    /// The item that the worker runs, of a chunk with a deadline; `nil` if it runs none.
    ///
    /// The time at which the worker began the chunk is that at which the item began, if it is the first that was sent.
    package func inspect(
        _ begun: ProgressBoard.Begun, _ running: ProgressBoard.Running? = nil
    ) -> (chunk: Chunk, item: Int, isFirst: Bool)? {
        guard stop == nil, case .begun(let index, let end) = progress(begun, running) else { return nil }
        let entry = entries[index]
        guard entry.chunk.limits.timeout != nil, end > entry.chunk.finishedCount else { return nil }
        return (entry.chunk, end - 1, end - 1 == entry.sentFrom)
    }

    /// Whether the worker, which has begun that much, can be interrupted in an item of a chunk.
    ///
    /// - Parameter item: The number of the item that it has to run; `nil` for any, also for none yet.
    package func canInterrupt(
        _ chunk: Chunk, item: Int?, _ begun: ProgressBoard.Begun, _ running: ProgressBoard.Running? = nil
    ) -> Interruptibility {
        guard stop == nil, entries.contains(where: { $0.chunk === chunk }) else { return .ended }
        switch progress(begun, running) {
        case .begun(let index, let end):
            let isMeant = entries[index].chunk === chunk && (item ?? end - 1) == end - 1
            return isMeant ? .running : .another
        case .unbegun: return item == nil ? .running : .another
        case nil: return .impossible
        }
    }

    /// Whether a worker can be interrupted in what it is to be interrupted in.
    package enum Interruptibility {
        case running
        /// It runs something else.
        case another
        /// It does not hold it any more.
        case ended
        /// What it says cannot be.
        case impossible
    }

    /// Notes that the worker was forbidden to go on: nothing of what it holds begins from now on.
    ///
    /// - Returns: False if the board says what cannot be.
    package mutating func forbid(_ begun: ProgressBoard.Begun, _ running: ProgressBoard.Running? = nil) -> Bool {
        defer { epoch &+= 1 }
        switch progress(begun, running) {
        case .unbegun: stop = Stop(last: sequence)
        case .begun(let index, let end): stop = Stop(sequence: entries[index].sequence, end: end, last: sequence)
        case nil: return false
        }
        return true
    }

    /// The number of the chunk that the worker was stopped in the middle of, and has to leave.
    package var stoppedSequence: UInt64? {
        guard let sequence = stop?.sequence,
            let entry = entries.first(where: { $0.sequence == sequence }), entry.chunk.limits.timeout != nil
        else { return nil }
        return sequence
    }

    /// Whether the first chunk that the worker holds is the one that it was stopped in.
    package var isStoppedInFirst: Bool {
        guard let stop, let sequence = entries.first?.sequence else { return false }
        return stop.sequence == sequence
    }

    /// What an interruption comes to.
    package struct Interruption {
        /// The chunk that the worker was in, and where its items end that had begun; `nil` when nothing that it held had.
        package let begun: (chunk: Chunk, end: Int)?
        /// The number of the chunk that the worker goes on with; `nil` when it has recovered.
        package let running: UInt64?
    }

    /// Forgets what the worker holds, which was forbidden to go on, after its results so far were taken.
    ///
    /// - Returns: `nil` if all that it held when it was stopped has ended.
    package mutating func interrupt() -> Interruption? {
        guard let stop = stop.take(), let first = entries.first, first.sequence <= stop.last else { return nil }
        let held = removeAll()
        guard let entry = held.first(where: { $0.sequence == stop.sequence }) else {
            return Interruption(begun: nil, running: nil)
        }
        lastEnded = entry.sequence
        if !stop.hasEnded { dropsThrough = entry.sequence }
        return Interruption(begun: (entry.chunk, stop.end), running: stop.hasEnded ? nil : entry.sequence)
    }

    // MARK: What the worker says

    /// How far the worker has come; `nil` if that cannot be true.
    package func progress(_ begun: ProgressBoard.Begun) -> Progress? {
        guard begun.epoch == epoch else { return nil }
        guard let index = (0..<entries.count).first(where: { begun.names(entries[$0].sequence) }) else {
            // What it began last has ended, then, and the first that it holds has no results.
            let hasResults = entries.first.map { $0.chunk.finishedCount > $0.sentFrom } ?? false
            return begun.names(lastEnded) && !hasResults ? .unbegun : nil
        }
        let entry = entries[index]
        let stride = entry.stride
        let sent = entry.chunk.count - entry.sentFrom
        let count = begun.itemCount(ofChunk: entry.sequence, stride: stride)
        // A stride at the end may be a short one.
        guard count > 0, count - sent < stride, count >= entry.chunk.finishedCount - entry.sentFrom else { return nil }
        return .begun(index, end: entry.sentFrom + min(count, sent))
    }

    /// How far the worker has come, to the item; `nil` if that cannot be true.
    ///
    /// Of a chunk with a deadline the worker runs one item of a stride after the other when it is let, and no other has
    /// begun.
    ///
    /// - Parameter running: The item that the worker says it runs.
    private func progress(_ begun: ProgressBoard.Begun, _ running: ProgressBoard.Running?) -> Progress? {
        guard case .begun(let index, let end)? = progress(begun), entries[index].chunk.limits.timeout != nil else {
            return progress(begun)
        }
        let entry = entries[index]
        let strideStart = (begun.strideCount - 1) * entry.stride
        // Between the beginning of a stride and that of its first item the worker still names one before it.
        var item = strideStart
        if let running, running.names(entry.sequence) { item = max(item, running.item) }
        guard entry.sentFrom + item < end, entry.chunk.finishedCount <= entry.sentFrom + item + 1 else { return nil }
        return .begun(index, end: entry.sentFrom + item + 1)
    }
}

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

    package init() {}

    /// The chunk whose results come next.
    package var first: Entry? { entries.first }

    package var count: Int { entries.count }

    /// The number of a chunk that the worker holds.
    package func sequence(of chunk: Chunk) -> UInt64? {
        entries.first { $0.chunk === chunk }?.sequence
    }

    // MARK: What was sent, and what came

    /// Notes a chunk that is sent.
    package mutating func add(_ chunk: Chunk) {
        sequence += 1
        entries.append(Entry(chunk: chunk, sequence: sequence, sentFrom: chunk.finishedCount))
    }

    /// Notes the end of a chunk; `nil` if it cannot be true, because another's is due or results are missing.
    package mutating func end(_ sequence: UInt64) -> (chunk: Chunk, isLast: Bool)? {
        guard let entry = entries.first, entry.sequence == sequence, !entry.chunk.wantsToRun else { return nil }
        _ = entries.popFirst()
        lastEnded = sequence
        return (entry.chunk, entries.isEmpty)
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
        let stride = entry.chunk.strideLength
        let sent = entry.chunk.count - entry.sentFrom
        let count = begun.itemCount(ofChunk: entry.sequence, stride: stride)
        // A stride at the end may be a short one.
        guard count > 0, count - sent < stride, count >= entry.chunk.finishedCount - entry.sentFrom else { return nil }
        return .begun(index, end: entry.sentFrom + min(count, sent))
    }
}

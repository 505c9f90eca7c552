import Synchronization

/// One run of a chunk on a thread, from which another thread may take the item that runs.
///
/// A thread cannot be stopped, but it can be left alone with an item that takes too long: who decides that and
/// the thread that ends the item meet in one word, and exactly one of them has the chunk from then on.
package final class GuardedRun: Sendable {
    /// What became of an attempt to take the item.
    package enum Taking: Equatable {
        /// The chunk is the caller's, with the number of the item that was taken.
        case taken(Int)
        /// It is another item that runs.
        case otherItem
        /// The run has ended, or its item was taken before.
        case over
    }

    private enum Phase: UInt64 {
        case running
        /// The thread puts the item's result where it belongs, and is about to begin the next one.
        case settling
        case taken
        case over
    }

    /// The number of the item that runs, and in the last two bits the phase.
    private let word: Atomic<UInt64>

    /// When that item began.
    private let start: Atomic<UInt64>

    /// Notes that an item begins; the rest of the run is the thread's that calls this.
    package init(item: Int, now: UInt64) {
        start = Atomic(now)
        word = Atomic(Self.pack(item, .running))
    }

    private static func pack(_ item: Int, _ phase: Phase) -> UInt64 {
        UInt64(item) << 2 | phase.rawValue
    }

    private static func phase(_ word: UInt64) -> Phase {
        // Two bits, and a case for each of their values.
        Phase(rawValue: word & 3) ?? .over
    }

    // MARK: The thread that runs the chunk

    /// Takes the right to settle the item, which has ended; `false` if the chunk is not this run's any more.
    package func settle(_ item: Int) -> Bool {
        word.compareExchange(
            expected: Self.pack(item, .running), desired: Self.pack(item, .settling), ordering: .acquiringAndReleasing
        ).exchanged
    }

    /// Notes that the next item begins, after the last one was settled.
    package func begin(_ item: Int, now: UInt64) {
        // First, so that the new item is not seen with the time of the one before.
        start.store(now, ordering: .releasing)
        word.store(Self.pack(item, .running), ordering: .releasing)
    }

    /// Notes that nothing further begins, after the last item was settled.
    package func end() {
        word.store(Phase.over.rawValue, ordering: .releasing)
    }

    // MARK: Other threads

    /// The item that runs, and when it began; `nil` if none does.
    package var current: (item: Int, since: UInt64)? {
        let word = word.load(ordering: .acquiring)
        guard Self.phase(word) == .running else { return nil }
        return (Int(word >> 2), start.load(ordering: .acquiring))
    }

    /// Takes the item that runs, and with it the chunk.
    ///
    /// - Parameter item: The number of the item that it has to be; `nil` for any.
    package func take(_ item: Int?) -> Taking {
        var old = word.load(ordering: .acquiring)
        while true {
            switch Self.phase(old) {
            case .taken, .over:
                return .over
            case .settling:
                // For as long as it takes to put a value where it belongs.
                old = word.load(ordering: .acquiring)
            case .running:
                let current = Int(old >> 2)
                if let item, item != current { return .otherItem }
                let (exchanged, original) = word.weakCompareExchange(
                    expected: old, desired: Self.pack(current, .taken), ordering: .acquiringAndReleasing)
                if exchanged { return .taken(current) }
                old = original
            }
        }
    }
}

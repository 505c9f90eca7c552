import MultiprocessingSystem
public import Synchronization

/// Where a thread stands in items that have a deadline, and whether one of them was taken from it.
///
/// A thread cannot be stopped, but it can be left alone with an item that takes too long. Who decides that has
/// the thread wait at the next item that it is about to begin, looks where it stands, and takes that item or lets
/// it go on. For the thread this costs a store and a load an item: the fence between the two is passed by
/// the other, see `RemoteFence`.
///
/// Sendable: `base` is used on the thread that runs the items, and the rest is atomic.
@usableFromInline
package final class StrideWatch: Sendable {
    /// The item that the thread runs, or is about to; negative while none can be taken.
    @usableFromInline let position = Atomic(StrideWatch.settling)

    /// What becomes of the item where the thread stands: zero for nothing, or ``undecided``, or ``taken`` and its number.
    @usableFromInline let order = Atomic(0)

    /// The number of the first item of those that are run together.
    ///
    /// Only the thread's.
    @usableFromInline @exclusivity(unchecked) nonisolated(unsafe) var base = 0

    /// When the first item of the chunk began, and which that is.
    private let first: Int
    private let start: UInt64

    /// Where the thread stands while what has come of items is put where it belongs.
    @usableFromInline static let settling = -1
    private static let over = -2

    @usableFromInline static let undecided = 1
    private static let taken = 2

    /// How often to look whether a thread is done with settling.
    private static let patience = 1_000

    package init(first: Int, now: UInt64) {
        self.first = first
        start = now
    }

    // MARK: The thread

    /// Begins an item; `false` if one was taken, so that nothing further is to begin.
    package func begin(_ item: Int) -> Bool {
        announce(item) || wasLeft()
    }

    /// Begins an item, unless somebody is about to decide, or has: then ``goesOn()`` says whether it is to begin.
    @inlinable
    func announce(_ item: Int) -> Bool {
        position.store(item, ordering: .releasing)
        // For the compiler, which is to keep the order of the two.
        atomicMemoryFence(ordering: .acquiringAndReleasing)
        return order.load(ordering: .relaxed) == 0
    }

    /// Whether no item was taken; waits for the decision if somebody is about to.
    @inlinable
    func goesOn() -> Bool {
        order.load(ordering: .relaxed) == 0 || wasLeft()
    }

    /// Announces the first item of those that are run together; nothing is run yet.
    package func prepare(_ item: Int) {
        base = item
    }

    /// Takes the right to settle what has come of the items up to now, and to begin a stride; `false` if one was taken,
    /// and the chunk with it.
    @inlinable
    package func settle() -> Bool {
        position.store(Self.settling, ordering: .releasing)
        atomicMemoryFence(ordering: .acquiringAndReleasing)
        // Behind what somebody has done who held the thread.
        return order.load(ordering: .acquiring) == 0 || wasLeft()
    }

    /// Notes that nothing further begins, after the last items were settled.
    package func end() {
        position.store(Self.over, ordering: .releasing)
    }

    /// Waits for the decision; returns whether nothing was taken.
    @usableFromInline
    func wasLeft() -> Bool {
        while true {
            switch order.load(ordering: .acquiring) {
            case 0: return true
            case Self.undecided: ThisProcess.yield()
            default: return false
            }
        }
    }

    /// The item that was taken, after one was.
    package var takenItem: Int { order.load(ordering: .acquiring) - Self.taken }

    // MARK: Other threads, one at a time

    /// The item that runs, if one does, and when it began; `nil` for a time that is not known.
    package var current: (item: Int, since: UInt64?)? {
        let item = position.load(ordering: .acquiring)
        guard item >= 0, order.load(ordering: .acquiring) == 0 else { return nil }
        return (item, item == first ? start : nil)
    }

    /// Calls `body` while the thread is in an item, and has it wait before the next: what came of the items before that one
    /// is the caller's meanwhile.
    ///
    /// - Parameters:
    ///   - known: The item in which the thread was before; there is no call if it still is in that.
    ///   - body: Gets the number of the item; short, for the thread may wait for it.
    /// - Returns: `nil`, without a call, if the thread is in no item, and so about to begin one or at its end.
    package func hold<R>(behind known: Int, _ body: (Int) -> R) -> R? {
        guard order.load(ordering: .relaxed) == 0, position.load(ordering: .relaxed) > known else { return nil }
        order.store(Self.undecided, ordering: .releasing)
        RemoteFence.pass(.threads)
        defer { order.store(0, ordering: .releasing) }
        let current = position.load(ordering: .acquiring)
        return current >= 0 ? body(current) : nil
    }

    /// Takes the item that runs, and with it the chunk.
    ///
    /// - Parameter item: The number of the item that it has to be; `nil` for any.
    package func take(_ item: Int?) -> GuardedRun.Taking {
        for _ in 0..<Self.patience {
            guard order.load(ordering: .relaxed) == 0 else { return .over }
            order.store(Self.undecided, ordering: .releasing)
            RemoteFence.pass(.threads)
            let current = position.load(ordering: .acquiring)
            if current >= 0, item == nil || item == current {
                order.store(Self.taken + current, ordering: .releasing)
                return .taken(current)
            }
            order.store(0, ordering: .releasing)
            if current == Self.over { return .over }
            if item != nil { return .otherItem }
            // For as long as it takes to put values where they belong.
            ThisProcess.yield()
        }
        return .otherItem
    }
}

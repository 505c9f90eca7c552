import Dispatch
import Multiprocessing
import Synchronization
import TestSupport
import Testing

/// Who has an item: the thread that runs it, or the one that takes it.
@Suite(.admitted)
struct StrideWatchTests {
    @Test func `The item that runs is known, and of the first when it began`() {
        let watch = StrideWatch(first: 3, now: 77)
        #expect(watch.current == nil)
        #expect(watch.begin(3))
        #expect(watch.current?.item == 3)
        #expect(watch.current?.since == 77)
        #expect(watch.begin(4))
        #expect(watch.current?.item == 4)
        #expect(watch.current?.since == nil)
        #expect(watch.settle())
        #expect(watch.current == nil)
    }

    @Test func `Only the item that runs is taken, and nothing begins behind it`() {
        let watch = StrideWatch(first: 0, now: 0)
        #expect(watch.take(0) == .otherItem, "has not begun")
        #expect(watch.begin(0) && watch.begin(1))
        #expect(watch.take(0) == .otherItem)
        #expect(watch.begin(2), "was left")
        #expect(watch.take(nil) == .taken(2))
        #expect(watch.take(nil) == .over)
        #expect(watch.current == nil)
        #expect(watch.takenItem == 2)
        #expect(!watch.begin(3))
        #expect(!watch.settle())
    }

    @Test func `Nothing is taken behind the end`() {
        let watch = StrideWatch(first: 0, now: 0)
        #expect(watch.begin(0) && watch.settle())
        watch.end()
        #expect(watch.take(nil) == .over)
        #expect(watch.take(0) == .over)
    }

    @Test func `At every moment either the thread has an item or its taker`() {
        final class Shared: Sendable {
            let ended = Atomic(0)
            let taken = Atomic(-1)
        }
        for round in 0..<300 {
            let (watch, shared) = (StrideWatch(first: 0, now: 0), Shared())
            DispatchQueue.concurrentPerform(iterations: 2) { side in
                if side == 0 {
                    for item in 0..<5_000 {
                        guard watch.begin(item) else { return }
                        // In parts, so that the end of one is met too.
                        if item % 16 == 15, !watch.settle() { return }
                        shared.ended.store(item + 1, ordering: .relaxed)
                    }
                    if watch.settle() { watch.end() }
                } else {
                    for _ in 0..<round { _ = watch.take(-5) }
                    if case .taken(let item) = watch.take(nil) { shared.taken.store(item, ordering: .relaxed) }
                }
            }
            let (ended, taken) = (shared.ended.load(ordering: .relaxed), shared.taken.load(ordering: .relaxed))
            // The item may just have ended, but no other has begun.
            #expect(taken < 0 ? ended == 5_000 : ended == taken || ended == taken + 1)
        }
    }
}

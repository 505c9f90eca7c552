/// One-shot timers in the order of their deadlines; pure, without a clock of its own.
package struct TimerQueue<Value> {
    private struct Item {
        let deadline: MonotonicTime
        let id: UInt64

        /// Timers with one deadline fire in the order in which they were made.
        func isBefore(_ other: Item) -> Bool {
            (deadline.nanoseconds, id) < (other.deadline.nanoseconds, other.id)
        }
    }

    // A binary heap. A canceled timer stays in it, without a value, until it comes to the
    // top or until more than half of the heap is such leftovers.
    private var heap: [Item] = []
    private var values: [UInt64: Value] = [:]
    private var nextID: UInt64 = 0

    package var isEmpty: Bool { values.isEmpty }

    package var count: Int { values.count }

    package init() {}

    package mutating func insert(_ value: Value, at deadline: MonotonicTime) -> UInt64 {
        nextID += 1
        values[nextID] = value
        heap.append(Item(deadline: deadline, id: nextID))
        siftUp(heap.count - 1)
        return nextID
    }

    /// Takes a timer out; nil when it has fired or was canceled before.
    package mutating func remove(_ id: UInt64) -> Value? {
        let value = values.removeValue(forKey: id)
        if heap.count > 64, heap.count > 2 * values.count {
            heap.removeAll { values[$0.id] == nil }
            // A sorted array is a heap.
            heap.sort { $0.isBefore($1) }
        }
        return value
    }

    /// The earliest deadline of a timer that was not canceled.
    package mutating func nextDeadline() -> MonotonicTime? {
        while let first = heap.first {
            if values[first.id] != nil {
                return first.deadline
            }
            removeFirst()
        }
        return nil
    }

    /// Takes out the earliest timer if its deadline is not after `now`.
    package mutating func popDue(at now: MonotonicTime) -> Value? {
        guard let deadline = nextDeadline(), deadline <= now else {
            return nil
        }
        return values.removeValue(forKey: removeFirst().id)
    }

    @discardableResult
    private mutating func removeFirst() -> Item {
        heap.swapAt(0, heap.count - 1)
        let item = heap.removeLast()
        siftDown(0)
        return item
    }

    private mutating func siftUp(_ start: Int) {
        var index = start
        while index > 0 {
            let parent = (index - 1) / 2
            guard heap[index].isBefore(heap[parent]) else {
                return
            }
            heap.swapAt(index, parent)
            index = parent
        }
    }

    private mutating func siftDown(_ start: Int) {
        var index = start
        while true {
            var smallest = index
            for child in [2 * index + 1, 2 * index + 2]
            where child < heap.count && heap[child].isBefore(heap[smallest]) {
                smallest = child
            }
            if smallest == index {
                return
            }
            heap.swapAt(index, smallest)
            index = smallest
        }
    }
}

extension TimerQueue: Sendable where Value: Sendable {}

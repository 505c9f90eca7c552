import Synchronization

/// One-way calls of one process to one actor that have come and are not begun, and what came behind them.
///
/// One task at a time, the driver, begins them in their order: each runs in place while the actor is free, and else is
/// enqueued on the actor before the next is begun. One that blocks its thread holds up those to the same actor alone.
final class CallQueue: Sendable {
    enum Item {
        /// Enqueues a call on the actor.
        case call(@Sendable () -> Void)
        case batch(OneWayBatch)
    }

    private let items = Mutex(RingQueue<Item>())

    /// How many items the driver begins before other tasks get its thread.
    private static let driveLength = 32

    func append(_ item: Item) {
        items.withLock { $0.append(item) }
    }

    var isEmpty: Bool { items.withLock { $0.isEmpty } }

    /// Begins what is there; one thread at a time, on no actor.
    ///
    /// - Returns: Whether there may be more.
    func drive() -> Bool {
        for _ in 0..<Self.driveLength {
            switch items.withLock({ $0.first }) {
            case nil: return false
            case .call(let start)?:
                start()
                removeFirst()
            case .batch(let batch)?:
                batch.begin()
                if batch.isOver { removeFirst() }
            }
        }
        return true
    }

    private func removeFirst() {
        // Let go of outside of the lock.
        let last = items.withLock { $0.popFirst() }
        withExtendedLifetime(last) {}
    }
}

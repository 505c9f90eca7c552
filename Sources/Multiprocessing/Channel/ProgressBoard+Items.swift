import CMultiprocessing
import MultiprocessingSystem

/// The words in which the worker says which item of a stride it runs, and the parent that it is to run no other.
///
/// The worker stores the item that it is about to run, and then looks whether it is to stop. The parent stores that
/// it is to, has the worker pass a fence, and then reads which item it is: an item that the parent does not see
/// has not begun, and will not before the parent has decided. See `RemoteFence`.
extension ProgressBoard {
    /// The item that a worker runs, or is about to.
    package struct Running: Equatable {
        /// The end of its chunk's sequence number.
        private let sequence: UInt32
        /// Its number among those of the chunk that were sent.
        package let item: Int

        init(_ word: UInt64) {
            sequence = UInt32(truncatingIfNeeded: word >> 32)
            item = Int(UInt32(truncatingIfNeeded: word))
        }

        package init(item: Int, of sequence: UInt64) {
            self.init(Self.word(of: sequence) | UInt64(UInt32(truncatingIfNeeded: item)))
        }

        /// The word for the first item of a chunk.
        static func word(of sequence: UInt64) -> UInt64 { sequence << 32 }

        func names(_ sequence: UInt64) -> Bool { self.sequence == UInt32(truncatingIfNeeded: sequence) }
    }

    /// What the worker is to do before the next item.
    package enum Order: Equatable {
        case goOn
        /// Wait until the parent has decided.
        case wait
        /// Leave the chunk with this number.
        case leave(UInt64)

        init(_ word: UInt64) {
            switch word & 3 {
            case 0: self = .goOn
            case 2: self = .leave(word >> 2)
            default: self = .wait
            }
        }

        var word: UInt64 {
            switch self {
            case .goOn: 0
            case .wait: 1
            case .leave(let sequence): sequence << 2 | 2
            }
        }
    }

    /// Has the worker wait before it runs another item, for the parent, which has to ``decide(_:)`` soon.
    package func halt() {
        order.store(Order.wait.word)
        RemoteFence.pass(.processes)
    }

    /// What stands on the board; what the parent decided last, if nobody else has written there.
    package var decision: Order { Order(order.load()) }

    package func decide(_ decision: Order) {
        order.store(decision.word)
    }
}

/// A worker's own place in the items of a chunk.
///
/// For its main thread, but for ``item``.
package final class ItemPlace: @unchecked Sendable {
    // Sendable: `seen` is the main thread's, and the rest never changes.
    //
    // Addresses of words, because there is no call in what each item costs: no optimizer looks into another module of
    // the package.
    private let running: UnsafeMutableRawPointer
    private let order: UnsafeMutableRawPointer
    private let sequence: UInt64

    /// Keeps them mapped.
    private let memory: SharedPages

    /// The order that allows this chunk to go on.
    private var seen = UInt64.max

    /// Whether the parent cannot have this process pass its fences.
    private let needsFence: Bool

    /// - Parameter isTimed: Whether the parent can have the chunk left in the middle of a stride.
    package init(_ board: ProgressBoard, sequence: UInt64, isTimed: Bool) {
        memory = board.memory
        running = board.running.address
        order = board.order.address
        self.sequence = sequence
        needsFence = isTimed && !RemoteFence.isAvailable
    }

    /// The number of the item that runs, or did last; for any thread.
    package var item: Int { ProgressBoard.Running(mp_load_acquire_u64(running)).item }

    /// Begins an item; `false` if it is not to.
    package func begin(_ item: Int) -> Bool {
        let word = ProgressBoard.Running.word(of: sequence) | UInt64(UInt32(truncatingIfNeeded: item))
        mp_store_release_u64(running, word)
        if needsFence { mp_fence() } else { mp_compiler_fence() }
        return mp_load_acquire_u64(order) == seen || mayGoOn()
    }

    /// How long the parent may take to decide, which takes it some microseconds.
    ///
    /// A parent that is stopped at just that moment, by a debugger for one, and for as long as this, loses the worker.
    private static let decisionLimit = Duration.seconds(10)

    private func mayGoOn() -> Bool {
        var end: MonotonicTime?
        while true {
            let word = mp_load_acquire_u64(order)
            switch ProgressBoard.Order(word) {
            case .wait:
                let now = MonotonicTime.now()
                let limit = end ?? now.advanced(by: Self.decisionLimit)
                if now > limit { giveUp() }
                end = limit
                ThisProcess.yield()
            case .leave(sequence): return false
            case .leave, .goOn:
                seen = word
                return true
            }
        }
    }

    /// Ends this process: the order is not the parent's, but of somebody here who wrote where it stands.
    private func giveUp() -> Never {
        let reason = "its parent has had it wait for \(Self.decisionLimit)"
        ThisProcess.report("worker process \(ProcessID.current) cannot go on: \(reason)\n")
        ThisProcess.endInFailure()
    }
}

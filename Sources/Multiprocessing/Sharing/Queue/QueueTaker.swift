import CMultiprocessing
import MultiprocessingSystem

/// How many items one process has received and not said to be done with.
///
/// What the dead have does not count, so that nobody waits for it.
struct QueueTaker {
    static let size = 16

    private let address: UnsafeMutableRawPointer

    init(_ address: UnsafeMutableRawPointer) { self.address = address }

    /// The number of the process; 0 for nobody.
    var owner: FutexWord { FutexWord(address) }

    private var count: UnsafeMutableRawPointer { address + 8 }

    var outstanding: UInt64 { mp_load_ordered_u64(count) }

    /// Gives the place to a process; the receivers' lock is held, and the one before is dead.
    func give(to number: UInt32) {
        mp_store_ordered_u64(count, 0)
        owner.store(number)
    }

    func add(_ more: Int) { _ = mp_add_ordered_u64(count, UInt64(more)) }

    /// Counts some less; returns how many are left, or `nil` if there were not so many.
    func remove(_ done: Int) -> UInt64? {
        var known = outstanding
        while known >= UInt64(done) {
            if mp_cas_ordered_u64(count, &known, known - UInt64(done)) { return known - UInt64(done) }
        }
        return nil
    }
}

/// A place for one item that is lent: who has it, and where its bytes are.
///
/// Changed only under the receivers' lock, but for its end, which is one store of its borrower's.
struct QueueLeaseSlot {
    static let size = 64

    enum Phase: UInt32 {
        case free = 0
        /// The bytes are here and still in the ring; which of them count, the head tells.
        case prepared = 1
        case lent = 2
        /// Over, and its memory is about to be given back.
        case over = 3
    }

    let address: UnsafeMutableRawPointer

    init(_ address: UnsafeMutableRawPointer) { self.address = address }

    private var phaseWord: FutexWord { FutexWord(address) }
    var owner: FutexWord { FutexWord(address + 4) }
    /// How often it has been lent.
    var attempts: FutexWord { FutexWord(address + 8) }

    /// `nil` for one that nobody of this library has written.
    var phase: Phase? { Phase(rawValue: phaseWord.load()) }

    func enter(_ phase: Phase) { phaseWord.store(phase.rawValue) }

    /// Ends the lease if it goes on; `false` if it does not.
    func end() -> Bool {
        phaseWord.compareExchange(expected: Phase.lent.rawValue, desired: Phase.over.rawValue).exchanged
    }

    var length: UInt64 {
        get { mp_load_ordered_u64(address + 16) }
        nonmutating set { mp_store_ordered_u64(address + 16, newValue) }
    }

    /// Where the head was when the item was still in the ring.
    var head: QueueCursor {
        get { QueueCursor(rawValue: mp_load_ordered_u64(address + 24)) }
        nonmutating set { mp_store_ordered_u64(address + 24, newValue.rawValue) }
    }

    /// Tells one lease of the place from another.
    var sequence: UInt64 {
        get { mp_load_ordered_u64(address + 32) }
        nonmutating set { mp_store_ordered_u64(address + 32, newValue) }
    }
}

import CMultiprocessing
import MultiprocessingSystem

/// Which task or thread has a recursive lock, and how often.
///
/// Written only by the one that has the lock. Whoever has not reads it at any time, and finds itself there only if it
/// is: a task's address means nothing without its process.
struct RecursiveHolder {
    // The identity, the number of the process, and the depth.
    private let address: UnsafeMutableRawPointer

    /// - Parameter address: Of 16 bytes, a multiple of eight.
    init(_ address: UnsafeMutableRawPointer) {
        self.address = address
    }

    var isCaller: Bool {
        mp_load_acquire_u32(address + 8) == mp_get_life_number()
            && mp_load_acquire_u64(address) == ThisThread.taskOrThread
    }

    var depth: UInt32 { mp_load_acquire_u32(address + 12) }

    /// The caller has taken the lock.
    func begin() {
        mp_store_release_u64(address, ThisThread.taskOrThread)
        mp_store_release_u32(address + 12, 1)
        mp_store_release_u32(address + 8, mp_get_life_number())
    }

    /// The caller has the lock once more; `false` if it cannot be counted.
    func deepen() -> Bool {
        let depth = depth
        guard depth < .max else { return false }
        mp_store_release_u32(address + 12, depth + 1)
        return true
    }

    /// The caller has the lock once less; returns whether it has to let go of it.
    func rise() -> Bool {
        let depth = depth - 1
        mp_store_release_u32(address + 12, depth)
        guard depth == 0 else { return false }
        mp_store_release_u32(address + 8, 0)
        return true
    }
}

internal import CMultiprocessing
internal import Synchronization

/// Sleeping on several words at once.
struct FutexSleep {
    /// The most words that the kernel takes.
    static let limit = 128

    /// Where the kernel cannot wait for several words, one is waited for, for so long at a time.
    private static let fallbackSlice: UInt64 = 10_000_000

    private static let isLacking = Atomic(false)

    private var waiters: [mp_waiter] = []

    mutating func removeAll() { waiters.removeAll(keepingCapacity: true) }

    mutating func append(_ word: FutexWord, while value: UInt32) {
        waiters.append(
            mp_waiter(
                value: UInt64(value), address: UInt64(UInt(bitPattern: word.address)), flags: UInt32(MP_WAIT_SHARED),
                reserved: 0))
    }

    /// Sleeps until a word is woken or has another value; returns false when the deadline passed, or the moment
    /// after which a kernel that cannot wait for several words has to be asked again.
    func sleep(until deadline: UInt64?) -> Bool {
        if !Self.isLacking.load(ordering: .relaxed), !FutexWaiting.avoidsSeveral {
            let limit = deadline.map { Int64(clamping: $0) } ?? -1
            if mp_futex_wait_any(waiters, UInt32(waiters.count), limit) >= 0 { return true }
            switch Errno.current {
            case .noSuchCall, .notPermitted: Self.isLacking.store(true, ordering: .relaxed)
            case .timedOut: return false
            default: return true
            }
        }
        let now = MonotonicTime.now().nanoseconds
        let rest = deadline.map { $0 > now ? $0 - now : 0 } ?? .max
        let first = waiters[0]
        guard let address = UnsafeRawPointer(bitPattern: UInt(first.address)) else { return true }
        let slice = min(rest, Self.fallbackSlice)
        if mp_futex_wait(address, UInt32(truncatingIfNeeded: first.value), Int64(slice)) == 0 { return true }
        return Errno.current != .timedOut
    }
}

/// How this process waits for words.
package enum FutexWaiting {
    private static let avoids = Atomic(false)

    /// Whether to wait as under a kernel before Linux 5.16; for tests.
    package static var avoidsSeveral: Bool {
        get { avoids.load(ordering: .relaxed) }
        set { avoids.store(newValue, ordering: .relaxed) }
    }
}

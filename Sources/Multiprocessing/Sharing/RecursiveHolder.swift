import MultiprocessingSystem

/// Which task or thread has a recursive lock, and how often.
///
/// Written only by the one that has the lock. Whoever has not reads it at any time, and finds itself there only if it
/// is: a task's address means nothing without its process.
struct RecursiveHolder {
    private let identity: SharedWord
    private let process: FutexWord
    private let count: FutexWord

    /// - Parameter address: Of 16 bytes, a multiple of eight.
    init(_ address: UnsafeMutableRawPointer) {
        identity = SharedWord(address)
        process = FutexWord(address + 8)
        count = FutexWord(address + 12)
    }

    var isCaller: Bool { process.load() == LifePage.number && identity.load() == ThisThread.taskOrThread }

    var depth: UInt32 { count.load() }

    /// The caller has taken the lock.
    func begin() {
        identity.store(ThisThread.taskOrThread)
        count.store(1)
        process.store(LifePage.number)
    }

    /// The caller has the lock once more; `false` if it cannot be counted.
    func deepen() -> Bool {
        guard depth < .max else { return false }
        count.store(depth + 1)
        return true
    }

    /// The caller has the lock once less; returns whether it has to let go of it.
    func rise() -> Bool {
        count.store(depth - 1)
        guard depth == 0 else { return false }
        process.store(0)
        return true
    }
}

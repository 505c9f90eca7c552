import MultiprocessingSystem

/// The memory of a bounded semaphore: which process holds how many permits.
///
/// That table is the truth, one word for each process; the sum of it is remembered, and taken again when somebody has
/// died. So the permits of the dead come back, and a death at any moment leaves nothing to repair.
struct SemaphoreTable: Sendable {
    private enum Layout {
        static let changes = 8
        static let total = 12
        static let used = 16
        static let stamp = 20
        static let interest = 24
        static let count = 28
        static let isBounded = 32
        static let permits = 36
        static let entries = 64
    }

    static let size = 1 << 16
    private static let capacity = (size - Layout.entries) / 8

    // Sendable: reached by atomic accesses alone.
    private nonisolated(unsafe) let address: UnsafeMutableRawPointer

    init(_ address: UnsafeMutableRawPointer) { self.address = address }

    var lock: LockWord { LockWord(address) }

    /// Changes with every permit that comes back while somebody may wait.
    var changes: FutexWord { FutexWord(address + Layout.changes) }
    var total: FutexWord { FutexWord(address + Layout.total) }
    /// Not 0 if the table counts, and not the word beside it.
    var isBounded: FutexWord { FutexWord(address + Layout.isBounded) }
    /// The permits of an unbounded semaphore, which is nothing else.
    var permits: FutexWord { FutexWord(address + Layout.permits) }
    private var used: FutexWord { FutexWord(address + Layout.used) }
    /// How many deaths had been counted when the sum was taken.
    private var stamp: FutexWord { FutexWord(address + Layout.stamp) }
    /// Changes with everyone who is about to sleep; 0 if nobody has since.
    private var interest: FutexWord { FutexWord(address + Layout.interest) }
    /// How many entries have ever been in use.
    private var count: FutexWord { FutexWord(address + Layout.count) }

    private func entry(_ index: Int) -> Entry { Entry(word: SharedWord(address + Layout.entries + 8 * index)) }

    /// A process and how many permits it holds; one store changes both.
    private struct Entry {
        let word: SharedWord
        var process: UInt32 { UInt32(truncatingIfNeeded: word.load()) }
        var held: UInt32 { UInt32(word.load() >> 32) }
        func store(_ process: UInt32, _ held: UInt32) { word.store(UInt64(held) << 32 | UInt64(process)) }
    }

    /// How many permits can be had; exact only with the lock.
    var available: Int { max(0, Int(total.load()) - Int(used.load())) }

    // MARK: With the lock

    /// Takes the sum again if that is due.
    ///
    /// - Parameter isForced: Also where nobody was counted as dead.
    func recount(_ page: LifePage, isForced: Bool) {
        let deaths = page.deaths.load()
        guard isForced || stamp.load() != deaths else { return }
        var sum: UInt32 = 0
        for index in 0..<Int(count.load()) {
            let entry = entry(index)
            guard entry.process != 0 else { continue }
            if page.isAlive(entry.process) { sum += entry.held } else { entry.store(0, 0) }
        }
        used.store(sum)
        stamp.store(deaths)
    }

    /// Takes a permit; `false` if there is none.
    func take(_ page: LifePage, isUnprompted: Bool) throws(SharedStateError) -> Bool {
        recount(page, isForced: false)
        if used.load() >= total.load(), isUnprompted { recount(page, isForced: true) }
        guard used.load() < total.load() else { return false }
        let entry = try ownEntry(page)
        entry.store(page.number, entry.held + 1)
        used.store(used.load() + 1)
        return true
    }

    /// Gives a permit back; `false` if this process has none.
    func giveBack(_ page: LifePage) -> Bool {
        recount(page, isForced: false)
        guard let entry = knownEntry(page.number), entry.held > 0 else { return false }
        entry.store(page.number, entry.held - 1)
        used.store(used.load() - 1)
        return true
    }

    private func knownEntry(_ number: UInt32) -> Entry? {
        (0..<Int(count.load())).lazy.map { entry($0) }.first { $0.process == number }
    }

    private func ownEntry(_ page: LifePage) throws(SharedStateError) -> Entry {
        if let entry = knownEntry(page.number) { return entry }
        let used = Int(count.load())
        if used == Self.capacity { recount(page, isForced: true) }
        if let empty = (0..<used).first(where: { entry($0).process == 0 }) {
            entry(empty).store(page.number, 0)
            return entry(empty)
        }
        guard used < Self.capacity else {
            throw SharedStateError(
                .tooManyProcesses,
                "\(used) processes that run have used the semaphore, which is the most; end some, or make another one")
        }
        entry(used).store(page.number, 0)
        count.store(UInt32(used + 1))
        return entry(used)
    }

    /// The caller is about to sleep.
    func noteInterest() { interest.store(max(1, interest.load() &+ 1)) }

    /// What of the interest there was, if a permit that came back is to be told of.
    func tellOfChange() -> UInt32? {
        let interest = interest.load()
        guard interest != 0 else { return nil }
        changes.add(1)
        return interest
    }

    /// Nobody slept: nobody has to be woken until somebody is about to sleep again.
    func forgetInterest(_ seen: UInt32) {
        if interest.load() == seen { interest.store(0) }
    }
}

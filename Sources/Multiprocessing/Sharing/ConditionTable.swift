import MultiprocessingSystem

/// The memory of a condition: one entry for each who waits, with a word of its own to sleep on.
///
/// Whoever has the condition's lock changes it. The entry says who waits, so that no notification goes to the dead.
struct ConditionTable: Sendable {
    private enum Layout {
        static let order = 0
        static let used = 8
        static let entries = 64
        static let entrySize = 16
    }

    static let size = 1 << 16
    private static let capacity = (size - Layout.entries) / Layout.entrySize

    // Sendable: reached by atomic accesses alone.
    private nonisolated(unsafe) let address: UnsafeMutableRawPointer

    init(_ address: UnsafeMutableRawPointer) { self.address = address }

    private var order: SharedWord { SharedWord(address + Layout.order) }
    private var used: FutexWord { FutexWord(address + Layout.used) }
    private func entry(_ index: Int) -> Entry { Entry(address + Layout.entries + Layout.entrySize * index) }

    /// One who waits.
    struct Entry: Sendable {
        enum State: UInt32 { case free, waiting, notified }

        let word: FutexWord
        let process: FutexWord
        let order: SharedWord

        fileprivate init(_ address: UnsafeMutableRawPointer) {
            word = FutexWord(address)
            process = FutexWord(address + 4)
            order = SharedWord(address + 8)
        }

        var isWaiting: Bool { word.load() == State.waiting.rawValue }
        var isNotified: Bool { word.load() == State.notified.rawValue }
        func leave() { word.store(State.free.rawValue) }

        /// Whether the wait is over: by a notification, or by a death if that is asked for.
        func look(_ round: WaitRound, deaths: UInt32?) -> Look<Bool> {
            if isNotified { return .done(true) }
            if let deaths, deaths != round.deaths { return .done(false) }
            return .sleep(on: word, while: State.waiting.rawValue)
        }
    }

    /// Begins to wait.
    func enter(_ page: LifePage) throws(SharedStateError) -> Entry {
        let entry = try freeEntry(page)
        entry.process.store(page.number)
        entry.order.store(order.add(1))
        entry.word.store(Entry.State.waiting.rawValue)
        return entry
    }

    private func freeEntry(_ page: LifePage) throws(SharedStateError) -> Entry {
        let used = Int(used.load())
        let entries = (0..<used).lazy.map { entry($0) }
        if let free = entries.first(where: { $0.word.load() == Entry.State.free.rawValue }) { return free }
        guard used == Self.capacity else {
            self.used.store(UInt32(used + 1))
            return entry(used)
        }
        if let dead = entries.first(where: { !page.isAlive($0.process.load()) }) { return dead }
        throw SharedStateError(
            .tooManyProcesses, "\(used) wait for the condition, which is the most; let some go on first")
    }

    /// Has the first `limit` of those who wait go on.
    func notify(_ limit: Int, _ page: LifePage) {
        let entries = (0..<Int(used.load())).map { entry($0) }.filter(\.isWaiting)
        var left = limit
        for entry in entries.sorted(by: { $0.order.load() < $1.order.load() }) where left > 0 {
            guard page.isAlive(entry.process.load()) else {
                entry.leave()
                continue
            }
            entry.word.store(Entry.State.notified.rawValue)
            entry.word.wakeAll()
            left -= 1
        }
    }
}

/// Who waits for which word, thread by thread; decides, and leaves all calls but those of `look` to its owner.
struct WaitList {
    private struct Bench {
        let handle = WaitBench()
        var hasThread = false
        var lines: [FutexWord: WaitLine] = [:]
    }

    /// What the caller does for a waiter that has entered.
    enum Entered {
        case wait
        case kick(WaitBench)
        case start(WaitBench, Int)
        /// It was cancelled before.
        case end
    }

    /// Room for the words of the thread's own.
    private static let wordLimit = FutexSleep.limit - 2

    private var benches: [Bench] = []
    private var places: [UInt64: (bench: Int, word: FutexWord)] = [:]
    private var lastID: UInt64 = 0
    /// Those that have been announced and have not entered, and whether they were cancelled.
    private var announced: [UInt64: Bool] = [:]

    /// How many tasks wait, and how many threads look for them.
    var counts: (waiters: Int, threads: Int) { (places.count, benches.count(where: \.hasThread)) }

    mutating func announce() -> UInt64 {
        lastID += 1
        announced[lastID] = false
        return lastID
    }

    mutating func enter(_ waiter: WaitLine.Waiter, on word: FutexWord, exclusively: Bool) -> Entered {
        if announced.removeValue(forKey: waiter.id) == true { return .end }
        let index = bench(for: word)
        let line = benches[index].lines[word]
        // One that only takes its turn is looked for when the one before it has been.
        let isNoticed = line.map { $0.isExclusive && waiter.deadline >= $0.deadline } ?? false
        benches[index].lines[word, default: WaitLine(isExclusive: exclusively)].append(waiter)
        places[waiter.id] = (index, word)
        let handle = benches[index].handle
        guard benches[index].hasThread else {
            benches[index].hasThread = true
            return .start(handle, index)
        }
        return isNoticed ? .wait : .kick(handle)
    }

    /// Whether nobody waits for the word.
    func isFree(_ word: FutexWord) -> Bool { benches.allSatisfy { $0.lines[word] == nil } }

    private mutating func bench(for word: FutexWord) -> Int {
        if let known = benches.firstIndex(where: { $0.lines[word] != nil }) { return known }
        if let roomy = benches.firstIndex(where: { $0.lines.count < Self.wordLimit }) { return roomy }
        benches.append(Bench())
        return benches.count - 1
    }

    /// - Returns: The waiter whose wait is over by this, and the word if another sleeper is to be woken in its place.
    mutating func cancel(_ id: UInt64) -> (WaitLine.Waiter, FutexWord?)? {
        if announced[id] != nil {
            announced[id] = true
            return nil
        }
        guard let (index, word) = places.removeValue(forKey: id),
            let waiter = benches[index].lines[word]?.remove(id)
        else { return nil }
        guard benches[index].lines[word]?.isEmpty == true else { return (waiter, nil) }
        let line = benches[index].lines.removeValue(forKey: word)
        return (waiter, line?.round.hasSlept == true ? word : nil)
    }

    /// Takes all waiters of a thread that could not be started.
    mutating func abandon(_ index: Int) -> [WaitLine.Waiter] {
        let waiters = benches[index].lines.values.flatMap(\.everyone)
        for waiter in waiters { places[waiter.id] = nil }
        benches[index].lines = [:]
        benches[index].hasThread = false
        return waiters
    }

    /// Looks for all who wait with one thread, and adds the words that are still waited for to `sleep`.
    ///
    /// - Returns: What was found, or `nil` if nobody waits.
    mutating func look(_ index: Int, _ moment: WaitLine.Moment, _ sleep: inout FutexSleep) -> WaitLine.Found? {
        guard !benches[index].lines.isEmpty else { return nil }
        var found = WaitLine.Found()
        var empty: [FutexWord] = []
        var position = benches[index].lines.startIndex
        while position < benches[index].lines.endIndex {
            let word = benches[index].lines.keys[position]
            if let value = benches[index].lines.values[position].look(moment, &found) {
                sleep.append(word, while: value)
            } else {
                empty.append(word)
            }
            benches[index].lines.formIndex(after: &position)
        }
        for word in empty { benches[index].lines[word] = nil }
        for id in found.ids { places[id] = nil }
        return found
    }
}

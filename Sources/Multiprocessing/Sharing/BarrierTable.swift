import MultiprocessingSystem

/// The memory of a barrier.
///
/// A lock for those who arrive and reset, the word that says all, who has arrived, and the last rounds that were reset.
/// Whoever holds the lock changes the word once, so that a death leaves nothing to repair.
struct BarrierTable: Sendable {
    private enum Layout {
        static let word = 8
        static let parties = 12
        static let resetCount = 16
        static let resets = 64
        static let resetLimit: UInt32 = 256
        static let arrivals = resets + 4 * Int(resetLimit)
    }

    // Sendable: reached by atomic accesses alone.
    private nonisolated(unsafe) let address: UnsafeMutableRawPointer

    init(_ address: UnsafeMutableRawPointer) { self.address = address }

    static func size(parties: Int) -> Int { Layout.arrivals + 4 * parties }

    var lock: LockWord { LockWord(address) }
    var word: FutexWord { FutexWord(address + Layout.word) }
    var parties: FutexWord { FutexWord(address + Layout.parties) }
    var state: BarrierState { BarrierState(rawValue: word.load()) }

    private var resetCount: FutexWord { FutexWord(address + Layout.resetCount) }
    private func reset(_ index: UInt32) -> FutexWord {
        FutexWord(address + Layout.resets + 4 * Int(index % Layout.resetLimit))
    }
    private func arrival(_ index: Int) -> FutexWord { FutexWord(address + Layout.arrivals + 4 * index) }

    /// How the round of one who waits has ended.
    enum Ending: Sendable { case complete, broken }

    /// With the lock: the caller has arrived.
    ///
    /// - Returns: In which round, as which, and whether as the last; `nil` if the barrier is broken.
    func arrive(_ number: UInt32) -> (round: UInt32, index: Int, isLast: Bool)? {
        var state = state
        while !state.isBroken {
            arrival(state.arrived).store(number)
            let next = state.arriving(of: Int(parties.load()))
            let (isDone, original) = word.compareExchange(expected: state.rawValue, desired: next.rawValue)
            if isDone { return (state.round, state.arrived, next.round != state.round) }
            state = BarrierState(rawValue: original)
        }
        return nil
    }

    /// With the lock: begins another round; who waits for this one is told that it is broken.
    func reset() {
        var state = state
        reset(resetCount.load()).store(state.round)
        resetCount.add(1)
        while true {
            let (isDone, original) = word.compareExchange(expected: state.rawValue, desired: state.next.rawValue)
            if isDone { break }
            state = BarrierState(rawValue: original)
        }
        word.wakeAll()
    }

    /// Breaks the barrier, if it still is in a round or `nil` is passed; returns whether it is broken in it.
    func breakUp(in round: UInt32?) -> Bool {
        var state = state
        while round == nil || state.round == round {
            if state.isBroken { return true }
            let (isDone, original) = word.compareExchange(expected: state.rawValue, desired: state.broken.rawValue)
            if isDone {
                word.wakeAll()
                return true
            }
            state = BarrierState(rawValue: original)
        }
        return false
    }

    /// Looks for one who has arrived in a round.
    func look(_ round: UInt32, _ wait: WaitRound, _ page: LifePage) -> Look<Ending> {
        let state = state
        if state.round != round { return .done(wasReset(round) ? .broken : .complete) }
        if state.isBroken { return .done(.broken) }
        let isComplete = (0..<state.arrived).allSatisfy { index in
            let number = arrival(index).load()
            return wait.isUnprompted ? page.isAlive(number) : page.wasAlive(number, deaths: wait.deaths)
        }
        if !isComplete {
            _ = breakUp(in: round)
            return look(round, wait, page)
        }
        return .sleep(on: word, while: state.rawValue)
    }

    /// How a round ended for one who gave up.
    func endingAfterGivingUp(_ round: UInt32) -> Ending {
        if breakUp(in: round) { return .broken }
        return wasReset(round) ? .broken : .complete
    }

    private func wasReset(_ round: UInt32) -> Bool {
        let count = resetCount.load()
        return (0..<min(count, Layout.resetLimit)).contains { reset($0).load() == round }
    }
}

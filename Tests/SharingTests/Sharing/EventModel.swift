@testable import Multiprocessing

/// The word of an event with those who wait and one who sets and clears it, step by step.
///
/// What the word becomes is decided by the same functions that the event uses. Anybody may die before any step.
struct EventModel: StateModel, Hashable {
    enum Change: Hashable { case set, clear }

    private enum Phase: Hashable {
        case away
        /// Has read the word when it began to wait, and then the count of deaths.
        case looking(start: EventState, deaths: Int)
        case aboutToSleep(start: EventState, deaths: Int, on: EventState)
        case asleep(start: EventState)
        /// Its wait is over.
        case gone
        case dead
    }

    private enum SetterPhase: Hashable {
        case idle
        /// Has read the word.
        case changing(saw: EventState)
        /// Has set it, and has to wake all.
        case waking
        case dead
    }

    private var word = EventState(rawValue: 0)
    private var waiters: [Phase]
    /// Those who wait, and during whose wait it was set.
    private var owed: Set<Int> = []
    private var setter = SetterPhase.idle
    private var changes: [Change]
    private var deaths = 0
    private var deathsLeft: Int
    private var uncounted = 0

    init(waiters: Int, changes: [Change], deaths: Int) {
        self.waiters = Array(repeating: .away, count: waiters)
        self.changes = changes
        deathsLeft = deaths
    }

    var key: EventModel { self }

    var isSettled: Bool {
        let isSetterDone = setter == .dead || setter == .idle && changes.isEmpty
        return uncounted == 0 && isSetterDone
            && waiters.indices.allSatisfy { index in
                switch waiters[index] {
                case .gone, .dead: true
                case .asleep: !owed.contains(index)
                case .away, .looking, .aboutToSleep: false
                }
            }
    }

    func chances() -> [EventModel] {
        guard deathsLeft > 0 else { return [] }
        var dying = self
        dying.deathsLeft -= 1
        dying.uncounted += 1
        var results = waiters.indices.compactMap { index -> EventModel? in
            guard waiters[index] != .dead, waiters[index] != .gone else { return nil }
            var next = dying
            next.waiters[index] = .dead
            return next
        }
        if setter != .dead {
            var next = dying
            next.setter = .dead
            results.append(next)
        }
        return results
    }

    func steps() throws(Violation) -> [EventModel] {
        var results = waiters.indices.compactMap(step)
        var next = self
        switch setter {
        case .dead: break
        case .idle:
            if !changes.isEmpty {
                next.setter = .changing(saw: word)
                results.append(next)
            }
        case .changing(let saw):
            next.change(saw)
            results.append(next)
        case .waking:
            next.wakeAll()
            next.setter = .idle
            results.append(next)
        }
        if uncounted > 0 {
            var next = self
            next.uncounted -= 1
            next.deaths += 1
            next.wakeAll()
            results.append(next)
        }
        return results
    }

    private mutating func change(_ saw: EventState) {
        guard word == saw else { return setter = .changing(saw: word) }
        let change = changes.removeFirst()
        let changed = change == .set ? saw.set : saw.cleared
        if change == .set {
            for (index, phase) in waiters.enumerated() where phase != .away { owed.insert(index) }
        }
        // Nothing to change is nothing to tell.
        setter = change == .set && changed != saw ? .waking : .idle
        word = changed
    }

    private func step(of index: Int) -> EventModel? {
        var next = self
        switch waiters[index] {
        case .gone, .dead, .asleep:
            return nil
        case .away:
            next.waiters[index] = word.isSet ? .gone : .looking(start: word, deaths: deaths)
        case .looking(let start, let deaths):
            let isOver = word.ends(start)
            next.waiters[index] = isOver ? .gone : .aboutToSleep(start: start, deaths: deaths, on: word)
        case .aboutToSleep(let start, let deaths, let value):
            let sleeps = word == value && self.deaths == deaths
            next.waiters[index] = sleeps ? .asleep(start: start) : .looking(start: start, deaths: self.deaths)
        }
        return next
    }

    private mutating func wakeAll() {
        for (index, phase) in waiters.enumerated() {
            if case .asleep(let start) = phase { waiters[index] = .looking(start: start, deaths: deaths) }
        }
    }
}

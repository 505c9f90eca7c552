@testable import MultiprocessingSystem

/// A lock's word with everybody who uses it, step by step: each step is one atomic access, one sleep or one wake-up.
///
/// What the word becomes is decided by the same function that the lock uses. Anybody may die before any step.
struct LockModel: StateModel {
    enum Phase: Equatable {
        /// Nothing of the lock is in its hands.
        case away
        /// Looks: has read the count of deaths.
        case looking(deaths: Int)
        /// Has read the word too.
        case deciding(deaths: Int, saw: LockState)
        /// The word is what it sleeps on, unless it or the count changes before.
        case aboutToSleep(deaths: Int, on: LockState)
        /// Until it is woken, or for a moment if the word was free and kept for another.
        case asleep(isBrief: Bool)
        /// Has the lock.
        case holding(wasTold: Bool)
        /// Has left the lock, and has to wake somebody.
        case waking
        case dead
    }

    struct Actor {
        var phase = Phase.away
        var rounds: Int
        var hasSlept = false
    }

    /// All of the state in few bits; different for different states of up to three actors.
    ///
    /// Millions of states are compared, in builds without optimization too.
    var key: UInt64 {
        var key = UInt64(bits(of: word))
        for (value, limit) in [(deaths, 4), (deathsLeft, 4), (uncounted, 4), (isTorn ? 1 : 0, 2)] {
            key = key * UInt64(limit) + UInt64(value)
        }
        for actor in actors {
            let (kind, seen, saw) = bits(of: actor.phase)
            key = key << 15 | UInt64(kind << 12 | seen << 10 | saw << 4 | actor.rounds << 1 | (actor.hasSlept ? 1 : 0))
        }
        return key
    }

    private func bits(of state: LockState) -> Int {
        Int(state.owner) << 3 | (state.hasWaiters ? 4 : 0) | (state.isFair ? 2 : 0) | (state.isDirty ? 1 : 0)
    }

    private func bits(of phase: Phase) -> (kind: Int, deaths: Int, word: Int) {
        switch phase {
        case .away: (0, 0, 0)
        case .looking(let deaths): (1, deaths, 0)
        case .deciding(let deaths, let saw): (2, deaths, bits(of: saw))
        case .aboutToSleep(let deaths, let word): (3, deaths, bits(of: word))
        case .asleep(let isBrief): (4, isBrief ? 1 : 0, 0)
        case .holding(let wasTold): (5, wasTold ? 1 : 0, 0)
        case .waking: (6, 0, 0)
        case .dead: (7, 0, 0)
        }
    }

    private(set) var word = LockState.free
    private(set) var deaths = 0
    private(set) var actors: [Actor]
    private var deathsLeft: Int
    /// Deaths that nobody has counted yet.
    private var uncounted = 0
    /// Somebody died with the lock, and nobody has recovered.
    private var isTorn = false

    init(actors: Int, rounds: Int, deaths: Int) {
        self.actors = Array(repeating: Actor(rounds: rounds), count: actors)
        deathsLeft = deaths
    }

    /// Nobody has the lock who lives, and nobody wants it.
    var isSettled: Bool {
        uncounted == 0 && actors.allSatisfy { $0.phase == .dead || ($0.phase == .away && $0.rounds == 0) }
    }

    private func isAsleep(_ index: Int) -> Bool {
        if case .asleep = actors[index].phase { true } else { false }
    }

    private func number(_ index: Int) -> UInt32 { UInt32(index + 1) }

    private func isDead(_ number: UInt32) -> Bool {
        number != 0 && actors[Int(number) - 1].phase == .dead
    }

    func chances() -> [LockModel] { actors.indices.compactMap(death) + endsOfWaiting() }

    /// Everyone whose time can be up next.
    private func endsOfWaiting() -> [LockModel] {
        actors.indices.flatMap { index -> [LockModel] in
            guard case .aboutToSleep = actors[index].phase else { return [] }
            var next = self
            next.giveUp(index)
            return actors[index].hasSlept ? next.wakingOne() : [next]
        }
    }

    func steps() throws(Violation) -> [LockModel] {
        var result: [LockModel] = []
        for index in actors.indices { result += try steps(of: index) }
        if uncounted > 0 {
            var next = self
            next.uncounted -= 1
            next.deaths += 1
            for index in actors.indices where isAsleep(index) { next.wakeUp(index) }
            result.append(next)
        }
        return result
    }

    private func death(of index: Int) -> LockModel? {
        guard deathsLeft > 0, actors[index].phase != .dead else { return nil }
        var next = self
        if case .holding = actors[index].phase { next.isTorn = true }
        next.actors[index] = Actor(phase: .dead, rounds: 0)
        next.deathsLeft -= 1
        next.uncounted += 1
        return next
    }

    private func steps(of index: Int) throws(Violation) -> [LockModel] {
        let actor = actors[index]
        var next = self
        switch actor.phase {
        case .dead, .asleep(isBrief: false):
            return []
        case .asleep(isBrief: true):
            next.wakeUp(index)
            return [next]
        case .away:
            guard actor.rounds > 0 else { return [] }
            if word == .free {
                try next.take(index, .free, LockState(rawValue: number(index)), .none)
            } else {
                next.actors[index].phase = .looking(deaths: deaths)
            }
            return [next]
        case .looking(let deaths):
            next.actors[index].phase = .deciding(deaths: deaths, saw: word)
            return [next]
        case .deciding(let deaths, let saw):
            return try [false, true].map { (isLate) throws(Violation) in try deciding(index, deaths, saw, isLate) }
        case .aboutToSleep(let deaths, let value):
            // The kernel compares and sleeps in one.
            if word == value, self.deaths == deaths {
                next.actors[index].phase = .asleep(isBrief: value.owner == 0)
            } else {
                next.wakeUp(index)
            }
            return [next]
        case .holding(let wasTold):
            return leaving(index, wasTold)
        case .waking:
            next.actors[index].phase = .away
            return next.wakingOne()
        }
    }

    private func deciding(
        _ index: Int, _ deaths: Int, _ saw: LockState, _ isLate: Bool
    ) throws(Violation) -> LockModel {
        var next = self
        let move = saw.entering(
            as: number(index), isOwnerDead: isDead(saw.owner), hasSlept: actors[index].hasSlept, isLate: isLate)
        // The exchange fails: it looks at what is there now.
        guard word == saw else {
            next.actors[index].phase = .deciding(deaths: deaths, saw: word)
            return next
        }
        switch move {
        case .take(let taken, let inheritance): try next.take(index, saw, taken, inheritance)
        case .sleep(let marked):
            next.word = marked
            next.actors[index].phase = .aboutToSleep(deaths: deaths, on: marked)
        }
        return next
    }

    private mutating func take(
        _ index: Int, _ from: LockState, _ to: LockState, _ inheritance: LockState.Inheritance
    ) throws(Violation) {
        for (other, actor) in actors.enumerated() where other != index {
            if case .holding = actor.phase { throw Violation(what: "two have it: \(self)") }
        }
        let isTold = inheritance != .none
        if isTold != isTorn { throw Violation(what: "told: \(isTold), torn: \(isTorn), by \(from)") }
        if (inheritance == .ofOwner) != (from.owner != 0) { throw Violation(what: "whom it inherits from, by \(from)") }
        if to.isDirty != isTold { throw Violation(what: "it is forgotten that somebody died: \(to)") }
        word = to
        actors[index] = Actor(phase: .holding(wasTold: isTold), rounds: actors[index].rounds - 1)
    }

    private func leaving(_ index: Int, _ wasTold: Bool) -> [LockModel] {
        var results: [LockModel] = []
        if wasTold, let clean = word.recovered(by: number(index)) {
            var next = self
            next.word = clean
            next.isTorn = false
            next.actors[index].phase = .holding(wasTold: false)
            results.append(next)
        }
        if let (left, wakes) = word.leaving(as: number(index)) {
            var next = self
            next.word = left
            next.actors[index].phase = wakes ? .waking : .away
            results.append(next)
        }
        return results
    }

    private mutating func wakeUp(_ index: Int) {
        actors[index].phase = .looking(deaths: deaths)
        actors[index].hasSlept = true
    }

    private mutating func giveUp(_ index: Int) {
        actors[index] = Actor(phase: .away, rounds: actors[index].rounds - 1)
    }

    /// Any sleeper may be the one that is woken.
    private func wakingOne() -> [LockModel] {
        let sleepers = actors.indices.filter(isAsleep)
        guard !sleepers.isEmpty else { return [self] }
        return sleepers.map { index in
            var next = self
            next.wakeUp(index)
            return next
        }
    }
}

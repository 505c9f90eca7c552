@testable import Multiprocessing

/// The word of an unbounded semaphore with everybody who acquires and releases, step by step.
///
/// What the word becomes is decided by the same functions that the semaphore uses. Anybody may die before any step; what
/// the dead have stays with them, which is what an unbounded semaphore promises.
struct PermitModel: StateModel, Hashable {
    private enum Phase: Hashable {
        /// Has no permit and waits for none.
        case away
        /// Is about to read the word; has read the count of deaths.
        case looking(deaths: Int)
        /// Has read it, and is about to change it: to take a permit, or to say that it is about to sleep.
        case deciding(deaths: Int, saw: PermitCount)
        case aboutToSleep(deaths: Int, on: PermitCount)
        case asleep
        /// Has taken a permit and left others, of which another sleeper may not know.
        case wakingOthers
        case holding
        /// Has read the word to put its permit back.
        case releasing(saw: PermitCount)
        /// Has put it back, and has to wake somebody.
        case waking
        case dead
    }

    private struct Actor: Hashable {
        var phase = Phase.away
        var rounds: Int
        var hasSlept = false
    }

    private var word: PermitCount
    private let permits: Int
    private var actors: [Actor]
    private var deaths = 0
    private var deathsLeft: Int
    /// Deaths that nobody has counted yet.
    private var uncounted = 0
    /// Permits that the dead have.
    private var lost = 0

    init(permits: Int, actors: Int, rounds: Int, deaths: Int) {
        word = PermitCount(rawValue: UInt32(permits))
        self.permits = permits
        self.actors = Array(repeating: Actor(rounds: rounds), count: actors)
        deathsLeft = deaths
    }

    var key: PermitModel { self }

    /// Whoever sleeps does so because there is no permit, and nobody who lives can bring one.
    var isSettled: Bool {
        guard uncounted == 0 else { return false }
        let isAnyoneAsleep = actors.contains { $0.phase == .asleep }
        let isRest = actors.allSatisfy { actor in
            actor.phase == .dead || actor.phase == .asleep || (actor.phase == .away && actor.rounds == 0)
        }
        return isRest && (!isAnyoneAsleep || word.count == 0)
    }

    func chances() -> [PermitModel] {
        actors.indices.flatMap { index -> [PermitModel] in
            guard actors[index].phase != .dead else { return [] }
            var results: [PermitModel] = []
            if deathsLeft > 0 {
                var next = self
                if hasPermit(index) { next.lost += 1 }
                next.actors[index] = Actor(phase: .dead, rounds: 0)
                next.deathsLeft -= 1
                next.uncounted += 1
                results.append(next)
            }
            if case .aboutToSleep = actors[index].phase {
                var next = self
                next.actors[index] = Actor(phase: .away, rounds: actors[index].rounds - 1)
                // It may be the one that was woken.
                results += actors[index].hasSlept ? next.wakingOne() : [next]
            }
            return results
        }
    }

    private func hasPermit(_ index: Int) -> Bool {
        switch actors[index].phase {
        case .holding, .wakingOthers, .releasing: true
        case .away, .looking, .deciding, .aboutToSleep, .asleep, .waking, .dead: false
        }
    }

    func steps() throws(Violation) -> [PermitModel] {
        let held = actors.indices.count(where: hasPermit)
        if word.count + held + lost != permits { throw Violation(what: "permits came or went: \(self)") }
        var results = actors.indices.flatMap(steps)
        if uncounted > 0 {
            var next = self
            next.uncounted -= 1
            next.deaths += 1
            for index in actors.indices where actors[index].phase == .asleep { next.wakeUp(index) }
            results.append(next)
        }
        return results
    }

    private func steps(of index: Int) -> [PermitModel] {
        var next = self
        switch actors[index].phase {
        case .dead, .asleep:
            return []
        case .away:
            guard actors[index].rounds > 0 else { return [] }
            next.actors[index].phase = .looking(deaths: deaths)
        case .looking(let deaths):
            next.actors[index].phase = .deciding(deaths: deaths, saw: word)
        case .deciding(let deaths, let saw):
            next.decide(index, deaths, saw)
        case .aboutToSleep(let deaths, let value):
            // The kernel compares and sleeps in one.
            if word == value, self.deaths == deaths { next.actors[index].phase = .asleep } else { next.wakeUp(index) }
        case .wakingOthers:
            next.actors[index].phase = .holding
            return next.wakingOne()
        case .holding:
            next.actors[index].phase = .releasing(saw: word)
        case .releasing(let saw):
            if word == saw, let added = saw.adding {
                next.word = added
                next.actors[index].phase = saw.hasWaiters ? .waking : .away
            } else {
                next.actors[index].phase = .releasing(saw: word)
            }
        case .waking:
            next.actors[index].phase = .away
            return next.wakingOne()
        }
        return [next]
    }

    private mutating func decide(_ index: Int, _ deaths: Int, _ saw: PermitCount) {
        let hasSlept = actors[index].hasSlept
        // The exchange fails: it looks at what is there now.
        guard word == saw else { return actors[index].phase = .deciding(deaths: deaths, saw: word) }
        if let taken = saw.taking(hasSlept: hasSlept) {
            word = taken
            let phase = hasSlept && taken.count > 0 ? Phase.wakingOthers : .holding
            actors[index] = Actor(phase: phase, rounds: actors[index].rounds - 1)
        } else {
            word = saw.waiting
            actors[index].phase = .aboutToSleep(deaths: deaths, on: saw.waiting)
        }
    }

    private mutating func wakeUp(_ index: Int) {
        actors[index].phase = .looking(deaths: deaths)
        actors[index].hasSlept = true
    }

    /// Any sleeper may be the one that is woken.
    private func wakingOne() -> [PermitModel] {
        let sleepers = actors.indices.filter { actors[$0].phase == .asleep }
        guard !sleepers.isEmpty else { return [self] }
        return sleepers.map { index in
            var next = self
            next.wakeUp(index)
            return next
        }
    }
}

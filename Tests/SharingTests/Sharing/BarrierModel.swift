@testable import Multiprocessing

/// The word of a barrier with all its parties, step by step.
///
/// What the word becomes is decided by the same functions that the barrier uses. Anybody may die before any step. Whoever
/// arrives does so under the barrier's lock, so that this is one step but for its exchange, with which others compete.
struct BarrierModel: StateModel, Hashable {
    private enum Phase: Hashable {
        case away
        /// Has the lock, has put its name where the word says that the next one arrives, and is about to say so.
        case arriving(saw: BarrierState)
        /// Has said that it is the last, and has to wake the others.
        case waking(round: UInt32)
        case looking(round: UInt32, deaths: Int)
        /// Has seen that one who arrived is dead, or has given up, and is about to break the barrier.
        case breaking(round: UInt32, saw: BarrierState)
        /// Has broken it, and has to wake the others.
        case wakingBroken(round: UInt32)
        case aboutToSleep(round: UInt32, deaths: Int, on: BarrierState)
        case asleep(round: UInt32, on: BarrierState)
        case dead
    }

    private struct Actor: Hashable {
        var phase = Phase.away
        var rounds: Int
    }

    private enum Ending: Hashable { case complete, broken }

    private var word = BarrierState(rawValue: 0)
    /// Who has arrived, in order.
    private var arrivals: [Int]
    private var actors: [Actor]
    /// How rounds have ended for those to whom they have.
    private var endings: [Ending?]
    private var isLocked = false
    private var deaths = 0
    private var deathsLeft: Int
    private var uncounted = 0

    init(parties: Int, rounds: Int, deaths: Int) {
        actors = Array(repeating: Actor(rounds: rounds), count: parties)
        arrivals = Array(repeating: -1, count: parties)
        endings = Array(repeating: nil, count: rounds + 1)
        deathsLeft = deaths
    }

    var key: BarrierModel { self }

    /// Whoever sleeps waits for one who will not come, and has not come.
    var isSettled: Bool {
        uncounted == 0
            && actors.allSatisfy { actor in
                switch actor.phase {
                case .dead: true
                case .away: actor.rounds == 0
                case .asleep(let round, _): !word.isBroken && word.round == round && !isAnyoneDead(among: word.arrived)
                default: false
                }
            }
    }

    private func isAnyoneDead(among count: Int) -> Bool {
        arrivals.prefix(count).contains { actors[$0].phase == .dead }
    }

    func chances() -> [BarrierModel] {
        actors.indices.flatMap { index -> [BarrierModel] in
            guard actors[index].phase != .dead else { return [] }
            var results: [BarrierModel] = []
            if deathsLeft > 0 {
                var next = self
                // Whoever waits for the lock gets it then.
                if case .arriving = actors[index].phase { next.isLocked = false }
                next.actors[index] = Actor(phase: .dead, rounds: 0)
                next.deathsLeft -= 1
                next.uncounted += 1
                results.append(next)
            }
            if case .aboutToSleep(let round, _, _) = actors[index].phase {
                var next = self
                next.actors[index].phase = .breaking(round: round, saw: word)
                results.append(next)
            }
            return results
        }
    }

    func steps() throws(Violation) -> [BarrierModel] {
        var results: [BarrierModel] = []
        for index in actors.indices {
            if let next = try step(of: index) { results.append(next) }
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

    private func step(of index: Int) throws(Violation) -> BarrierModel? {
        var next = self
        switch actors[index].phase {
        case .dead, .asleep:
            return nil
        case .away:
            guard actors[index].rounds > 0, !isLocked else { return nil }
            next.actors[index].rounds -= 1
            // It throws, and leaves it as it is.
            if word.isBroken { return next }
            next.isLocked = true
            next.arrivals[word.arrived] = index
            next.actors[index].phase = .arriving(saw: word)
        case .arriving(let saw):
            try next.arrive(index, saw)
        case .waking(let round):
            next.wakeAll()
            try next.end(index, round, .complete)
        case .looking(let round, let deaths):
            try next.look(index, round, deaths)
        case .breaking(let round, let saw):
            try next.breakUp(index, round, saw)
        case .wakingBroken(let round):
            next.wakeAll()
            try next.end(index, round, .broken)
        case .aboutToSleep(let round, let deaths, let value):
            let sleeps = word == value && self.deaths == deaths
            next.actors[index].phase =
                sleeps ? .asleep(round: round, on: value) : .looking(round: round, deaths: self.deaths)
        }
        return next
    }

    private mutating func arrive(_ index: Int, _ saw: BarrierState) throws(Violation) {
        guard word == saw else {
            if word.isBroken {
                isLocked = false
                return actors[index].phase = .away
            }
            arrivals[word.arrived] = index
            return actors[index].phase = .arriving(saw: word)
        }
        let next = saw.arriving(of: actors.count)
        word = next
        isLocked = false
        actors[index].phase =
            next.round == saw.round ? .looking(round: saw.round, deaths: deaths) : .waking(round: saw.round)
    }

    private mutating func look(_ index: Int, _ round: UInt32, _ deaths: Int) throws(Violation) {
        if word.round != round { return try end(index, round, .complete) }
        if word.isBroken { return try end(index, round, .broken) }
        if isAnyoneDead(among: word.arrived) { return actors[index].phase = .breaking(round: round, saw: word) }
        actors[index].phase = .aboutToSleep(round: round, deaths: deaths, on: word)
    }

    private mutating func breakUp(_ index: Int, _ round: UInt32, _ saw: BarrierState) throws(Violation) {
        if saw.round != round { return try end(index, round, .complete) }
        if saw.isBroken { return try end(index, round, .broken) }
        guard word == saw else { return actors[index].phase = .breaking(round: round, saw: word) }
        word = saw.broken
        actors[index].phase = .wakingBroken(round: round)
    }

    /// All for whom a round ends are told the same.
    private mutating func end(_ index: Int, _ round: UInt32, _ ending: Ending) throws(Violation) {
        if let told = endings[Int(round)], told != ending { throw Violation(what: "\(told) and \(ending): \(self)") }
        endings[Int(round)] = ending
        actors[index].phase = .away
    }

    private mutating func wakeAll() {
        for (index, actor) in actors.enumerated() {
            if case .asleep(let round, _) = actor.phase { actors[index].phase = .looking(round: round, deaths: deaths) }
        }
    }
}

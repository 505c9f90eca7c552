import Testing

@testable import MultiprocessingSystem

@Suite("Every order of events at a lock's word")
struct LockModelTests {
    @Test(
        "One has it, the next is told of a death, and nobody sleeps for ever",
        arguments: [(2, 2, 2), (2, 3, 1), (3, 1, 2), (3, 1, 3)])
    func explore(actors: Int, rounds: Int, deaths: Int) throws {
        let states = try Self.reach(from: LockModel(actors: actors, rounds: rounds, deaths: deaths))
        #expect(states > 500)
    }

    /// Visits all that can be reached; returns how much that is.
    private static func reach(from start: LockModel) throws -> Int {
        var seen: Set = [start]
        var open = [start]
        while let state = open.popLast() {
            let steps = try state.steps()
            if steps.isEmpty, state.isAnyoneAsleep { throw LockModel.Violation(what: "asleep for ever: \(state)") }
            for state in steps + state.deathsToCome() where seen.insert(state).inserted { open.append(state) }
        }
        return seen.count
    }

    @Test("Only the owner leaves and recovers")
    func strangers() {
        for raw: UInt32 in [0, 2, 2 | LockState.waiters, LockState.dirty, 3 | LockState.fair | LockState.waiters] {
            let state = LockState(rawValue: raw)
            #expect(state.leaving(as: 1) == nil)
            #expect(state.recovered(by: 1) == nil)
        }
    }
}

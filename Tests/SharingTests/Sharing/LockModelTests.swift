import TestSupport
import Testing

@testable import MultiprocessingSystem

@Suite("Every order of events at a lock's word", .admitted)
struct LockModelTests {
    @Test(
        "One has it, the next is told of a death, and nobody sleeps for ever",
        arguments: [(2, 2, 2), (2, 3, 1), (3, 1, 2), (3, 1, 3)])
    func explore(actors: Int, rounds: Int, deaths: Int) async throws {
        let states = try await onBlockableThread {
            try Self.reach(from: LockModel(actors: actors, rounds: rounds, deaths: deaths))
        }
        #expect(states > 500)
    }

    /// Visits all that can be reached; returns how much that is.
    ///
    /// From everywhere there has to be a way, though nobody dies or gives up any more, to where nobody has or wants the lock.
    private static func reach(from start: LockModel) throws -> Int {
        var numbers = [start.key: 0]
        var states = [start]
        var cameFrom: [[Int]] = [[]]
        var next = 0
        while next < states.count {
            let steps = try states[next].steps()
            if steps.isEmpty, states[next].isAnyoneAsleep {
                throw LockModel.Violation(what: "asleep for ever: \(states[next])")
            }
            let others = states[next].deathsToCome() + states[next].endsOfWaiting()
            for (index, state) in (steps + others).enumerated() {
                let number = numbers[state.key, default: states.count]
                if number == states.count {
                    numbers[state.key] = number
                    states.append(state)
                    cameFrom.append([])
                }
                if index < steps.count { cameFrom[number].append(next) }
            }
            next += 1
        }
        var settles = states.map(\.isSettled)
        var open = settles.indices.filter { settles[$0] }
        while let number = open.popLast() {
            for earlier in cameFrom[number] where !settles[earlier] {
                settles[earlier] = true
                open.append(earlier)
            }
        }
        if let stuck = settles.firstIndex(of: false) {
            throw LockModel.Violation(what: "no way out of: \(states[stuck])")
        }
        return states.count
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

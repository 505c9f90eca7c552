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
            try LockModel(actors: actors, rounds: rounds, deaths: deaths).explore()
        }
        #expect(states > 500)
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

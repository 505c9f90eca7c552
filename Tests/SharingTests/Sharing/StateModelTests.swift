import TestSupport
import Testing

@Suite("Every order of events at the words of semaphores, events and barriers", .admitted)
struct StateModelTests {
    @Test(
        "Permits do not come or go, and nobody sleeps beside one",
        arguments: [(1, 2, 2, 2), (1, 3, 1, 1), (2, 3, 1, 1), (1, 3, 1, 2)])
    func semaphore(permits: Int, actors: Int, rounds: Int, deaths: Int) async throws {
        let states = try await onBlockableThread {
            try PermitModel(permits: permits, actors: actors, rounds: rounds, deaths: deaths).explore()
        }
        #expect(states > 500)
    }

    @Test(
        "Whoever waits for an event goes on when it was set since, though it was cleared at once",
        arguments: [(1, 2), (2, 2), (3, 1)])
    func event(waiters: Int, deaths: Int) async throws {
        for changes: [EventModel.Change] in [[.set], [.set, .clear], [.clear, .set, .clear, .set, .clear]] {
            let states = try await onBlockableThread {
                try EventModel(waiters: waiters, changes: changes, deaths: deaths).explore()
            }
            #expect(states > 50)
        }
    }

    @Test(
        "All parties are told the same of a round, and nobody waits for the dead",
        arguments: [(2, 2, 2), (3, 1, 2), (3, 2, 1)])
    func barrier(parties: Int, rounds: Int, deaths: Int) async throws {
        let states = try await onBlockableThread {
            try BarrierModel(parties: parties, rounds: rounds, deaths: deaths).explore()
        }
        #expect(states > 500)
    }
}

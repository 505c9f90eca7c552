import Distributed
import Glibc
import Multiprocessing
import Testing

struct CallTests {
    @Test("A counter in a manager counts what workers add", arguments: TestBackend.allCases, TestBackend.allCases)
    func workersCount(_ home: TestBackend, _ workers: TestBackend) async throws {
        try await workers.withPool { pool in
            let manager = try await Manager(home.backend)
            let counter = try await manager.host { Tally(actorSystem: $0) }
            try await pool.forEach(1...100) { _ = try await counter.add($0) }
            let sum = try await counter.add(0)
            #expect(sum == 5_050)
            await manager.shutDown()
        }
    }
}

distributed actor Tally {
    typealias ActorSystem = WorkerActorSystem
    private var sum = 0
    distributed func add(_ number: Int) -> Int {
        sum += number
        return sum
    }
}

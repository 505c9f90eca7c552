import Distributed
import Multiprocessing
import TestSupport
import Testing

/// What actors of several types do.
@Resolvable
protocol Greeting: DistributedActor where ActorSystem == WorkerActorSystem {
    distributed func greet(_ name: String) -> String
}

distributed actor Greeter: Greeting {
    typealias ActorSystem = WorkerActorSystem
    distributed func greet(_ name: String) -> String { "hello \(name)" }
}

private func greet<Act: Greeting>(_ actor: Act, _ name: String) async throws -> String { try await actor.greet(name) }

@Suite("Actors by their protocols", .admitted)
struct ProtocolTests {
    @Test("A method of a protocol is called through a generic function and through any, in a worker too")
    func conforming() async throws {
        try await withLimit {
            let manager = try await Manager(.processes)
            let greeter = try await manager.host { Greeter(actorSystem: $0) }
            try await expect("hello Ada") { try await greet(greeter, "Ada") }
            let any: any Greeting = greeter
            try await expect("hello Eve") { try await any.greet("Eve") }
            try await TestBackend.processes.withPool { pool in
                try await expect(["hello 1", "hello 2"]) {
                    try await pool.map([1, 2]) { try await greet(greeter, "\($0)") }
                }
            }
            await manager.shutDown()
        }
    }

    @Test("A reference of which only the protocol is known is refused, and nothing is called")
    func resolved() async throws {
        try await withLimit {
            let manager = try await Manager(.processes)
            let greeter = try await manager.host { Greeter(actorSystem: $0) }
            let some = try $Greeting.resolve(id: greeter.id, using: .shared)
            let error = await #expect(throws: ActorCallError.self) { _ = try await some.greet("Ada") }
            #expect(error?.code == .refused)
            #expect(error?.isInDoubt == false)
            try await expect("hello Ada") { try await greeter.greet("Ada") }
            await manager.shutDown()
        }
    }
}

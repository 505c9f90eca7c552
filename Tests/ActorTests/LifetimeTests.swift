import Distributed
import Glibc
import Synchronization
import TestSupport
import Testing

@testable import Multiprocessing

/// Says when it goes.
private distributed actor Mortal {
    typealias ActorSystem = WorkerActorSystem
    private let ticket: Rendezvous.Ticket

    init(_ ticket: Rendezvous.Ticket, actorSystem: WorkerActorSystem) {
        self.ticket = ticket
        self.actorSystem = actorSystem
        // In the process that hosts it, nobody else's actors being there.
        actorSystem.hosted.grace.store(4_000_000_000, ordering: .relaxed)
    }

    deinit { ticket.arrive(9) }

    distributed func answer() -> Int { 42 }
}

@Suite("Lifetimes of actors", .admitted)
struct ActorLifetimeTests {
    @Test("An actor goes when nobody has a reference, and not before")
    func lastReference() async throws {
        let rendezvous = try Rendezvous()
        let ticket = rendezvous.ticket
        try await withLimit {
            let manager = try await Manager(.processes)
            var first: Mortal? = try await manager.host { Mortal(ticket, actorSystem: $0) }
            let table = try await manager.dictionary(of: Int.self, Mortal.self)
            try await table.set(1, try #require(first))
            first = nil
            // Longer than references may be on their way.
            try await Task.sleep(for: .seconds(5))
            let found = try #require(try await table.get(1))
            try await expect(42) { try await found.answer() }
            try await table.removeAll()
            try await Task.sleep(for: .seconds(5))
            try await expect(42) { try await found.answer() }
            #expect(rendezvous.arrivals == [])
            withExtendedLifetime(found) {}
            await manager.shutDown()
        }
    }

    @Test("The last reference of a process goes with the process, and the actor with it")
    func holderDies() async throws {
        let rendezvous = try Rendezvous()
        let ticket = rendezvous.ticket
        try await withLimit {
            let manager = try await Manager(.processes)
            // Keeps the process.
            let other = try await manager.host { Tally(actorSystem: $0) }
            var mortal: Mortal? = try await manager.host { Mortal(ticket, actorSystem: $0) }
            let child = try ChildProcess(.processes, (try #require(mortal), ticket)) { mortal, ticket in
                guard try await mortal.answer() == 42 else { return }
                ticket.arrive(1)
                try await Task.sleep(for: .seconds(3_000))
                _ = try await mortal.answer()
            }
            await rendezvous.expectArrivals(1)
            mortal = nil
            // Longer than references may be on their way.
            try await Task.sleep(for: .seconds(5))
            #expect(rendezvous.arrivals == [1])
            child.kill()
            await rendezvous.expectArrivals(2)
            #expect(rendezvous.arrivals == [1, 9])
            try await expect(1) { try await other.add(1) }
            await manager.shutDown()
        }
    }

    @Test("A call to an actor that has gone says so, and is not begun")
    func gone() async throws {
        let rendezvous = try Rendezvous()
        let ticket = rendezvous.ticket
        try await withLimit {
            let manager = try await Manager(.threads)
            let child = try await TestBackend.processes.withPool(workers: 1) { pool in
                let tally = try await manager.host { Tally(actorSystem: $0) }
                let child =
                    try ChildProcess(.processes, (tally, ticket)) { tally, ticket in
                        _ = try await tally.add(1)
                        ticket.arrive(1)
                        ticket.wait()
                        do {
                            _ = try await tally.add(1)
                            return nil
                        } catch let error as ActorCallError {
                            return error
                        }
                    } as ChildProcess<ActorCallError?>
                await rendezvous.expectArrivals(1)
                return child
            }
            await manager.shutDown()
            rendezvous.letThrough()
            let error = try #require(try await child.value)
            #expect(error.code == .noSuchActor)
            #expect(!error.isInDoubt)
        }
    }
}

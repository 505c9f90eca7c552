import Distributed
import Glibc
import Multiprocessing
import TestSupport
import Testing

@Suite("Managers", .admitted)
struct ManagerTests {
    @Test("A manager is a process of its own, or this one")
    func processes() async throws {
        try await withLimit {
            let manager = try await Manager(.processes)
            let servant = try await manager.host { Servant(actorSystem: $0) }
            let host = try await servant.processID()
            #expect(host != getpid())
            #expect(manager.processID == host)
            await manager.shutDown()
            #expect(!ProcessFacts.isRunning(host))
            let here = try await Manager(.threads)
            let local = try await here.host { Servant(actorSystem: $0) }
            try await expect(getpid()) { try await local.processID() }
            await here.shutDown()
        }
    }

    @Test("What makes an actor may suspend, throw and capture", arguments: TestBackend.allCases)
    func making(_ home: TestBackend) async throws {
        try await withLimit {
            let manager = try await Manager(home.backend)
            let start = 40
            let tally = try await manager.host { system in
                let tally = Tally(actorSystem: system)
                _ = try await tally.add(start)
                return tally
            }
            try await expect(40) { try await tally.current() }
            await #expect(throws: Trouble.big(start)) {
                _ = try await manager.host { system -> Tally in
                    if start > 0 { throw Trouble.big(start) }
                    return Tally(actorSystem: system)
                }
            }
            await manager.shutDown()
        }
    }

    @Test("After its end a manager hosts nothing, and calls fail before they begin")
    func end() async throws {
        try await withLimit {
            let manager = try await Manager(.processes)
            let tally = try await manager.host { Tally(actorSystem: $0) }
            _ = try await tally.add(1)
            await manager.shutDown()
            let error = await #expect(throws: ActorCallError.self) { _ = try await tally.add(1) }
            #expect(error?.code == .hostGone)
            #expect(error?.isInDoubt == false)
            let refusal = await #expect(throws: PoolError.self) {
                _ = try await manager.host { Tally(actorSystem: $0) }
            }
            #expect(refusal?.code == .shutDown)
            await manager.shutDown()
        }
    }

    @Test("After the end of a manager on threads other processes cannot call, and nothing new is hosted")
    func endOnThreads() async throws {
        try await TestBackend.processes.withPool { pool in
            let manager = try await Manager(.threads)
            let tally = try await manager.host { Tally(actorSystem: $0) }
            try await expect(1) { try await pool.run(tally) { try await $0.add(1) } }
            await manager.shutDown()
            let refusal = await #expect(throws: PoolError.self) {
                _ = try await manager.host { Tally(actorSystem: $0) }
            }
            #expect(refusal?.code == .shutDown)
        }
    }

    @Test("When the host is killed calls fail in doubt, later ones before they begin, in every process")
    func killed() async throws {
        try await TestBackend.processes.withPool { pool in
            let manager = try await Manager(.processes)
            let servant = try await manager.host { Servant(actorSystem: $0) }
            let host = try await servant.processID()
            let calls = (0..<50).map { _ in Task { try await servant.wait() } }
            let inWorker = Task {
                try await pool.run(servant) { servant in
                    do { try await servant.wait() } catch let error as ActorCallError { return error }
                    throw Trouble.big(1)
                }
            }
            try await expectSoonAsync { try await servant.waitingCount() == 51 }
            kill(host, SIGKILL)
            for call in calls {
                let error = await #expect(throws: ActorCallError.self) { try await call.value }
                #expect(error?.code == .hostGone)
                #expect(error?.isInDoubt == true)
            }
            try await expect(true) { try await inWorker.value.isInDoubt }
            let error = await #expect(throws: ActorCallError.self) { try await servant.wait() }
            #expect(error?.code == .hostGone)
            #expect(error?.isInDoubt == false)
            await manager.shutDown()
        }
    }

    @Test("A crash in an actor ends the actors of its manager and nothing else")
    func crash() async throws {
        try await withLimit {
            let manager = try await Manager(.processes(output: .discard))
            let other = try await Manager(.processes)
            let servant = try await manager.host { Servant(actorSystem: $0) }
            let tally = try await other.host { Tally(actorSystem: $0) }
            let error = await #expect(throws: ActorCallError.self) { _ = try await servant.crash() }
            #expect(error?.code == .hostGone)
            try await expect(1) { try await tally.add(1) }
            await manager.shutDown()
            await other.shutDown()
        }
    }

    @Test("When a caller is killed the tasks of its calls are cancelled")
    func callerKilled() async throws {
        try await withLimit {
            let manager = try await Manager(.processes)
            let servant = try await manager.host { Servant(actorSystem: $0) }
            let rendezvous = try Rendezvous()
            let ticket = rendezvous.ticket
            let child = try ChildProcess(.processes, servant) { servant in
                let task = Task.immediate { try await servant.waitUntilCancelled() }
                _ = try await servant.echo(1)
                ticket.arrive()
                try await task.value
            }
            await rendezvous.expectArrivals(1)
            child.kill()
            try await expectSoonAsync { try await servant.cancelledCount() == 1 }
            await manager.shutDown()
        }
    }

    @Test("A manager's process stays for references to its actors, and goes with the last")
    func references() async throws {
        try await withLimit {
            func make() async throws -> Servant { try await Manager(.processes).host { Servant(actorSystem: $0) } }
            var servant: Servant? = try await make()
            let found = try await servant?.processID()
            let host = try #require(found)
            let answer = try await servant?.echo(2)
            #expect(answer == 2)
            servant = nil
            await expectSoon { !ProcessFacts.isRunning(host) }
        }
    }
}

@Suite("Managers that start again", .admitted)
struct RestartTests {
    @Test("After a death the same references lead to new actors, with their initial state")
    func restart() async throws {
        try await TestBackend.processes.withPool { pool in
            let manager = try await Manager(.processes, restarts: true)
            let start = 40
            let tally = try await manager.host { system in
                let tally = Tally(actorSystem: system)
                _ = try await tally.add(start)
                return tally
            }
            let servant = try await manager.host { Servant(actorSystem: $0) }
            try await expect(41) { try await tally.add(1) }
            try await expect(42) { try await pool.run(tally) { try await $0.add(1) } }
            let first = try #require(manager.processID)
            let call = Task { try await servant.wait() }
            try await expectSoonAsync { try await servant.waitingCount() == 1 }
            kill(first, SIGKILL)
            let error = await #expect(throws: ActorCallError.self) { try await call.value }
            #expect(error?.isInDoubt == true)
            try await expectSoonAsync { (try? await tally.current()) == start }
            // It answers before all of its actors are back.
            await expectSoon { manager.processID != nil }
            let second = try #require(manager.processID)
            #expect(second != first)
            try await expect(start + 1) { try await pool.run(tally) { try await $0.add(1) } }
            try await expect(second) { try await servant.processID() }
            // What is made then is kept like the others.
            let third = try await manager.host { Tally(actorSystem: $0) }
            try await expect(1) { try await third.add(1) }
            kill(second, SIGKILL)
            try await expectSoonAsync { (try? await third.current()) == 0 }
            await manager.shutDown()
            let refusal = await #expect(throws: PoolError.self) {
                _ = try await manager.host { Tally(actorSystem: $0) }
            }
            #expect(refusal?.code == .shutDown)
            let end = await #expect(throws: ActorCallError.self) { _ = try await third.current() }
            #expect(end?.isInDoubt == false)
        }
    }

    @Test("One that is shut down while it starts again hosts nothing any more")
    func shutDownWhileStarting() async throws {
        try await withLimit {
            let manager = try await Manager(.processes, restarts: true)
            _ = try await manager.host { Servant(actorSystem: $0) }
            let process = try #require(manager.processID)
            kill(process, SIGKILL)
            await expectSoon { manager.processID == nil }
            await manager.shutDown()
            let error = await #expect(throws: PoolError.self) {
                _ = try await manager.host { Servant(actorSystem: $0) }
            }
            #expect(error?.code == .shutDown)
            #expect(manager.processID == nil)
        }
    }

    @Test("One whose actors crash again and again is given up, and says so")
    func givingUp() async throws {
        try await withLimit {
            let manager = try await Manager(.processes(output: .discard), restarts: true)
            let servant = try await manager.host { Servant(actorSystem: $0) }
            for _ in 0..<100 {
                guard let process = manager.processID else {
                    try await Task.sleep(for: .milliseconds(5))
                    continue
                }
                kill(process, SIGKILL)
            }
            try await expectSoonAsync {
                if let process = manager.processID { kill(process, SIGKILL) }
                return await Self.isOver(manager)
            }
            let error = await #expect(throws: ActorCallError.self) { _ = try await servant.processID() }
            #expect(error?.code == .hostGone)
            #expect(error?.isInDoubt == false)
            await manager.shutDown()
        }
    }

    private static func isOver(_ manager: Manager) async -> Bool {
        do {
            _ = try await manager.host { Tally(actorSystem: $0) }
            return false
        } catch let error as PoolError {
            return error.code == .shutDown
        } catch {
            return false
        }
    }
}

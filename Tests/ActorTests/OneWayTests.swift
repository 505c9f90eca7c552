import Distributed
import Glibc
import Synchronization
import TestSupport
import Testing

@testable import Multiprocessing

/// Where the actors of a test live.
enum OneWayHome: String, CaseIterable, CustomTestStringConvertible {
    case threads
    case processes
    case server

    var testDescription: String { rawValue }

    /// Runs `body` with what another process, or this one, hosts.
    func withServant(_ body: @escaping @Sendable (Servant, Tally) async throws -> Void) async throws {
        try await withLimit {
            switch self {
            case .threads, .processes:
                let manager = try await Manager(self == .threads ? .threads : .processes)
                let servant = try await manager.host { Servant(actorSystem: $0) }
                let tally = try await manager.host { Tally(actorSystem: $0) }
                let result = await Result { try await body(servant, tally) }
                await manager.shutDown()
                try result.get()
            case .server:
                let server = try OneWayServer()
                let remote = try await Manager.connect(to: try await server.address(), key: OneWayServer.key)
                let servant = try await remote.object("servant", as: Servant.self)
                let tally = try await remote.object("tally", as: Tally.self)
                let result = await Result { try await body(servant, tally) }
                try await server.stop()
                try result.get()
            }
        }
    }
}

extension Result where Failure == any Error {
    fileprivate init(_ body: () async throws -> Success) async {
        do { self = .success(try await body()) } catch { self = .failure(error) }
    }
}

/// A server in a process of its own.
final class OneWayServer: Sendable {
    static let key = Array("the key of these tests, long enough".utf8)

    let process: ChildProcess<Void>
    private let stopping: SharedEvent
    private let addresses: SharedQueue<ManagerAddress>

    init() throws {
        let (stopping, addresses) = (try SharedEvent(), try SharedQueue<ManagerAddress>())
        process = try ChildProcess(.processes) {
            let server = try await ManagerServer(at: .tcp(host: "127.0.0.1", port: 0), key: OneWayServer.key)
            try await server.register("servant") { Servant(actorSystem: $0) }
            try await server.register("tally") { Tally(actorSystem: $0) }
            try await addresses.send(server.address)
            try await stopping.wait()
            await server.shutDown()
        }
        self.stopping = stopping
        self.addresses = addresses
    }

    func address() async throws -> ManagerAddress { try await addresses.receive() }

    func stop() async throws {
        stopping.set()
        try await process.value
    }
}

@Suite("One-way calls", .admitted)
struct OneWayTests {
    // MARK: Order

    @Test(
        "Ten thousand are made once each and in order, also between calls with answers",
        arguments: OneWayHome.allCases)
    func order(_ home: OneWayHome) async throws {
        try await home.withServant { servant, _ in
            for block in 0..<100 {
                let first = 101 * block
                try await withOneWayCalls(to: servant) { _ in
                    for number in first..<(first + 100) { try await servant.note(number) }
                }
                try await servant.note(first + 100)
            }
            try await expect(true) { try await servant.noted() == Array(0..<10_100) }
        }
    }

    @Test(
        "Calls with answers that nobody waits for yet are begun in their place",
        arguments: [OneWayHome.processes, .server])
    func mixedOrder(_ home: OneWayHome) async throws {
        try await home.withServant { servant, _ in
            var answers: [Task<Void, any Error>] = []
            for block in 0..<300 {
                try await withOneWayCalls(to: servant) { _ in
                    for number in 0..<3 { try await servant.note(4 * block + number) }
                }
                // Begun here, up to where it is sent.
                answers.append(Task.immediate { try await servant.note(4 * block + 3) })
            }
            for answer in answers { try await answer.value }
            try await expect(true) { try await servant.noted() == Array(0..<1_200) }
        }
    }

    @Test("One that suspends holds up none of those behind it, which keep their order", arguments: OneWayHome.allCases)
    func suspended(_ home: OneWayHome) async throws {
        guard home != .threads else { return }
        try await home.withServant { servant, _ in
            try await withOneWayCalls(to: servant) { calls in
                for number in 0..<200 {
                    try await servant.note(number)
                    try await servant.wait()
                }
                for number in 200..<300 { try await servant.note(number) }
                let other = Task.detached { try await servant.noted() }
                try await expect(Array(0..<300)) { try await other.value }
                let release = Task.detached { try await servant.release() }
                try await expect(200) { try await release.value }
                try await calls.finish()
            }
        }
    }

    @Test("A call with an answer behind some that suspend is begun, and can be cancelled")
    func cancelledBehind() async throws {
        try await OneWayHome.processes.withServant { servant, _ in
            try await withOneWayCalls(to: servant) { _ in
                for _ in 0..<50 { try await servant.wait() }
            }
            let task = Task { try await servant.waitUntilCancelled() }
            try await expectSoonAsync { try await servant.sleepingCount() == 1 }
            task.cancel()
            await #expect(throws: CancellationError.self) { try await task.value }
            try await expect(50) { try await servant.release() }
        }
    }

    // MARK: Callers

    @Test("Workers of a pool make them", arguments: TestBackend.allCases, OneWayHome.allCases)
    func workers(_ workers: TestBackend, _ home: OneWayHome) async throws {
        try await home.withServant { _, tally in
            try await workers.withPool { pool in
                let failures = try await pool.map(0..<20) { _ in
                    try await withOneWayCalls(to: tally) { calls in
                        for number in 1...100 { try await tally.plus(number) }
                        try await calls.finish()
                        return calls.failureCount
                    }
                }
                #expect(failures == Array(repeating: 0, count: 20))
            }
            try await expect(20 * 5_050) { try await tally.current() }
        }
    }

    @Test("Many tasks make them at once, each in its order", arguments: [OneWayHome.processes, .server])
    func manyTasks(_ home: OneWayHome) async throws {
        try await home.withServant { servant, _ in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for task in 0..<20 {
                    group.addTask {
                        try await withOneWayCalls(to: servant) { calls in
                            for number in 0..<500 { try await servant.note(1_000 * task + number) }
                            try await calls.finish()
                        }
                    }
                }
                try await group.waitForAll()
            }
            let noted = try await servant.noted()
            #expect(noted.count == 10_000)
            for task in 0..<20 {
                let isInOrder = noted.filter { $0 / 1_000 == task } == (0..<500).map { 1_000 * task + $0 }
                #expect(isInOrder)
            }
        }
    }

    @Test("Generic methods and actors have them")
    func generic() async throws {
        try await OneWayHome.processes.withServant { servant, _ in
            try await withOneWayCalls(to: servant) { calls in
                for number in 0..<100 {
                    try await servant.note(2 * number)
                    try await servant.accept([Person(name: "Ada")])
                    try await servant.note(2 * number + 1)
                }
                try await calls.finish()
            }
            try await expect(Array(0..<200)) { try await servant.noted() }
        }
        try await withLimit {
            let manager = try await Manager(.processes)
            let shelf = try await manager.host { Shelf<Int>(actorSystem: $0) }
            try await withOneWayCalls(to: shelf) { _ in
                for number in 0..<300 { try await shelf.keep(number) }
            }
            try await expect(Array(0..<300)) { try await shelf.all() }
            await manager.shutDown()
        }
    }

    @Test("Calls to another actor within the body have answers, unless they are one-way too")
    func others() async throws {
        try await OneWayHome.processes.withServant { servant, tally in
            try await withOneWayCalls(to: servant) { calls in
                try await servant.note(1)
                try await expect(4) { try await tally.add(4) }
                try await withOneWayCalls(to: tally) { others in
                    try await servant.note(2)
                    try await tally.plus(3)
                    try await others.finish()
                }
                try await calls.finish()
            }
            try await expect(7) { try await tally.current() }
            try await expect([1, 2]) { try await servant.noted() }
        }
    }

    // MARK: Room

    /// Calls until there is no room, while the actor is busy.
    private static func fill(
        _ servant: Servant, _ call: (Int) async throws -> Void
    ) async throws -> Int {
        var count = 0
        do {
            while count < 100_000 {
                try await withCallTimeout(.milliseconds(200)) { try await call(count) }
                count += 1
            }
        } catch let error as ActorCallError {
            #expect(error.code == .timedOut && !error.isInDoubt)
        }
        return count
    }

    @Test(
        "No more are on their way than the bound allows, and then the caller waits",
        arguments: [OneWayHome.processes, .server])
    func bound(_ home: OneWayHome) async throws {
        let rendezvous = try Rendezvous()
        let ticket = rendezvous.ticket
        try await home.withServant { servant, _ in
            try await withOneWayCalls(to: servant) { calls in
                try await servant.pause(ticket)
                await rendezvous.expectArrivals(1)
                let count = try await Self.fill(servant) { try await servant.note($0) }
                #expect(count == OneWayWindow.countLimit - 1)
                // One that waits for room can be cancelled, and was not sent.
                let cancelled = Task { try await servant.note(-1) }
                cancelled.cancel()
                await #expect(throws: CancellationError.self) { try await cancelled.value }
                let waiting = Task { try await servant.note(count) }
                rendezvous.letThrough(1)
                try await waiting.value
                for number in (count + 1)..<(count + 10_000) { try await servant.note(number) }
                try await calls.finish()
                #expect(calls.failureCount == 0)
                let noted = Task.detached { try await servant.noted() }
                try await expect(Array(0..<(count + 10_000))) { try await noted.value }
            }
        }
    }

    @Test("Their bytes are bounded too, and one that is larger goes alone", arguments: [OneWayHome.processes, .server])
    func byteBound(_ home: OneWayHome) async throws {
        let rendezvous = try Rendezvous()
        let ticket = rendezvous.ticket
        try await home.withServant { servant, _ in
            try await withOneWayCalls(to: servant) { calls in
                try await servant.pause(ticket)
                await rendezvous.expectArrivals(1)
                let bytes = [UInt8](repeating: 1, count: 1 << 20)
                let count = try await Self.fill(servant) { _ in try await servant.take(bytes: bytes) }
                #expect(count == 3)
                rendezvous.letThrough(1)
                try await servant.take(bytes: [UInt8](repeating: 2, count: 9 << 20))
                try await servant.take(bytes: [])
                try await calls.finish()
                let noted = Task.detached { try await servant.noted() }
                try await expect([1 << 20, 1 << 20, 1 << 20, 9 << 20, 0]) { try await noted.value }
            }
        }
    }

    @Test("Calls that have ended make room while one before them goes on", arguments: [OneWayHome.processes, .server])
    func roomBehindSuspended(_ home: OneWayHome) async throws {
        try await home.withServant { servant, _ in
            try await withOneWayCalls(to: servant) { calls in
                let bytes = [UInt8](repeating: 1, count: 3 << 20)
                for _ in 0..<5 {
                    try await servant.take(bytes: bytes)
                    try await servant.wait()
                }
                for _ in 0..<20_000 { try await servant.note(1) }
                let release = Task.detached { try await servant.release() }
                try await expect(5) { try await release.value }
                try await calls.finish()
                #expect(calls.failureCount == 0)
            }
        }
    }

    // MARK: What they refer to

    @Test("References among the arguments count until the call has ended")
    func references() async throws {
        let rendezvous = try Rendezvous()
        let gate = rendezvous.ticket
        try await withLimit {
            let (manager, other) = (try await Manager(.processes), try await Manager(.processes))
            let servant = try await manager.host { Servant(actorSystem: $0) }
            // Keeps the process.
            let tally = try await other.host { Tally(actorSystem: $0) }
            var mortal: OneWayMortal? = try await other.host { OneWayMortal(gate, actorSystem: $0) }
            try await withOneWayCalls(to: servant) { calls in
                try await servant.pause(gate)
                await rendezvous.expectArrivals(1)
                try await servant.accept([try #require(mortal)])
                mortal = nil
                // Longer than references may be on their way.
                try await Task.sleep(for: .seconds(5))
                #expect(rendezvous.arrivals == [7])
                rendezvous.letThrough(1)
                try await calls.finish()
            }
            await rendezvous.expectArrivals(2)
            #expect(rendezvous.arrivals == [7, 9])
            try await expect(1) { try await tally.add(1) }
            await manager.shutDown()
            await other.shutDown()
        }
    }

    @Test("Handles of shared state are arguments, and kept until the call has ended")
    func handles() async throws {
        let rendezvous = try Rendezvous()
        let ticket = rendezvous.ticket
        try await OneWayHome.processes.withServant { servant, _ in
            try await withOneWayCalls(to: servant) { calls in
                try await servant.pause(ticket)
                await rendezvous.expectArrivals(1)
                for _ in 0..<100 { try await servant.lock(SharedLock()) }
                rendezvous.letThrough(1)
                try await calls.finish()
                #expect(calls.failureCount == 0)
            }
        }
    }

    @Test("An actor of this process is called back")
    func callsBack() async throws {
        try await OneWayHome.processes.withServant { servant, _ in
            let mine = Tally(actorSystem: .shared)
            try await withOneWayCalls(to: servant) { calls in
                for number in 1...100 { try await servant.pass(number, to: mine) }
                try await calls.finish()
            }
            try await expect(5_050) { try await mine.current() }
        }
    }

    // MARK: Failures

    @Test("A method that returns a value is refused, and not called", arguments: [OneWayHome.processes, .server])
    func refused(_ home: OneWayHome) async throws {
        try await home.withServant { _, tally in
            let error = await #expect(throws: ActorCallError.self) {
                try await withOneWayCalls(to: tally) { _ in _ = try await tally.add(1) }
            }
            #expect(error?.code == .refused)
            #expect(error?.isInDoubt == false)
            #expect(error?.message.contains("returns a value") == true)
            try await expect(0) { try await tally.current() }
        }
    }

    @Test("What methods throw is counted, and told by finish, once", arguments: [OneWayHome.processes, .server])
    func errors(_ home: OneWayHome) async throws {
        try await home.withServant { servant, _ in
            try await withOneWayCalls(to: servant) { calls in
                for number in 0..<10 {
                    try await servant.note(number)
                    try await servant.fail(number)
                }
                await #expect(throws: Trouble.self) { try await calls.finish() }
                #expect(calls.failureCount == 10)
                try await calls.finish()
                try await servant.failUnsendably()
                let error = await #expect(throws: PoolError.self) { try await calls.finish() }
                #expect(error?.code == .remote)
                #expect(calls.failureCount == 11)
            }
            try await expect(Array(0..<10)) { try await servant.noted() }
        }
    }

    @Test("A call to an actor of this process is an ordinary one")
    func local() async throws {
        let servant = Servant(actorSystem: .shared)
        try await withOneWayCalls(to: servant) { calls in
            try await servant.note(1)
            try await expect([1]) { try await servant.noted() }
            await #expect(throws: Trouble.big(3)) { try await servant.fail(3) }
            try await calls.finish()
            #expect(calls.failureCount == 0)
        }
    }

    @Test("An actor that is not there fails each call, and no other", arguments: [OneWayHome.processes, .server])
    func goneActor(_ home: OneWayHome) async throws {
        try await home.withServant { servant, tally in
            let id = WorkerActorID(address: servant.id.address, number: 1, lease: servant.id.host?.lease(1))
            let nobody = try Servant.resolve(id: id, using: .shared)
            try await withOneWayCalls(to: nobody) { calls in
                for number in 0..<1_000 { try await nobody.note(number) }
                let error = await #expect(throws: ActorCallError.self) { try await calls.finish() }
                #expect(error?.code == .noSuchActor)
                #expect(calls.failureCount == 1_000)
            }
            try await expect(1) { try await tally.add(1) }
        }
    }

    @Test("A host that is killed fails what was under way in doubt, and every call from then on")
    func killedHost() async throws {
        let rendezvous = try Rendezvous()
        let ticket = rendezvous.ticket
        try await withLimit {
            let manager = try await Manager(.processes)
            let servant = try await manager.host { Servant(actorSystem: $0) }
            try await withOneWayCalls(to: servant) { calls in
                try await servant.note(1)
                try await calls.finish()
                try await servant.pause(ticket)
                await rendezvous.expectArrivals(1)
                let count = try await Self.fill(servant) { try await servant.note($0) }
                let waiting = Task { try await servant.note(1) }
                kill(try #require(manager.processID), SIGKILL)
                let error = await #expect(throws: ActorCallError.self) { try await calls.finish() }
                #expect(error?.code == .hostGone)
                #expect(error?.isInDoubt == true)
                #expect(calls.failureCount == count + 1)
                for call in [waiting, Task { try await servant.note(2) }] {
                    let error = await #expect(throws: ActorCallError.self) { try await call.value }
                    #expect(error?.code == .hostGone)
                    #expect(error?.isInDoubt == false)
                }
            }
            let error = await #expect(throws: ActorCallError.self) {
                try await withOneWayCalls(to: servant) { _ in try await servant.note(1) }
            }
            #expect(error?.code == .hostGone)
            await manager.shutDown()
        }
    }

    @Test("A server that is killed does the same")
    func killedServer() async throws {
        try await withLimit {
            let server = try OneWayServer()
            let remote = try await Manager.connect(to: try await server.address(), key: OneWayServer.key)
            let servant = try await remote.object("servant", as: Servant.self)
            try await withOneWayCalls(to: servant) { calls in
                try await servant.note(1)
                try await calls.finish()
                try await servant.wait()
                server.process.kill()
                let error = await #expect(throws: ActorCallError.self) { try await calls.finish() }
                #expect(error?.code == .hostGone)
                #expect(error?.isInDoubt == true)
                #expect(calls.failureCount == 1)
                let next = await #expect(throws: ActorCallError.self) { try await servant.note(2) }
                #expect(next?.code == .hostGone)
                #expect(next?.isInDoubt == false)
            }
            _ = try? await server.process.value
        }
    }

    @Test("Hosts that are killed at random leave nobody waiting, and no call both done and counted twice")
    func killedAtRandom() async throws {
        try await withLimit {
            for round in 0..<10 {
                let manager = try await Manager(.processes)
                let servant = try await manager.host { Servant(actorSystem: $0) }
                let host = try #require(manager.processID)
                try await withOneWayCalls(to: servant) { calls in
                    var sent = 0
                    let killer = Task {
                        try await Task.sleep(for: .milliseconds(round))
                        kill(host, SIGKILL)
                    }
                    let error = await #expect(throws: ActorCallError.self) {
                        while true {
                            try await servant.note(sent)
                            sent += 1
                        }
                    }
                    #expect(error?.code == .hostGone)
                    #expect(error?.isInDoubt == false)
                    try? await calls.finish()
                    #expect(calls.failureCount <= min(sent, OneWayWindow.countLimit))
                    try await killer.value
                }
                await manager.shutDown()
            }
        }
    }

    @Test("Calls of a process that dies are made as far as they have come")
    func callerDies() async throws {
        let rendezvous = try Rendezvous()
        let ticket = rendezvous.ticket
        try await OneWayHome.processes.withServant { servant, tally in
            let child = try ChildProcess(.processes, (servant, tally, ticket)) { servant, tally, ticket in
                try await withOneWayCalls(to: servant) { _ in
                    try await servant.pause(ticket)
                    for number in 0..<1_000 { try await servant.note(number) }
                }
                // Has its answer from behind them, on the same way.
                _ = try await tally.add(1)
                try await Task.sleep(for: .seconds(3_000))
                _ = try await servant.noted()
            }
            await rendezvous.expectArrivals(1)
            try await expectSoonAsync { try await tally.current() == 1 }
            child.kill()
            _ = try? await child.value
            rendezvous.letThrough(1)
            try await expectSoonAsync { try await servant.noted().count == 1_000 }
            try await expect(Array(0..<1_000)) { try await servant.noted() }
        }
    }
}

/// Says when it goes.
private distributed actor OneWayMortal {
    typealias ActorSystem = WorkerActorSystem
    private let ticket: Rendezvous.Ticket

    init(_ ticket: Rendezvous.Ticket, actorSystem: WorkerActorSystem) {
        self.ticket = ticket
        self.actorSystem = actorSystem
        // In the process that hosts it, nobody else's actors being there.
        actorSystem.hosted.grace.store(4_000_000_000, ordering: .relaxed)
    }

    deinit { ticket.arrive(9) }
}

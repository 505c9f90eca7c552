import Distributed
import Glibc
import Multiprocessing
import TestSupport
import Testing

/// Private, so that no name of the compiler's leads to it.
private distributed actor Hidden {
    typealias ActorSystem = WorkerActorSystem
    distributed func twice<Value: Codable & Sendable>(_ value: Value) -> [Value] { [value, value] }
}

private struct Secret: Codable, Hashable, Sendable {
    var text: String
}

/// Private with all that it takes and returns, none of it generic.
private distributed actor Safe {
    typealias ActorSystem = WorkerActorSystem

    struct Inner: Error, Codable, Hashable {
        let secret: Secret
    }

    distributed func add(_ secret: Secret, to secrets: [Secret], _ none: Inner?) -> [Secret] { secrets + [secret] }
    distributed func wrap(_ secret: Secret, as name: String) -> [String: Inner] { [name: Inner(secret: secret)] }
    distributed func refuse(_ secret: Secret) throws { throw Inner(secret: secret) }
    distributed func ask(_ other: Safe, _ secret: Secret) async throws -> [Secret] {
        try await other.add(secret, to: [], nil)
    }
}

/// Holds a reference among other things.
private struct Order: Codable, Sendable {
    var numbers: [Int]
    var tallies: [String: Tally]
}

private struct Adding: Job {
    let tally: Tally
    let number: Int
    func run() async throws -> Int { try await tally.add(number) }
}

@Suite("Calls to distributed actors", .admitted)
struct CallTests {
    /// Runs `body` with a manager that is shut down afterwards.
    private func withManager(
        _ home: TestBackend, _ body: @escaping @Sendable (Manager) async throws -> Void
    ) async throws {
        try await withLimit {
            let manager = try await Manager(home.backend)
            do {
                try await body(manager)
            } catch {
                await manager.shutDown()
                throw error
            }
            await manager.shutDown()
        }
    }

    private func withServant(
        _ home: TestBackend, _ body: @escaping @Sendable (Servant) async throws -> Void
    ) async throws {
        try await withManager(home) { manager in
            try await body(try await manager.host { Servant(actorSystem: $0) })
        }
    }

    // MARK: Values

    @Test("A method whose own call was not begun leaves its caller in doubt: the method itself was")
    func nestedCalls() async throws {
        try await withLimit {
            let (manager, other) = (try await Manager(.processes), try await Manager(.processes))
            let servant = try await manager.host { Servant(actorSystem: $0) }
            let tally = try await other.host { Tally(actorSystem: $0) }
            try await expect(3) { try await servant.forward(3, to: tally) }
            await other.shutDown()
            let error = await #expect(throws: ActorCallError.self) { _ = try await servant.forward(1, to: tally) }
            #expect(error?.code == .hostGone)
            #expect(error?.isInDoubt == true)
            await manager.shutDown()
        }
    }

    @Test("An actor counts what the workers of a pool add", arguments: TestBackend.allCases, TestBackend.allCases)
    func workersCount(_ home: TestBackend, _ workers: TestBackend) async throws {
        try await withManager(home) { manager in
            try await workers.withPool { pool in
                let counter = try await manager.host { Tally(actorSystem: $0) }
                try await pool.forEach(1...100) { _ = try await counter.add($0) }
                let sum = try await counter.total
                #expect(sum == 5_050)
            }
        }
    }

    @Test("Arguments and results arrive as they were", arguments: TestBackend.allCases)
    func values(_ home: TestBackend) async throws {
        try await withServant(home) { servant in
            try await expect(-5) { try await servant.echo(-5) }
            try await expect("straße 🧵") { try await servant.echo("straße 🧵") }
            try await expect([1.5, .infinity]) { try await servant.echo([1.5, .infinity]) }
            try await expect(nil) { try await servant.echo(String?.none) }
            try await expect(["a": [true], "b": []]) { try await servant.echo(["a": [true], "b": []]) }
            let person = Person(name: "Ada", age: nil, friends: [Person(name: "Charles", age: 44)])
            try await expect(person) { try await servant.echo(person) }
            try await expect(Secret(text: "s")) { try await servant.echo(Secret(text: "s")) }
            let large = [UInt32](0..<3_000_000)
            try await expect(large) { try await servant.echo(large) }
            let texts = (0..<50_000).map { "text \($0)" }
            try await expect(texts) { try await servant.echo(texts) }
            try await expect(["Int", "Array<String>", "1", "[\"x\"]"]) { try await servant.pair(1, with: ["x"]) }
        }
    }

    @Test("Generic and private actors, with generic methods", arguments: TestBackend.allCases)
    func genericActors(_ home: TestBackend) async throws {
        try await withManager(home) { manager in
            let shelf = try await manager.host { Shelf<[Person]>(actorSystem: $0) }
            try await expect(1) { try await shelf.put([Person(name: "Eve")]) }
            try await expect(2) { try await shelf.put([]) }
            try await expect([[Person(name: "Eve")], []]) { try await shelf.all() }
            let hidden = try await manager.host { Hidden(actorSystem: $0) }
            try await expect([Secret(text: "x"), Secret(text: "x")]) { try await hidden.twice(Secret(text: "x")) }
        }
    }

    @Test("A generic method of a generic actor is refused, since the runtime cannot call it")
    func genericTwice() async throws {
        try await withManager(.processes) { manager in
            let shelf = try await manager.host { Shelf<Int>(actorSystem: $0) }
            let error = await #expect(throws: ActorCallError.self) { _ = try await shelf.pair("x") }
            #expect(error?.code == .refused)
            #expect(error?.message.contains("Shelf<Swift.Int>") == true, "\(String(describing: error))")
            try await expect(1) { try await shelf.put(1) }
        }
    }

    @Test("What a method throws arrives as a pool's errors do")
    func errors() async throws {
        try await withServant(.processes) { servant in
            await #expect(throws: Trouble.big(3)) { try await servant.fail(3) }
            await #expect(throws: CancellationError.self) { try await servant.failCancelled() }
            let error = await #expect(throws: PoolError.self) { try await servant.failUnsendably() }
            #expect(error?.code == .remote)
            #expect(error?.errorDescription?.contains("for reasons of its own") == true)
        }
    }

    @Test("What cannot be encoded or decoded fails its call and no other")
    func uncodable() async throws {
        try await withServant(.processes) { servant in
            await expectRefusal("argument", "Stubborn") { _ = try await servant.take(Stubborn(allows: false)) }
            await expectRefusal("result", "Stubborn") { _ = try await servant.unsendable() }
            var bad = Stubborn(allows: true)
            bad.count = 0
            let sent = bad
            await expectRefusal("argument", "Stubborn") { _ = try await servant.take(sent) }
            try await expect(3) { try await servant.take(Stubborn(allows: true)) }
        }
    }

    @Test("Private types are parameters and results of methods that are not generic", arguments: TestBackend.allCases)
    func privateTypes(_ home: TestBackend) async throws {
        try await withManager(home) { manager in
            let safe = try await manager.host { Safe(actorSystem: $0) }
            let secret = Secret(text: "s")
            try await expect([secret, Secret(text: "t")]) { try await safe.add(Secret(text: "t"), to: [secret], nil) }
            try await expect(["a": Safe.Inner(secret: secret)]) { try await safe.wrap(secret, as: "a") }
            let error = await #expect(throws: Safe.Inner.self) { try await safe.refuse(secret) }
            #expect(error == Safe.Inner(secret: secret))
            // A reference to such an actor is a value like any other.
            let other = try await manager.host { Safe(actorSystem: $0) }
            try await expect([secret]) { try await safe.ask(other, secret) }
        }
    }

    @Test("What a method returned is let go of")
    func resultsAreReleased() async throws {
        try await withServant(.processes) { servant in
            let before = try await servant.liveCount()
            for _ in 0..<100 { _ = try await servant.makeCounted() }
            try await expectSoonAsync { try await servant.liveCount() == before }
        }
    }

    // MARK: References

    @Test("References are inputs, outputs, elements and arguments", arguments: TestBackend.allCases)
    func references(_ workers: TestBackend) async throws {
        try await withManager(.processes) { manager in
            try await workers.withPool { pool in
                let tally = try await manager.host { Tally(actorSystem: $0) }
                let servant = try await manager.host { Servant(actorSystem: $0) }
                let sums = try await pool.map([tally, tally]) { try await $0.add(1) }
                #expect(Set(sums) == [1, 2])
                let same = try await pool.run(tally) { $0 }
                #expect(same == tally && same.id == tally.id)
                try await expect(3) { try await same.add(1) }
                try await expect(4) { try await pool.run(Adding(tally: tally, number: 1)) }
                let order = Order(numbers: [1], tallies: ["a": tally])
                let after = try await pool.run(order) { order in
                    for tally in order.tallies.values { _ = try await tally.add(order.numbers[0]) }
                    return order
                }
                let five = try #require(after.tallies["a"])
                try await expect(5) { try await five.current() }
                try await expect(7) { try await servant.forward(2, to: tally) }
                let made = try await servant.makeTally()
                #expect(made.id != tally.id)
                try await expect(9) { try await made.add(9) }
                try await expect(12) { try await pool.map([1, 2], with: made) { try await $1.add($0) }.max() }
            }
        }
    }

    @Test("An actor of this process is called by workers, who call back", arguments: TestBackend.allCases)
    func callsBack(_ workers: TestBackend) async throws {
        try await workers.withPool { pool in
            let tally = Tally(actorSystem: .shared)
            try await pool.forEach(1...10) { _ = try await tally.add($0) }
            try await expect(55) { try await tally.current() }
        }
    }

    @Test("An actor that a worker made is called from here and from other workers", arguments: TestBackend.allCases)
    func madeInWorker(_ workers: TestBackend) async throws {
        try await workers.withPool { pool in
            let tally = try await pool.run { Tally(actorSystem: .shared) }
            try await pool.forEach(1...10) { _ = try await tally.add($0) }
            try await expect(55) { try await tally.current() }
        }
    }

    @Test("References go through queues and connections of processes")
    func referencesInQueues() async throws {
        try await withManager(.processes) { manager in
            let tally = try await manager.host { Tally(actorSystem: $0) }
            let queue = try SharedQueue<Tally>()
            try await queue.send(tally)
            let child = try ChildProcess(.processes, queue) { queue in
                let tally = try await queue.receive()
                return try await tally.add(4)
            }
            try await expect(4) { try await child.value }
            try await expect(4) { try await tally.current() }
        }
    }

    @Test("A worker's actor calls reach the host while its main thread runs a synchronous item")
    func synchronousItem() async throws {
        try await withManager(.processes) { manager in
            try await TestBackend.processes.withPool(workers: 1) { pool in
                let tally = try await manager.host { Tally(actorSystem: $0) }
                let rendezvous = try Rendezvous()
                let ticket = rendezvous.ticket
                let item = Task {
                    try await pool.run {
                        Task.detached {
                            _ = try await tally.add(5)
                            ticket.arrive(5)
                        }
                        // Blocks the main thread until the call is through.
                        ticket.wait()
                    }
                }
                await rendezvous.expectArrivals(1)
                rendezvous.letThrough()
                try await item.value
            }
        }
    }

    // MARK: Order

    @Test("Many calls are in flight, and answers come in any order")
    func inFlight() async throws {
        try await withServant(.processes) { servant in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<500 { group.addTask { try await servant.wait() } }
                try await expectSoonAsync { try await servant.waitingCount() == 500 }
                try await expect(1) { try await servant.echo(1) }
                try await expect(500) { try await servant.release() }
                try await group.waitForAll()
            }
        }
    }

    @Test("Calls that are made one after another are run in that order, without waiting for answers")
    func order() async throws {
        try await withServant(.processes) { servant in
            let tasks = await onOneThread {
                (0..<2_000).map { number in
                    Task.immediate { try await servant.note(number) }
                }
            }
            for task in tasks { try await task.value }
            try await expect(Array(0..<2_000)) { try await servant.noted() }
        }
    }

    @Test("An actor that blocks its thread holds up no other actor of its process")
    func blocking() async throws {
        let rendezvous = try Rendezvous()
        let ticket = rendezvous.ticket
        try await withManager(.processes) { manager in
            let blocked = try await manager.host { Servant(actorSystem: $0) }
            let other = try await manager.host { Servant(actorSystem: $0) }
            let task = Task { try await blocked.block(ticket) }
            await rendezvous.expectArrivals(1)
            try await expect(3) { try await other.echo(3) }
            rendezvous.letThrough(1)
            try await expect(7) { try await task.value }
        }
    }

    // MARK: Cancellation and time

    @Test("Cancellation of the caller reaches the method's task", arguments: TestBackend.allCases)
    func cancellation(_ home: TestBackend) async throws {
        try await withServant(home) { servant in
            let task = Task { try await servant.waitUntilCancelled() }
            try await expect(1) { try await servant.echo(1) }
            task.cancel()
            await #expect(throws: CancellationError.self) { try await task.value }
            try await expect(1) { try await servant.cancelledCount() }
        }
    }

    @Test("A cancelled task can still call", arguments: TestBackend.allCases)
    func cancelledCaller(_ home: TestBackend) async throws {
        try await withServant(home) { servant in
            let task = Task {
                withUnsafeCurrentTask { $0?.cancel() }
                try await servant.note(1)
                return try await servant.noted()
            }
            try await expect([1]) { try await task.value }
        }
    }

    @Test("A call whose time is up fails in doubt, and its task is cancelled")
    func timeout() async throws {
        try await withServant(.processes) { servant in
            let error = await #expect(throws: ActorCallError.self) {
                try await withCallTimeout(.milliseconds(20)) { try await servant.waitUntilCancelled() }
            }
            #expect(error?.code == .timedOut)
            try await expectSoonAsync { try await servant.cancelledCount() == 1 }
            let answer = try await withCallTimeout(.seconds(500)) { try await servant.echo(1) }
            #expect(answer == 1)
        }
    }

    // MARK: What is refused

    @Test("An id that is resolved as another type is refused, and nothing is called")
    func otherType() async throws {
        try await withManager(.processes) { manager in
            let tally = try await manager.host { Tally(actorSystem: $0) }
            let wrong = try Servant.resolve(id: tally.id, using: .shared)
            let error = await #expect(throws: ActorCallError.self) { _ = try await wrong.echo(1) }
            #expect(error?.code == .refused)
            #expect(error?.isInDoubt == false)
            #expect(error?.message.contains("Tally") == true)
            try await expect(0) { try await tally.current() }
        }
    }
}

/// Runs `body` on a thread that no other task has meanwhile.
private func onOneThread<Output: Sendable>(_ body: @escaping @Sendable () -> Output) async -> Output {
    await withCheckedContinuation { continuation in
        continuation.resume(returning: body())
    }
}

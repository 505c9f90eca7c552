import Dispatch
import Distributed
import Glibc
import Multiprocessing
import Synchronization
import TestSupport

/// What the tests' actors throw.
enum Trouble: Error, Codable, Equatable {
    case big(Int)
}

/// An error that cannot travel as itself.
struct Unsendable: Error {
    let reason = "for reasons of its own"
}

/// A value with keys, of which bytes carry numbers.
struct Person: Codable, Hashable, Sendable {
    var name: String
    var age: Int?
    var friends: [Person] = []
}

distributed actor Tally {
    typealias ActorSystem = WorkerActorSystem
    private var sum = 0

    distributed func add(_ number: Int) -> Int {
        // Whatever comes from the network must not crash it.
        sum &+= number
        return sum
    }

    distributed func current() -> Int { sum }
    distributed var total: Int { sum }
}

/// Does what it is told.
distributed actor Servant {
    typealias ActorSystem = WorkerActorSystem
    private var log: [Int] = []
    private var waiting: [CheckedContinuation<Void, Never>] = []
    private var cancelled = 0
    private var sleeping = 0

    distributed func echo<Value: Codable & Sendable>(_ value: Value) -> Value { value }

    distributed func pair<A: Codable & Sendable, B: Codable & Sendable>(_ a: A, with b: B) -> [String] {
        ["\(A.self)", "\(B.self)", "\(a)", "\(b)"]
    }

    distributed func note(_ number: Int) { log.append(number) }
    distributed func lock(_ lock: SharedLock) throws { try lock.withLock {} }
    distributed func noted() -> [Int] { log }
    distributed func processID() -> Int32 { getpid() }

    distributed func fail(_ number: Int) throws { throw Trouble.big(number) }
    distributed func failUnsendably() throws { throw Unsendable() }
    distributed func failCancelled() throws { throw CancellationError() }
    distributed func unsendable() -> Stubborn { Stubborn(allows: false) }
    distributed func take(_ value: Stubborn) -> Int { value.count }

    /// Suspends until ``release()``.
    distributed func wait() async {
        await withCheckedContinuation { waiting.append($0) }
    }

    /// Lets those go on that wait, the last first, and says how many they are.
    distributed func release() -> Int {
        defer { waiting = [] }
        for continuation in waiting.reversed() { continuation.resume() }
        return waiting.count
    }

    distributed func waitingCount() -> Int { waiting.count }

    /// Suspends until its task is cancelled.
    distributed func waitUntilCancelled() async throws {
        sleeping += 1
        defer { sleeping -= 1 }
        do {
            try await Task.sleep(for: .seconds(3_000))
        } catch {
            cancelled += 1
            throw error
        }
    }

    distributed func cancelledCount() -> Int { cancelled }

    /// How many wait to be cancelled.
    distributed func sleepingCount() -> Int { sleeping }

    /// Blocks the actor's thread.
    distributed func block(_ ticket: Rendezvous.Ticket) -> Int {
        ticket.arrive(7)
        ticket.wait()
        return 7
    }

    distributed func makeCounted() -> Counted { Counted() }
    distributed func liveCount() -> Int { Counted.liveCount.load(ordering: .relaxed) }

    distributed func crash() -> Int { fatalError("as the test wants it") }

    /// Calls another actor, wherever that is.
    distributed func forward(_ number: Int, to tally: Tally) async throws -> Int {
        try await tally.add(number)
    }

    /// Makes an actor where this one is.
    distributed func makeTally() -> Tally { Tally(actorSystem: actorSystem) }
}

/// An object of which it is known how many there are.
final class Counted: Codable, Sendable {
    static let liveCount = Atomic(0)

    init() { Self.liveCount.add(1, ordering: .relaxed) }
    init(from decoder: any Decoder) throws { Self.liveCount.add(1, ordering: .relaxed) }
    deinit { Self.liveCount.subtract(1, ordering: .relaxed) }
    func encode(to encoder: any Encoder) throws { _ = encoder.singleValueContainer() }
}

/// A generic actor, which nothing but tests uses.
distributed actor Shelf<Element: Codable & Sendable> {
    typealias ActorSystem = WorkerActorSystem
    private var elements: [Element] = []
    distributed func put(_ element: Element) -> Int {
        elements.append(element)
        return elements.count
    }
    distributed func all() -> [Element] { elements }
    distributed func pair<Other: Codable & Sendable>(_ other: Other) -> [Other] { [other, other] }
}

/// A value that is encoded only if it allows it.
struct Stubborn: Codable, Sendable {
    var allows: Bool
    var count = 3

    func encode(to encoder: any Encoder) throws {
        guard allows else { throw Trouble.big(count) }
        var container = encoder.singleValueContainer()
        try container.encode(count)
    }

    init(allows: Bool) { self.allows = allows }

    init(from decoder: any Decoder) throws {
        count = try decoder.singleValueContainer().decode(Int.self)
        allows = true
        if count == 0 { throw Trouble.big(0) }
    }
}

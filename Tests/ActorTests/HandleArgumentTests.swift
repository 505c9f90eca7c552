import Distributed
import Glibc
import Multiprocessing
import TestSupport
import Testing

/// Handles of everything that can be shared, as they stand inside a value.
private struct Parcel: Codable, Sendable {
    var lock: SharedLock
    var recursive: SharedRecursiveLock
    var semaphore: SharedSemaphore
    var condition: SharedCondition
    var event: SharedEvent
    var barrier: SharedBarrier
    var queue: SharedQueue<String>
    var values: [String: SharedValue<Int>]
    var array: SharedArray<Int>?
    var memory: SharedMemory
    var connection: Connection<Int, String>
}

private struct Refused: Error, Codable {
    let total: SharedValue<Int>
}

/// Has shared state of other processes, for longer than a call.
private distributed actor Keeper {
    typealias ActorSystem = WorkerActorSystem
    private var parcel: Parcel?
    private var totals: [SharedValue<Int>] = []

    distributed func keep(_ parcel: Parcel) { self.parcel = parcel }

    /// Does something with each handle.
    distributed func useAll() async throws {
        guard let parcel else { return }
        try await parcel.lock.withLock {}
        try await parcel.recursive.withLock { try parcel.recursive.withLock {} }
        try await parcel.semaphore.withPermit {}
        try await parcel.lock.withLock { try parcel.condition.notifyAll() }
        parcel.event.set()
        parcel.barrier.abort()
        try await parcel.queue.send("from the actor")
        try await parcel.values["a"]?.withLock { $0 += 1 }
        parcel.array?[1] = 7
        parcel.memory.withBytes { $0.storeBytes(of: 9, toByteOffset: 3, as: UInt8.self) }
        try await parcel.connection.send(40)
    }

    distributed func add(_ number: Int, to total: SharedValue<Int>) throws -> Int {
        try total.withLock {
            $0 += number
            return $0
        }
    }

    distributed func make(_ number: Int) throws -> [SharedValue<Int>] {
        totals = [try SharedValue(number)]
        return totals
    }

    distributed func giveBack(_ total: SharedValue<Int>) -> SharedValue<Int> { total }
    distributed func made() throws -> Int { try totals[0].load() }
    distributed func refuse(_ total: SharedValue<Int>) throws { throw Refused(total: total) }
    distributed func take(_ event: SharedEvent, _ rest: [Int]) -> Int { rest.count }
    distributed func descriptorCount() -> Int { ProcessFacts.descriptorCount }
    distributed func echo(_ number: Int) -> Int { number }
    distributed func size(of memories: [SharedMemory]) -> Int { memories.reduce(0) { $0 + $1.byteCount } }

    /// Leaves room for as many descriptors as it returns, at the most: those that are open now may be closed by then.
    distributed func useUpDescriptors() -> Int {
        let next = dup(0)
        close(next)
        var limit = rlimit()
        getrlimit(.files, &limit)
        limit.rlim_cur = UInt(next)
        setrlimit(.files, &limit)
        return Int(next)
    }

    distributed func allowDescriptors() {
        var limit = rlimit()
        getrlimit(.files, &limit)
        limit.rlim_cur = min(limit.rlim_max, 4_096)
        setrlimit(.files, &limit)
    }
}

@Suite("Shared state in calls to actors", .admitted)
struct HandleArgumentTests {
    private func withKeeper(
        _ home: TestBackend, _ body: @escaping @Sendable (Keeper) async throws -> Void
    ) async throws {
        try await withLimit {
            let manager = try await Manager(home.backend)
            try await body(try await manager.host { Keeper(actorSystem: $0) })
            await manager.shutDown()
        }
    }

    @Test("Each handle among the arguments works in the actor, and after the call", arguments: TestBackend.allCases)
    func arguments(_ home: TestBackend) async throws {
        try await withKeeper(home) { keeper in
            let lock = try SharedLock()
            let (here, there) = try Connection<String, Int>.pair()
            let parcel = Parcel(
                lock: lock, recursive: try SharedRecursiveLock(), semaphore: try SharedSemaphore(1),
                condition: try SharedCondition(lock), event: try SharedEvent(), barrier: try SharedBarrier(parties: 2),
                queue: try SharedQueue(), values: ["a": try SharedValue(1), "b": try SharedValue(2)],
                array: try SharedArray([1, 2, 3]), memory: try SharedMemory(byteCount: 16), connection: there)
            try await keeper.keep(parcel)
            try await keeper.useAll()
            #expect(parcel.event.isSet)
            #expect(parcel.barrier.isBroken)
            let item = try await parcel.queue.receive(timeout: .seconds(30))
            #expect(item == "from the actor")
            let value = try await parcel.values["a"]?.load()
            #expect(value == 2)
            #expect(parcel.array?[1] == 7)
            #expect(parcel.memory.withBytes { $0.bytes.unsafeLoad(fromByteOffset: 3, as: UInt8.self) } == 9)
            let message = try await here.receive(timeout: .seconds(30))
            #expect(message == 40)
        }
    }

    @Test("Handles come back in results and in errors", arguments: TestBackend.allCases)
    func results(_ home: TestBackend) async throws {
        try await withKeeper(home) { keeper in
            let made = try await keeper.make(5)
            try await made[0].withLock { $0 += 1 }
            try await expect(6) { try await keeper.made() }
            let total = try SharedValue(1)
            let same = try await keeper.giveBack(total)
            try await same.withLock { $0 += 1 }
            try await expect(2) { try await total.load() }
            let error = await #expect(throws: Refused.self) { try await keeper.refuse(total) }
            try await expect(3) { try await keeper.add(1, to: try #require(error).total) }
        }
    }

    @Test("Workers give an actor what their parent has shared, and their own", arguments: TestBackend.allCases)
    func fromWorkers(_ backend: TestBackend) async throws {
        try await withKeeper(.processes) { keeper in
            try await backend.withPool(workers: 2) { pool in
                let total = try SharedValue(0)
                try await pool.forEach(1...100) { _ = try await keeper.add($0, to: total) }
                try await expect(5_050) { try await total.load() }
                let own = try await pool.map(1...10) { number in
                    let own = try SharedValue(number)
                    return try await keeper.add(1, to: own) + (try await own.load())
                }
                #expect(own == (1...10).map { 2 * ($0 + 1) })
            }
        }
    }

    @Test("Many at once keep their arguments apart")
    func manyAtOnce() async throws {
        try await withKeeper(.processes) { keeper in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 0..<200 {
                    group.addTask {
                        let total = try SharedValue(number)
                        // Large ones go out in several pieces.
                        let rest = Array(repeating: number, count: number % 10 == 0 ? 50_000 : 1)
                        let count = try await keeper.take(try SharedEvent(), rest)
                        #expect(count == rest.count)
                        for step in 1...3 {
                            let sum = try await keeper.add(1, to: total)
                            #expect(sum == number + step)
                        }
                    }
                }
                try await group.waitForAll()
            }
        }
    }

    @Test("Neither side keeps the descriptors of handles that are gone")
    func descriptors() async throws {
        await #expect(processExitsWith: .success) {
            try await withLimit {
                let manager = try await Manager(.processes)
                let keeper = try await manager.host { Keeper(actorSystem: $0) }
                _ = try await keeper.add(1, to: SharedValue(1))
                let before = (ProcessFacts.descriptorCount, try await keeper.descriptorCount())
                for number in 0..<1_000 {
                    let memory = try SharedMemory(byteCount: 4_096 + number)
                    let back = try await keeper.giveBack(try SharedValue(number))
                    try await expect(number + 1) { try await keeper.add(1, to: back) }
                    withExtendedLifetime(memory) {}
                }
                // What the last call had goes with its task, which may be a moment later.
                await expectSoon { ProcessFacts.descriptorCount <= before.0 + 2 }
                try await expectSoonAsync { try await keeper.descriptorCount() <= before.1 + 2 }
                await manager.shutDown()
            }
        }
    }

    @Test("A host without room for descriptors says so, and goes on")
    func noRoom() async throws {
        try await withKeeper(.processes) { keeper in
            let room = try await keeper.useUpDescriptors()
            let error = await #expect(throws: (any Error).self) {
                _ = try await keeper.size(of: (0...room).map { _ in try SharedMemory(byteCount: 4_096) })
            }
            #expect("\(try #require(error))".contains("descriptor"), "\(String(describing: error))")
            try await expect(4) { try await keeper.echo(4) }
            try await keeper.allowDescriptors()
            // Those that were lost are lost.
            let memories = try (0...room).map { _ in try SharedMemory(byteCount: 8_192) }
            try await expect(memories.count * 8_192) { try await keeper.size(of: memories) }
        }
    }
}

extension __rlimit_resource_t {
    fileprivate static var files: Self { Self(RLIMIT_NOFILE.rawValue) }
}

import Distributed
import Glibc
import Multiprocessing
import TestSupport
import Testing

@Suite("Managed objects", .admitted)
struct ManagedObjectTests {
    /// Runs `body` with a manager, and a pool of workers that use its objects.
    private func withObjects(
        _ home: TestBackend, _ workers: TestBackend = .processes,
        _ body: @escaping @Sendable (Manager, Pool) async throws -> Void
    ) async throws {
        try await workers.withPool { pool in
            let manager = try await Manager(home.backend)
            do {
                try await body(manager, pool)
            } catch {
                await manager.shutDown()
                throw error
            }
            await manager.shutDown()
        }
    }

    // MARK: Containers

    @Test("A dictionary is changed by workers, and by whole operations", arguments: TestBackend.allCases)
    func dictionary(_ home: TestBackend) async throws {
        try await withObjects(home) { manager, pool in
            let table = try await manager.dictionary(of: String.self, Int.self)
            try await pool.forEach(0..<20) { try await table.set("key \($0)", $0) }
            try await expect(20) { try await table.count }
            try await expect(7) { try await table.get("key 7") }
            try await expect(nil) { try await table.get("none") }
            try await expect(7) { try await table.remove("key 7") }
            try await expect(nil) { try await table.remove("key 7") }
            let step = 2
            try await pool.forEach(0..<100) { _ in try await table.update("sum", default: 0) { $0 += step } }
            try await expect(200) { try await table.get("sum") }
            try await expect([200]) {
                try await pool.map([1]) { _ in try await table.update("sum", default: 0) { $0 } }
            }
            await #expect(throws: Trouble.big(200)) {
                try await table.update("sum", default: 0) { sum in
                    defer { sum = 0 }
                    throw Trouble.big(sum)
                }
            }
            try await expect(200) { try await table.get("sum") }
            try await table.merge(["a": 1, "b": 2])
            try await expect(true) { try await table.keys.contains("a") }
            try await expect(2) { try await table.all["b"] }
            try await table.removeAll()
            try await expect([]) { try await table.values }
        }
    }

    @Test("An array has the operations of one, and refuses indices that are none", arguments: TestBackend.allCases)
    func array(_ home: TestBackend) async throws {
        try await withObjects(home) { manager, pool in
            let list = try await manager.array(of: Person.self)
            try await pool.forEach(0..<10) { try await list.append(Person(name: "\($0)")) }
            try await expect((0..<10).map { "\($0)" }.sorted()) { try await list.elements.map(\.name).sorted() }
            try await list.removeAll()
            try await list.append(contentsOf: [Person(name: "a"), Person(name: "c")])
            try await list.insert(Person(name: "b"), at: 1)
            try await list.set(0, Person(name: "A"))
            try await expect("c") { try await list.remove(at: 2).name }
            try await expect(["A", "b"]) { try await list.get(0..<2).map(\.name) }
            try await expect(2) { try await list.count }
            for index in [-1, 2] {
                let error = await #expect(throws: SharedStateError.self) { _ = try await list.get(index) }
                #expect(error?.code == .invalidArgument)
                #expect(error?.message.contains("\(index)") == true)
            }
            try await expect("b") { try await list.update { $0.removeLast().name } }
            try await list.update { $0.append(contentsOf: $0) }
            try await expect(["A", "A"]) { try await list.elements.map(\.name) }
            try await expect("A") { try await list.popLast()?.name }
        }
    }

    @Test(
        "Nested: a dictionary of arrays, both shared, which outlive other references", arguments: TestBackend.allCases)
    func nested(_ home: TestBackend) async throws {
        try await withObjects(home) { manager, pool in
            let table = try await manager.dictionary(of: String.self, ManagedArray<Int>.self)
            do {
                let inner = try await manager.array(of: Int.self)
                try await table.set("numbers", inner)
            }
            try await pool.forEach(0..<50) { number in
                guard let list = try await table.get("numbers") else { throw Trouble.big(number) }
                try await list.append(number)
            }
            let list = try #require(try await table.get("numbers"))
            try await expect(Array(0..<50)) { try await list.elements.sorted() }
            let queues = try await manager.array(of: ManagedQueue<Int>.self)
            try await queues.append(try await manager.queue(of: Int.self))
            try await pool.run { try await queues.get(0).send(5) }
            try await expect(5) { try await queues.get(0).receive() }
        }
    }

    @Test("A value and a namespace", arguments: TestBackend.allCases)
    func valueAndNamespace(_ home: TestBackend) async throws {
        try await withObjects(home) { manager, pool in
            let value = try await manager.value(Person(name: "x", age: 1))
            try await pool.forEach(0..<50) { _ in try await value.update { $0.age! += 1 } }
            try await expect(51) { try await value.get().age }
            try await value.set(Person(name: "y"))
            try await expect("y") { try await value.get().name }

            let space = try await manager.namespace()
            try await pool.run {
                try await space.set("limit", 10)
                try await space["names", as: [String].self].set(["a"])
            }
            try await expect(10) { try await space.get("limit", as: Int.self) }
            try await expect(["a"]) { try await space["names", as: [String].self].get() }
            try await expect(nil) { try await space["none", as: Int.self].get() }
            try await expect(["limit", "names"]) { try await space.names }
            let error = await #expect(throws: SharedStateError.self) { try await space.get("limit", as: String.self) }
            #expect(error?.code == .invalidArgument)
            try await expect(true) { try await space.remove("limit") }
        }
    }

    @Test("A change that captures what cannot travel is refused by name, and changes nothing")
    func notPortableUpdate() async throws {
        try await withObjects(.processes) { manager, _ in
            let value = try await manager.value(1)
            let object = Local()
            await expectRefusal("Local") { try await value.update { $0 += object.number } }
            try await expect(1) { try await value.get() }
        }
    }

    // MARK: Queues

    @Test("A queue hands over each element once, is bounded, and closes", arguments: TestBackend.allCases)
    func queue(_ home: TestBackend) async throws {
        try await withObjects(home) { manager, pool in
            let queue = try await manager.queue(of: Int.self, capacity: 3)
            let received = Task {
                try await pool.map([0, 1]) { _ in
                    var numbers: [Int] = []
                    do {
                        while true {
                            numbers.append(try await queue.receive())
                            try await queue.taskDone()
                        }
                    } catch let error as SharedStateError where error.code == .closed {}
                    return numbers
                }
            }
            try await queue.send(contentsOf: Array(0..<200))
            try await queue.join()
            try await queue.close()
            try await expect(Array(0..<200)) { try await received.value.flatMap { $0 }.sorted() }
            let error = await #expect(throws: SharedStateError.self) { try await queue.send(1) }
            #expect(error?.code == .closed)

            let other = try await manager.queue(of: Int.self, capacity: 1)
            try await expect(true) { try await other.trySend(1) }
            try await expect(false) { try await other.trySend(2) }
            let late = await #expect(throws: SharedStateError.self) {
                try await other.send(2, timeout: .milliseconds(10))
            }
            #expect(late?.code == .timedOut)
            try await expect([1]) { try await other.receive(atMost: 5) }
            try await expect(nil) { try await other.tryReceive() }
            let empty = await #expect(throws: SharedStateError.self) {
                _ = try await other.receive(timeout: .milliseconds(10))
            }
            #expect(empty?.code == .timedOut)
            let waiting = Task { try await other.receive() }
            waiting.cancel()
            await #expect(throws: CancellationError.self) { _ = try await waiting.value }
        }
    }

    // MARK: Locks

    @Test("A lock is had by one at a time", arguments: TestBackend.allCases, TestBackend.allCases)
    func lock(_ home: TestBackend, _ workers: TestBackend) async throws {
        try await withObjects(home, workers) { manager, pool in
            let lock = try await manager.lock()
            let value = try await manager.value(0)
            try await pool.forEach(0..<40) { _ in
                try await lock.withLock { try await value.set(try await value.get() + 1) }
            }
            try await expect(40) { try await value.get() }
            try await expect(false) { try await lock.isLocked }
            let error = await #expect(throws: SharedStateError.self) { try await lock.release() }
            #expect(error?.code == .notHeld)
            // Acquired by a worker, released here.
            try await pool.run { try await lock.acquire() }
            try await expect(false) { try await lock.tryAcquire() }
            let late = await #expect(throws: SharedStateError.self) {
                try await lock.acquire(timeout: .milliseconds(10))
            }
            #expect(late?.code == .timedOut)
            try await lock.release()
            try await expect(true) { try await lock.tryAcquire() }
        }
    }

    @Test("The lock of a process that died tells so until somebody has recovered", arguments: TestBackend.allCases)
    func lockOfTheDead(_ home: TestBackend) async throws {
        try await withObjects(home) { manager, _ in
            let lock = try await manager.lock()
            let child = try ChildProcess(.processes, lock) { lock in
                try await lock.acquire()
                try await Task.sleep(for: .seconds(3_000))
            }
            try await expectSoonAsync { try await lock.isLocked }
            let waiting = Task { try await lock.acquire() }
            child.kill()
            let error = await #expect(throws: SharedStateError.self) { try await waiting.value }
            #expect(error?.code == .ownerDied)
            let next = await #expect(throws: SharedStateError.self) { _ = try await lock.tryAcquire() }
            #expect(next?.code == .ownerDied)
            try await lock.markRecovered()
            try await lock.acquire(timeout: .seconds(60))
        }
    }

    @Test("A semaphore's permits, and those of a process that died", arguments: TestBackend.allCases)
    func semaphore(_ home: TestBackend) async throws {
        try await withObjects(home) { manager, pool in
            let semaphore = try await manager.semaphore(2)
            try await pool.forEach(0..<10) { _ in try await semaphore.withPermit { await Task.yield() } }
            try await expect(2) { try await semaphore.permits }
            let error = await #expect(throws: SharedStateError.self) { try await semaphore.release() }
            #expect(error?.code == .notHeld)
            let child = try ChildProcess(.processes, semaphore) { semaphore in
                try await semaphore.acquire()
                try await semaphore.acquire()
                try await Task.sleep(for: .seconds(3_000))
            }
            try await expectSoonAsync { try await semaphore.permits == 0 }
            try await expect(false) { try await semaphore.tryAcquire() }
            child.kill()
            try await semaphore.acquire(timeout: .seconds(120))
            try await semaphore.acquire(timeout: .seconds(120))
            let invalid = await #expect(throws: SharedStateError.self) { _ = try await manager.semaphore(-1) }
            #expect(invalid?.code == .invalidArgument)
        }
    }

    @Test("An event wakes all who wait", arguments: TestBackend.allCases)
    func event(_ home: TestBackend) async throws {
        try await withObjects(home) { manager, pool in
            let event = try await manager.event()
            try await expect(false) { try await event.wait(timeout: .milliseconds(5)) }
            let waiting = Task { try await pool.map([0, 1]) { _ in try await event.wait() } }
            try await event.set()
            try await expect([true, true]) { try await waiting.value }
            try await expect(true) { try await event.isSet }
            try await event.clear()
            try await expect(false) { try await event.wait(timeout: .zero) }
        }
    }

    @Test("A condition wakes as many as are notified, each with the lock", arguments: TestBackend.allCases)
    func condition(_ home: TestBackend) async throws {
        try await withObjects(home) { manager, _ in
            let condition = try await manager.condition()
            let woken = try await manager.value(0)
            let error = await #expect(throws: SharedStateError.self) { try await condition.notify() }
            #expect(error?.code == .notHeld)
            let children = try (0..<3).map { _ in
                try ChildProcess(.processes, (condition, woken)) { condition, woken in
                    try await condition.acquire()
                    let isNotified = try await condition.wait()
                    try await woken.set(try await woken.get() + 1)
                    try await condition.release()
                    return isNotified
                }
            }
            try await expectSoonAsync { try await condition.waitingCount == 3 }
            try await condition.acquire()
            try await condition.notify(2)
            try await condition.release()
            try await expectSoonAsync { try await woken.get() == 2 }
            try await condition.acquire()
            try await expect(1) { try await condition.waitingCount }
            try await condition.notifyAll()
            try await expect(false) { try await condition.wait(timeout: .milliseconds(10)) }
            try await condition.release()
            for child in children { try await expect(true) { try await child.value } }
            try await expect(3) { try await woken.get() }
            // Who is cancelled has the lock too.
            try await condition.acquire()
            let waiting = Task { try await condition.wait() }
            try await expectSoonAsync { try await condition.waitingCount == 1 }
            waiting.cancel()
            await #expect(throws: CancellationError.self) { _ = try await waiting.value }
            try await condition.release()
        }
    }

    @Test("A barrier lets so many through together, again and again, and breaks", arguments: TestBackend.allCases)
    func barrier(_ home: TestBackend) async throws {
        try await withObjects(home) { manager, pool in
            let barrier = try await manager.barrier(parties: 3)
            let rounds = Task {
                try await pool.map([0, 1], chunkSize: 1) { _ in
                    var places: [Int] = []
                    for _ in 0..<5 { places.append(try await barrier.wait()) }
                    return places
                }
            }
            var mine: [Int] = []
            for _ in 0..<5 { mine.append(try await barrier.wait()) }
            let all = try await rounds.value + [mine]
            for round in 0..<5 { #expect(Set(all.map { $0[round] }) == [0, 1, 2]) }

            let waiting = Task { try await barrier.wait() }
            let late = await #expect(throws: SharedStateError.self) {
                try await barrier.wait(timeout: .milliseconds(20))
            }
            #expect(late?.code == .barrierBroken)
            let broken = await #expect(throws: SharedStateError.self) { try await waiting.value }
            #expect(broken?.code == .barrierBroken)
            try await expect(true) { try await barrier.isBroken }
            try await barrier.reset()
            try await expect(false) { try await barrier.isBroken }
            let child = try ChildProcess(.processes, barrier) { _ = try await $0.wait() }
            try await expectSoonAsync { try await barrier.waitingCount == 1 }
            child.kill()
            try await expectSoonAsync { try await barrier.isBroken }
        }
    }
}

/// An object that no bytes hold.
private final class Local: Sendable {
    let number = 1
}

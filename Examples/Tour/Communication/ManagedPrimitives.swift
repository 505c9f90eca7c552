import Multiprocessing

/// The same with objects that a manager hosts: they reach whoever has a reference, and need no shared memory.
enum ManagedPrimitives: Program {
    static let about = "event, semaphore, lock, barrier, condition and queue that a manager hosts"

    struct Kit: Codable, Sendable {
        let start: ManagedEvent
        let permits: ManagedSemaphore
        let lock: ManagedLock
        let everybody: ManagedBarrier
        let changed: ManagedCondition
        let count: ManagedValue<Int>
        let done: ManagedValue<Int>
        let workers: ManagedQueue<Int>
    }

    static func run(on stage: Stage) async throws {
        let manager = try await Manager(stage.backend)
        let kit = Kit(
            start: try await manager.event(), permits: try await manager.semaphore(2), lock: try await manager.lock(),
            everybody: try await manager.barrier(parties: 4), changed: try await manager.condition(),
            count: try await manager.value(0), done: try await manager.value(0),
            workers: try await manager.queue(of: Int.self))
        let crew = try Crew(stage.backend, workers: 4, kit) { kit in try await work(kit) }
        try await kit.start.set()
        try await kit.changed.acquire()
        while try await kit.done.get() < 4 { try await kit.changed.wait() }
        try await kit.changed.release()
        try await crew.join()

        let (count, workers) = (try await kit.count.get(), try await kit.workers.receive(atMost: 4))
        say("\(try await kit.done.get()) done, the count is \(count), by workers \(workers.sorted())")
        try expect(count, is: 4, "the count")
        try expect(workers.sorted(), is: [0, 1, 2, 3], "the workers")
        await manager.shutDown()
    }

    private static func work(_ kit: Kit) async throws {
        _ = try await kit.start.wait()
        try await kit.permits.withPermit { try await kit.workers.send(Worker.current?.index ?? -1) }
        // Reads and writes: right only because of the lock.
        try await kit.lock.withLock { try await kit.count.set(try await kit.count.get() + 1) }
        _ = try await kit.everybody.wait()
        try await kit.changed.acquire()
        try await kit.done.update { $0 += 1 }
        try await kit.changed.notifyAll()
        try await kit.changed.release()
    }
}

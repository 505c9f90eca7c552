import Multiprocessing

/// Four workers start at an event, work two at a time, count under a lock, meet at a barrier, and tell by a condition.
enum SharedPrimitives: Program {
    static let about = "event, semaphore, recursive lock, barrier and condition in shared memory"

    struct Tally: BitwiseCopyable, Sendable {
        var inside = 0
        var most = 0
        var count = 0
        var done = 0
    }

    struct Kit: Codable, Sendable {
        let start: SharedEvent
        let permits: SharedSemaphore
        let lock: SharedRecursiveLock
        let everybody: SharedBarrier
        let changed: SharedCondition
        let tally: SharedValue<Tally>
        let nap: Duration
    }

    static func run(on stage: Stage) async throws {
        let kit = Kit(
            start: try SharedEvent(), permits: try SharedSemaphore(2), lock: try SharedRecursiveLock(),
            everybody: try SharedBarrier(parties: 4), changed: try SharedCondition(SharedLock()),
            tally: try SharedValue(Tally()), nap: stage.nap)
        let crew = try Crew(stage.backend, workers: 4, kit) { kit in try await work(kit) }
        kit.start.set()
        try await kit.changed.lock.withLock {
            _ = try await kit.changed.wait(until: { try kit.tally.load().done == 4 })
        }
        try await crew.join()
        let tally = try await kit.tally.load()
        say("\(tally.done) done, at most \(tally.most) at a time, the count is \(tally.count)")
        try insist((1...2).contains(tally.most), "\(tally.most) workers at a time had two permits")
        try expect(tally.count, is: 8, "the count")
    }

    private static func work(_ kit: Kit) async throws {
        _ = try await kit.start.wait()
        try await kit.permits.withPermit {
            try await kit.tally.withLock {
                $0.inside += 1
                $0.most = max($0.most, $0.inside)
            }
            try await Task.sleep(for: kit.nap)
            try await kit.tally.withLock { $0.inside -= 1 }
        }
        try await kit.lock.withLock {
            try await count(kit)
            try await kit.lock.withLock { try await count(kit) }
        }
        _ = try await kit.everybody.wait()
        try await kit.changed.lock.withLock {
            try await kit.tally.withLock { $0.done += 1 }
            try kit.changed.notifyAll()
        }
    }

    /// Reads, waits and writes: right only because of the lock that the caller has.
    private static func count(_ kit: Kit) async throws {
        let before = try await kit.tally.load().count
        try await Task.sleep(for: kit.nap / 5)
        try await kit.tally.withLock { $0.count = before + 1 }
    }
}

import Glibc
import Multiprocessing
import MultiprocessingSystem
import Synchronization
import TestSupport
import Testing

@Suite("Locks that travel", .serialized, .admitted)
struct SharedLockPoolTests {
    struct Parcel: Codable, Sendable {
        var locks: [SharedLock]
        var recursive: SharedRecursiveLock
        var name: String
    }

    /// `test_lock_locked_2processes`, `test_rlock_locked_2processes`: the other process sees that it is locked.
    @Test(arguments: TestBackend.allCases)
    func test_lock_locked_2processes(backend: TestBackend) async throws {
        let lock = try SharedLock()
        let recursive = try SharedRecursiveLock()
        try await backend.withPool { pool in
            #expect(try await pool.run { lock.isLocked || recursive.isLocked } == false)
            try await lock.acquire()
            try await recursive.acquire()
            #expect(try await pool.run { lock.isLocked && recursive.isLocked })
            #expect(try await pool.run { try lock.tryAcquire() == nil && recursive.tryAcquire() == nil })
            lock.release()
            #expect(try await pool.run { lock.isLocked } == false)
        }
    }

    @Test("As a capture, an input, an output and inside a value, there and back", arguments: TestBackend.allCases)
    func travel(backend: TestBackend) async throws {
        let lock = try SharedLock()
        let parcel = Parcel(locks: [lock, try SharedLock()], recursive: try SharedRecursiveLock(), name: "a")
        try await backend.withPool { pool in
            #expect(try await pool.run(lock) { lock in lock } == lock)
            let back = try await pool.run(parcel) { parcel in
                for lock in parcel.locks { try lock.acquire() }
                return parcel
            }
            #expect(back.locks == parcel.locks && back.recursive == parcel.recursive)
            #expect(lock.isLocked)
            // One made by a worker outlives the call.
            let made = try await pool.run { try SharedLock() }
            #expect(try await made.withLock { true })
            #expect(try await pool.run { try made.withLock { 1 } } == 1)
        }
    }

    @Test("What a worker holds, its next item may release")
    func foreign() async throws {
        let lock = try SharedLock()
        try await TestBackend.processes.withPool(workers: 1) { pool in
            try await pool.run { _ = try lock.acquire() }
            #expect(lock.isLocked)
            #expect("\(lock)".contains("held by process \(try await pool.run { getpid() })"))
            try await pool.run { lock.release() }
            #expect(!lock.isLocked)
        }
    }

    @Test("Workers, and the workers of a worker, take turns with the parent", arguments: TestBackend.allCases)
    func turns(backend: TestBackend) async throws {
        let soak = try LockSoak(LockSoakMemory.shared)
        let memory = LockSoakMemory.shared
        func word(_ place: LockSoak.Place) -> SharedWord { LockSoak.word(memory, place) }
        try await backend.withPool(workers: 3) { pool in
            let before = LockSoak.word(LockSoakMemory.shared, .acquired).load()
            let items = (0..<30).map { index in
                pool.submit { () async throws -> Void in
                    if index % 3 == 0 {
                        try await soak.round(50)
                    } else if index == 1 {
                        let inner = try Pool(.processes, workers: 1)
                        try await inner.run { try soak.roundBlocking(50) }
                        await inner.shutDown()
                    } else {
                        try soak.roundBlocking(50)
                    }
                }
            }
            try await soak.round(50)
            for item in items { try await item.value }
            #expect(LockSoak.word(LockSoakMemory.shared, .acquired).load() - before == 31 * 50)
        }
        #expect(word(.together).load() == 0)
        #expect(word(.tornUntold).load() == 0)
    }

    @Test("One that is stopped while it waits keeps nobody from the lock")
    func stopped() async throws {
        let lock = try SharedLock()
        try await TestBackend.processes.withPool(workers: 2) { pool in
            try await lock.acquire()
            let rendezvous = try Rendezvous()
            let ticket = rendezvous.ticket
            let waiter = pool.submit {
                ticket.arrive(Int(getpid()))
                try lock.withLock {}
            }
            await rendezvous.expectArrivals(1)
            let process = pid_t(try #require(rendezvous.arrivals.first))
            // It sleeps on the lock, or will see that it is locked.
            usleep(20_000)
            kill(process, SIGSTOP)
            lock.release()
            for _ in 0..<50 {
                try await lock.withLock { await Task.yield() }
                try await pool.run { try lock.withLock {} }
            }
            kill(process, SIGCONT)
            try await waiter.value
        }
    }

    @Test("A process in which nobody waits is not woken, and one in which somebody waits hardly ever")
    func idle() async throws {
        try await TestBackend.processes.withPool(workers: 1) { pool in
            let wakeUps = try await pool.run { () async throws -> [Int] in
                let lock = try SharedLock()
                try await lock.acquire()
                let waiter = Task { try await lock.withLock {} }
                while SharedWait.counts.waiters == 0 { await Task.yield() }
                let deaths = try LifePage.current.deaths.load()
                let begun = try switches()
                usleep(600_000)
                let waited = try switches()
                let died = Int(try LifePage.current.deaths.load() - deaths)
                lock.release()
                try await waiter.value
                // It has looked once more, and sleeps.
                var done = try switches()
                while true {
                    usleep(100_000)
                    let now = try switches()
                    if now == done { break }
                    done = now
                }
                usleep(600_000)
                return [waited - begun, try switches() - done, died]
            }
            // Every 250 ms, to see whether somebody died whom nobody has counted; for each death in the tree, of which
            // other tests have many, once and then eight times in a quarter of a second.
            #expect(wakeUps[0] <= 5 + 10 * wakeUps[2])
            #expect(wakeUps[1] == 0)
        }
    }

    @Test("Another encoder is refused, by name")
    func otherEncoders() throws {
        let lock = try SharedLock()
        let error = try #require(throws: EncodingError.self) { try lock.encode(to: StrangeEncoder()) }
        #expect("\(error)".contains("SharedLock") && "\(error)".contains("StrangeEncoder"))
    }
}

/// Memory for all tests of one process; its descriptor stays open.
private enum LockSoakMemory {
    static let shared: SharedPages = {
        guard let memory = try? LockSoak.makeMemory() else { fatalError("no memory to share") }
        return memory
    }()
}

/// How often the thread that looks for those who wait has given up the processor.
private func switches() throws -> Int {
    let folder = try #require(opendir("/proc/self/task"))
    defer { closedir(folder) }
    while let entry = readdir(folder) {
        let name = withUnsafeBytes(of: &entry.pointee.d_name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
        guard let status = try? text("/proc/self/task/\(name)/status"), status.contains("mp-waits") else { continue }
        let line = try #require(status.split(separator: "\n").first { $0.hasPrefix("voluntary_ctxt_switches") })
        return try #require(Int(line.split(separator: "\t").last ?? ""))
    }
    return -1
}

private func text(_ path: String) throws -> String {
    String(decoding: try FileDescriptor.open(path).readToEnd(), as: UTF8.self)
}

extension LockSoak {
    /// Changes the numbers so many times.
    func round(_ count: Int) async throws {
        let memory = try open()
        for _ in 0..<count { try await onceSuspending(memory) }
    }

    func roundBlocking(_ count: Int) throws {
        let memory = try open()
        for _ in 0..<count { try once(memory) }
    }
}

/// An encoder that is not the library's.
private struct StrangeEncoder: Encoder {
    var codingPath: [any CodingKey] { [] }
    var userInfo: [CodingUserInfoKey: Any] { [:] }

    func container<Key: CodingKey>(keyedBy type: Key.Type) -> KeyedEncodingContainer<Key> {
        preconditionFailure("nothing is written")
    }

    func unkeyedContainer() -> any UnkeyedEncodingContainer { preconditionFailure("nothing is written") }

    func singleValueContainer() -> any SingleValueEncodingContainer { preconditionFailure("nothing is written") }
}

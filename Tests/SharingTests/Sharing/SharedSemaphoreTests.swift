import Glibc
import Multiprocessing
import MultiprocessingSystem
import TestSupport
import Testing

@Suite("SharedSemaphore", .serialized, .admitted)
struct SharedSemaphoreTests {
    /// `test_semaphore`: 2, 1, 0, none without waiting, and above what there was.
    @Test(arguments: TestBackend.allCases)
    func test_semaphore(backend: TestBackend) async throws {
        let semaphore = try SharedSemaphore(2, isBounded: false)
        try await backend.withPool { pool in
            #expect(semaphore.available == 2)
            try await semaphore.acquire()
            #expect(semaphore.available == 1)
            try await pool.run { try semaphore.acquire() }
            #expect(semaphore.available == 0)
            #expect(try semaphore.tryAcquire() == false)
            #expect(try await pool.run { try semaphore.tryAcquire() } == false)
            for count in 1...4 {
                if count % 2 == 0 { try semaphore.release() } else { try await pool.run { try semaphore.release() } }
                #expect(semaphore.available == count)
            }
        }
    }

    /// `test_bounded_semaphore`: the same up to the bound, and no further.
    @Test(arguments: TestBackend.allCases)
    func test_bounded_semaphore(backend: TestBackend) async throws {
        let semaphore = try SharedSemaphore(2)
        #expect(semaphore.isBounded)
        try await backend.withPool { pool in
            expectRefusal(.notHeld) { try semaphore.release() }
            try await semaphore.acquire()
            #expect(semaphore.available == 1)
            #expect(try await pool.run { try semaphore.withPermit { semaphore.available } } == 0)
            try await pool.run { try await semaphore.withPermit { await Task.yield() } }
            if backend == .processes {
                // Held, but not by it.
                await expectRefusalAwaiting(.notHeld) { try await pool.run { try semaphore.release() } }
            }
            try semaphore.release()
            #expect(semaphore.available == 2)
            expectRefusal(.notHeld) { try semaphore.release() }
        }
    }

    /// `_TestSemaphore.test_timeout`.
    @Test(arguments: [true, false])
    func test_timeout(isBounded: Bool) async throws {
        let semaphore = try SharedSemaphore(0, isBounded: isBounded)
        #expect(try semaphore.tryAcquire() == false)
        let start = MonotonicTime.now()
        await expectRefusalAwaiting(.timedOut) { try await semaphore.acquire(timeout: .milliseconds(30)) }
        expectRefusal(.timedOut) { try block(semaphore, .milliseconds(30)) }
        #expect(MonotonicTime.now().duration(since: start) >= .milliseconds(60))
    }

    private func block(_ semaphore: SharedSemaphore, _ timeout: Duration?) throws {
        try semaphore.acquire(timeout: timeout)
    }

    @Test("Impossible numbers are refused")
    func badInput() {
        for permits in [-1, .min, 1 << 31, .max] {
            expectRefusal(.invalidArgument) { try SharedSemaphore(permits) }
            expectRefusal(.invalidArgument) { try SharedSemaphore(permits, isBounded: false) }
        }
        expectRefusal(.invalidArgument) { try SharedSemaphore(1 << 31 - 1, isBounded: false).release() }
    }

    @Test("Never more at a time than there are permits, blocked and suspended", arguments: [true, false])
    func turns(isBounded: Bool) async throws {
        let semaphore = try SharedSemaphore(3, isBounded: isBounded)
        let inside = Counter()
        let most = Most()
        try await withLimit {
            try await withThrowingTaskGroup { group in
                for index in 0..<12 {
                    group.addTask {
                        if index % 3 == 0 {
                            try await onBlockableThread {
                                for _ in 0..<60 { try semaphore.withPermit { most.note(inside) } }
                            }
                        } else {
                            for _ in 0..<60 {
                                try await semaphore.withPermit {
                                    most.note(inside)
                                    await Task.yield()
                                }
                            }
                        }
                    }
                }
                try await group.waitForAll()
            }
        }
        #expect(most.value <= 3)
        #expect(semaphore.available == 3)
    }

    @Test("Cancelling and releasing at the same moment loses no permit", arguments: [true, false])
    func cancellation(isBounded: Bool) async throws {
        let semaphore = try SharedSemaphore(1, isBounded: isBounded)
        try await withLimit {
            for _ in 0..<200 {
                try await semaphore.acquire()
                let task = Task { try await semaphore.withPermit { 1 } }
                let other = Task { try await semaphore.withPermit { 2 } }
                let release = Task { try semaphore.release() }
                task.cancel()
                try await release.value
                _ = try? await task.value
                #expect(try await other.value == 2)
            }
        }
        #expect(semaphore.available == 1)
    }

    @Test("The permits of the dead come back, and those who wait have them")
    func permitsOfTheDead() async throws {
        let semaphore = try SharedSemaphore(3)
        try await TestBackend.processes.withPool { pool in
            for _ in 0..<3 {
                let rendezvous = try Rendezvous()
                let ticket = rendezvous.ticket
                let holder = pool.submit {
                    for _ in 0..<3 { try semaphore.acquire() }
                    ticket.arrive()
                    ticket.wait()
                    kill(getpid(), SIGKILL)
                }
                await rendezvous.expectArrivals(1)
                #expect(try semaphore.tryAcquire() == false)
                let waiters = (0..<3).map { _ in Task { try await semaphore.acquire() } }
                rendezvous.letThrough()
                await #expect(throws: PoolError.self) { try await holder.value }
                for waiter in waiters { try await waiter.value }
                #expect(try semaphore.tryAcquire() == false)
                for _ in 0..<3 { try semaphore.release() }
            }
        }
    }

    @Test("Processes are killed at any moment, and all permits are there in the end")
    func kills() async throws {
        let semaphore = try SharedSemaphore(2)
        try await TestBackend.processes.withPool(workers: 3) { pool in
            for round in 0..<killCount(10) {
                let rendezvous = try Rendezvous()
                let ticket = rendezvous.ticket
                let users = (0..<3).map { index in
                    pool.submit { () async throws -> Void in
                        ticket.arrive(Int(getpid()))
                        while true {
                            if index == 0 { try await semaphore.withPermit {} } else { try use(semaphore) }
                        }
                    }
                }
                await rendezvous.expectArrivals(3)
                for process in rendezvous.arrivals {
                    usleep(UInt32(round % 7) * 200)
                    kill(pid_t(process), SIGKILL)
                    // The others go on, and so does this process.
                    try await semaphore.withPermit(timeout: .seconds(100)) {}
                }
                for user in users { await #expect(throws: PoolError.self) { try await user.value } }
                for _ in 0..<2 { try await semaphore.acquire(timeout: .seconds(100)) }
                #expect(try semaphore.tryAcquire() == false)
                for _ in 0..<2 { try semaphore.release() }
            }
        }
    }
}

private func use(_ semaphore: SharedSemaphore) throws { try semaphore.withPermit {} }

/// The most that were inside at a time.
private final class Most: @unchecked Sendable {
    // Sendable: changed under its lock.
    private let lock = try! SharedLock()
    private var inside = 0
    private var most = 0

    var value: Int { most }

    func note(_ counter: Counter) {
        change(1)
        counter.increment()
        change(-1)
    }

    private func change(_ by: Int) {
        try! lock.withLock {
            inside += by
            most = max(most, inside)
        }
    }
}

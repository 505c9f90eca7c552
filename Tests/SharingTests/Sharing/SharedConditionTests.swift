import Glibc
import Multiprocessing
import MultiprocessingSystem
import TestSupport
import Testing

@Suite("SharedCondition", .serialized, .admitted)
struct SharedConditionTests {
    /// What the sleepers of a test share.
    struct Bed: Codable, Sendable {
        let condition: SharedCondition
        let sleeping: SharedSemaphore
        let woken: SharedSemaphore

        init() throws {
            condition = try SharedCondition(try SharedLock())
            sleeping = try SharedSemaphore(0, isBounded: false)
            woken = try SharedSemaphore(0, isBounded: false)
        }

        /// Sleeps once; returns whether it was notified.
        func sleep(_ timeout: Duration? = nil) throws -> Bool {
            try condition.lock.withLock {
                try sleeping.release()
                let result = try condition.wait(timeout: timeout)
                try woken.release()
                return result
            }
        }

        func sleepSuspended(_ timeout: Duration? = nil) async throws -> Bool {
            try await condition.lock.withLock {
                try sleeping.release()
                let result = try await condition.wait(timeout: timeout)
                try woken.release()
                return result
            }
        }

        func notify(_ n: Int) throws { try condition.lock.withLock { try condition.notify(n) } }
        func notifyAll() throws { try condition.lock.withLock { try condition.notifyAll() } }

        /// Waits until so many sleep: each has the lock until it does.
        func expectSleeping(_ count: Int) async throws {
            for _ in 0..<count { try await sleeping.acquire(timeout: .seconds(100)) }
            try await condition.lock.withLock {}
        }

        func expectWoken(_ count: Int) async throws {
            for _ in 0..<count { try await woken.acquire(timeout: .seconds(100)) }
            #expect(woken.available == 0)
        }
    }

    /// `test_notify`: a worker and a task of this process sleep; each notification wakes one.
    @Test(arguments: TestBackend.allCases)
    func test_notify(backend: TestBackend) async throws {
        let bed = try Bed()
        try await backend.withPool { pool in
            let worker = pool.submit { try bed.sleep() }
            let own = Task { try await bed.sleepSuspended() }
            try await bed.expectSleeping(2)
            #expect(bed.woken.available == 0)
            try bed.notify(1)
            try await bed.expectWoken(1)
            // Nobody else looks for a reason of its own.
            usleep(400_000)
            #expect(bed.woken.available == 0)
            try bed.notify(1)
            try await bed.expectWoken(1)
            #expect(try await worker.value)
            #expect(try await own.value)
        }
    }

    /// `test_notify_all`: those whose time has passed leave nothing behind.
    @Test(arguments: TestBackend.allCases)
    func test_notify_all(backend: TestBackend) async throws {
        let bed = try Bed()
        try await backend.withPool(workers: 3) { pool in
            let late = (0..<6).map { index in
                pool.submit { () async throws -> Bool in
                    index % 2 == 0 ? try await bed.sleepSuspended(.milliseconds(30)) : try bed.sleep(.milliseconds(30))
                }
            }
            for sleeper in late { #expect(try await sleeper.value == false) }
            try await bed.expectSleeping(6)
            try await bed.expectWoken(6)
            let workers = (0..<3).map { _ in pool.submit { try bed.sleep() } }
            let tasks = (0..<3).map { _ in Task { try await bed.sleepSuspended() } }
            try await bed.expectSleeping(6)
            try bed.notifyAll()
            for sleeper in workers { #expect(try await sleeper.value) }
            for sleeper in tasks { #expect(try await sleeper.value) }
            try await bed.expectWoken(6)
        }
    }

    /// `test_notify_n`: two, then the rest, then nobody.
    @Test(arguments: TestBackend.allCases)
    func test_notify_n(backend: TestBackend) async throws {
        let bed = try Bed()
        try await backend.withPool(workers: 3) { pool in
            let workers = (0..<3).map { _ in pool.submit { try bed.sleep() } }
            let tasks = (0..<3).map { _ in Task { try await bed.sleepSuspended() } }
            try await bed.expectSleeping(6)
            try bed.notify(0)
            #expect(bed.woken.available == 0)
            try bed.notify(2)
            try await bed.expectWoken(2)
            try bed.notify(4)
            try await bed.expectWoken(4)
            try bed.notify(3)
            for sleeper in workers { #expect(try await sleeper.value) }
            for sleeper in tasks { #expect(try await sleeper.value) }
        }
    }

    /// `test_timeout`, `test_wait_result`: false in time, true when notified, interrupted by being cancelled.
    @Test func test_wait_result() async throws {
        let bed = try Bed()
        for timeout: Duration in [.zero, .milliseconds(20)] {
            #expect(try bed.sleep(timeout) == false)
            #expect(try await bed.sleepSuspended(timeout) == false)
        }
        try await bed.expectSleeping(4)
        let sleeper = Task { try await bed.sleepSuspended() }
        try await bed.expectSleeping(1)
        try bed.notifyAll()
        #expect(try await sleeper.value)
        let cancelled = Task { try await bed.sleepSuspended() }
        try await bed.expectSleeping(1)
        cancelled.cancel()
        await #expect(throws: CancellationError.self) { try await cancelled.value }
        #expect(!bed.condition.lock.isLocked)
    }

    /// `test_waitfor`: a predicate over what is shared.
    @Test(arguments: TestBackend.allCases)
    func test_waitfor(backend: TestBackend) async throws {
        let lock = try SharedLock()
        let condition = try SharedCondition(lock)
        let count = try SharedSemaphore(0, isBounded: false)
        try await backend.withPool(workers: 1) { pool in
            let worker = pool.submit {
                try lock.withLock { try condition.wait(until: { count.available == 4 }) }
            }
            let own = Task { try await lock.withLock { try await condition.wait(until: { count.available == 4 }) } }
            for _ in 0..<4 {
                try await lock.withLock {
                    try count.release()
                    try condition.notifyAll()
                }
            }
            #expect(try await worker.value)
            #expect(try await own.value)
        }
    }

    /// `test_waitfor_timeout`.
    @Test func test_waitfor_timeout() async throws {
        let lock = try SharedLock()
        let condition = try SharedCondition(lock)
        let start = MonotonicTime.now()
        #expect(
            try await lock.withLock { try await condition.wait(until: { false }, timeout: .milliseconds(40)) } == false)
        #expect(MonotonicTime.now().duration(since: start) >= .milliseconds(40))
        #expect(MonotonicTime.now().duration(since: start) < .seconds(20))
    }

    @Test("Without the lock nothing is done, and a negative number is refused")
    func badInput() async throws {
        let lock = try SharedLock()
        let condition = try SharedCondition(lock)
        expectRefusal(.notHeld) { try condition.notify() }
        expectRefusal(.notHeld) { try condition.notifyAll() }
        await expectRefusalAwaiting(.notHeld) { try await condition.wait(timeout: .zero) }
        await expectRefusalAwaiting(.notHeld) { try await condition.wait(until: { true }) }
        try await lock.withLock { expectRefusal(.invalidArgument) { try condition.notify(-1) } }
    }

    @Test("A predicate that throws leaves the lock as it was")
    func throwing() async throws {
        let lock = try SharedLock()
        let condition = try SharedCondition(lock)
        await #expect(throws: InputFailure.self) {
            try await lock.withLock { try await condition.wait(until: { throw InputFailure() }) }
        }
        #expect(!lock.isLocked)
    }

    @Test("Consumers are killed while they wait and when they are notified; the others take all there is")
    func kills() async throws {
        let lock = try SharedLock()
        let condition = try SharedCondition(lock)
        let items = try SharedSemaphore(0, isBounded: false)
        let taken = try SharedSemaphore(0, isBounded: false)
        try await TestBackend.processes.withPool(workers: 3) { pool in
            for round in 0..<killCount(10) {
                let rendezvous = try Rendezvous()
                let ticket = rendezvous.ticket
                let victim = pool.submit {
                    ticket.arrive(Int(getpid()))
                    while true { try take(lock, condition, items, taken) }
                }
                let survivor = pool.submit {
                    ticket.arrive()
                    while true {
                        if try take(lock, condition, items, taken) { return }
                    }
                }
                await rendezvous.expectArrivals(2)
                let process = pid_t(try #require(rendezvous.arrivals.first { $0 != 0 }))
                for item in 0..<20 {
                    if item == 10 {
                        usleep(UInt32(round % 5) * 200)
                        kill(process, SIGKILL)
                    }
                    try await lock.withLock(recover: ignore) {
                        try items.release()
                        try condition.notify()
                    }
                }
                await #expect(throws: PoolError.self) { try await victim.value }
                await expectSoon("what was there was not taken") { items.available == 0 }
                // The survivor ends when it is told so.
                try await lock.withLock(recover: ignore) {
                    try items.release()
                    for _ in 0..<1_000 { try taken.release() }
                    try condition.notify()
                }
                try await survivor.value
                while try taken.tryAcquire() {}
            }
        }
    }
}

/// Takes an item when there is one; returns whether the test is over.
@discardableResult
private func take(
    _ lock: SharedLock, _ condition: SharedCondition, _ items: SharedSemaphore, _ taken: SharedSemaphore
) throws -> Bool {
    do {
        return try lock.withLock(recover: ignore) {
            try condition.wait(until: { items.available > 0 })
            _ = try items.tryAcquire()
            try taken.release()
            return taken.available > 1_000
        }
    } catch let error as SharedStateError where error.code == .ownerDied {
        // Somebody died with the lock while this one waited for a change.
        return try lock.withLock(recover: ignore) { false }
    }
}

/// Nothing that the lock guards is ever half changed.
private func ignore(_ dead: DeadOwner) {}

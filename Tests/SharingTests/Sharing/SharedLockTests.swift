import Multiprocessing
import Synchronization
import TestSupport
import Testing

@testable import MultiprocessingSystem

@Suite("SharedLock in one process", .admitted)
struct SharedLockTests {
    /// `test_lock`: acquire, a second one without waiting fails, release, a release too many is refused.
    @Test func test_lock() throws {
        let lock = try SharedLock()
        #expect(!lock.isLocked)
        try lock.acquire()
        #expect(lock.isLocked)
        #expect(try lock.tryAcquire() == nil)
        lock.release()
        #expect(!lock.isLocked)
    }

    @Test("Who releases or recovers a lock that is another's or nobody's ends, and says why", arguments: 0..<5)
    func misuse(_ kind: Int) async throws {
        let (lock, recursive) = (try SharedLock(), try SharedRecursiveLock())
        try await TestBackend.processes.withPool(workers: 1) { pool in
            if kind == 3 { try await lock.acquire() }
            let error = await #expect(throws: PoolError.self) {
                try await pool.run {
                    switch kind {
                    case 0: lock.release()
                    case 1: lock.markRecovered()
                    case 2: recursive.release()
                    case 3: lock.release()
                    default: try await recursive.withLock { await Task { recursive.release() }.value }
                    }
                }
            }
            #expect(error?.code == .workerCrashed)
            let text = error?.standardError ?? ""
            #expect(text.contains(kind == 1 ? "SharedLock.markRecovered()" : "Lock.release()"))
            #expect(text.contains("notHeld"))
            // What the fault did not own is as it was.
            #expect(lock.isLocked == (kind == 3))
            if kind == 3 { lock.release() }
        }
    }

    /// `test_rlock`: three acquires, three releases; the fourth is told of in `misuse`.
    @Test func test_rlock() throws {
        let lock = try SharedRecursiveLock()
        for _ in 0..<3 { try lock.acquire() }
        for _ in 0..<3 {
            #expect(lock.isLocked)
            lock.release()
        }
        #expect(!lock.isLocked)
    }

    /// `test_lock_context`, `test_rlock_context`.
    @Test func test_lock_context() async throws {
        let lock = try SharedLock()
        let recursive = try SharedRecursiveLock()
        #expect(try await lock.withLock { 7 } == 7)
        #expect(
            try await recursive.withLock {
                try await recursive.withLock {
                    await Task.yield()
                    return 8
                }
            } == 8)
        #expect(!lock.isLocked && !recursive.isLocked)
    }

    /// `test_repr_lock`, `test_repr_rlock`.
    @Test func test_repr_lock() throws {
        let lock = try SharedLock()
        let recursive = try SharedRecursiveLock()
        #expect("\(lock)" == "SharedLock(free)")
        #expect("\(recursive)" == "SharedRecursiveLock(free)")
        try lock.acquire()
        try recursive.acquire()
        try recursive.acquire()
        #expect("\(lock)" == "SharedLock(held by this process)")
        #expect("\(recursive)" == "SharedRecursiveLock(held by the caller, depth 2)")
        lock.release()
        for _ in 0..<2 { recursive.release() }
    }

    @Test("What a body throws comes through, and the lock is free")
    func throwing() async throws {
        let lock = try SharedLock()
        #expect(throws: InputFailure.self) { try Self.fail(lock) }
        await #expect(throws: InputFailure.self) { try await lock.withLock { throw InputFailure() } }
        await #expect(throws: InputFailure.self) {
            try await lock.withLock {
                await Task.yield()
                throw InputFailure()
            }
        }
        #expect(!lock.isLocked)
    }

    private static func fail(_ lock: SharedLock) throws { try lock.withLock { throw InputFailure() } }

    @Test("A copy is the same lock, another is not")
    func identity() throws {
        let lock = try SharedLock()
        let other = try SharedLock()
        #expect(lock != other)
        let copy = lock
        #expect(Set([lock, copy, other]).count == 2)
        try lock.acquire()
        #expect(copy.isLocked && !other.isLocked)
        copy.release()
    }

    @Test("A wait ends at its time, and a lock that is free is had without any")
    func timeouts() async throws {
        let lock = try SharedLock()
        for timeout: Duration in [.zero, .seconds(-1), .milliseconds(1)] {
            try Self.take(lock, timeout)
            try await lock.withLock(timeout: timeout) {}
        }
        try await lock.acquire()
        for timeout: Duration in [.zero, .milliseconds(30)] {
            let start = MonotonicTime.now()
            expectRefusal(.timedOut) { try Self.take(lock, timeout) }
            await expectRefusalAwaiting(.timedOut) { try await lock.withLock(timeout: timeout) {} }
            await expectRefusalAwaiting(.timedOut) { try await lock.acquire(timeout: timeout) }
            #expect(MonotonicTime.now().duration(since: start) >= timeout * 3)
        }
        lock.release()
        try Self.take(lock, .zero)
    }

    private static func take(_ lock: SharedLock, _ timeout: Duration) throws { try lock.withLock(timeout: timeout) {} }

    @Test("Threads that block take turns")
    func threads() async throws {
        let lock = try SharedLock()
        let counter = Unguarded()
        try await withLimit {
            try await withThrowingTaskGroup { group in
                for _ in 0..<4 {
                    group.addTask {
                        try await onBlockableThread {
                            for _ in 0..<5_000 { try lock.withLock { counter.value += 1 } }
                        }
                    }
                }
                try await group.waitForAll()
            }
        }
        #expect(counter.value == 20_000)
    }

    @Test("Tasks take turns, and hold the lock over a suspension", arguments: [2, 50, 500])
    func tasks(count: Int) async throws {
        let lock = try SharedLock()
        let counter = Unguarded()
        try await withLimit {
            try await withThrowingTaskGroup { group in
                for _ in 0..<count {
                    group.addTask {
                        for _ in 0..<(2_000 / count) {
                            try await lock.withLock {
                                let value = counter.value
                                await Task.yield()
                                counter.value = value + 1
                            }
                        }
                    }
                }
                try await group.waitForAll()
            }
        }
        #expect(counter.value == 2_000 / count * count)
        #expect(!lock.isLocked)
    }

    @Test("Threads and tasks together, with a kernel that waits for one word only")
    func mixed() async throws {
        let lock = try SharedLock()
        let counter = Unguarded()
        FutexWaiting.avoidsSeveral = true
        defer { FutexWaiting.avoidsSeveral = false }
        try await withLimit {
            try await withThrowingTaskGroup { group in
                for _ in 0..<2 {
                    group.addTask {
                        for _ in 0..<20 {
                            try await lock.withLock {
                                let value = counter.value
                                await Task.yield()
                                counter.value = value + 1
                            }
                        }
                    }
                    group.addTask {
                        try await onBlockableThread {
                            for _ in 0..<20 { try lock.withLock { counter.value += 1 } }
                        }
                    }
                }
                try await group.waitForAll()
            }
        }
        #expect(counter.value == 80)
    }

    @Test("More words than one thread can wait for")
    func manyWords() async throws {
        let locks = try (0..<300).map { _ in try SharedLock() }
        for lock in locks { try await lock.acquire() }
        try await withLimit {
            try await withThrowingTaskGroup { group in
                for lock in locks { group.addTask { try await lock.withLock { _ = 0 } } }
                await expectSoon { SharedWait.counts.waiters >= 300 && SharedWait.counts.threads >= 3 }
                for lock in locks { lock.release() }
                try await group.waitForAll()
            }
        }
        #expect(SharedWait.counts.threads >= 3)
        #expect(locks.allSatisfy { !$0.isLocked })
    }

    @Test("Cancelling ends a wait, and leaves the lock to others")
    func cancellation() async throws {
        let lock = try SharedLock()
        try await lock.acquire()
        try await withLimit {
            let waiting = (0..<20).map { _ in Task { try await lock.acquire() } }
            let next = Task { try await lock.acquire() }
            for task in waiting { task.cancel() }
            for task in waiting {
                await #expect(throws: CancellationError.self) { try await task.value }
            }
            lock.release()
            _ = try await next.value
        }
        lock.release()
        // Cancelled from the start: what is free is still had, what is not is not waited for.
        let cancelled = Task {
            while !Task.isCancelled { await Task.yield() }
            try await lock.withLock {}
            try await lock.acquire()
            try await lock.acquire()
        }
        cancelled.cancel()
        await #expect(throws: CancellationError.self) { try await cancelled.value }
        lock.release()
    }

    @Test("Cancelling ends the wait of a task that blocks its thread")
    func blockingCancellation() async throws {
        let lock = try SharedLock()
        try await lock.acquire()
        try await withLimit {
            let task = Task { try Self.block(on: lock) }
            task.cancel()
            await #expect(throws: CancellationError.self) { try await task.value }
        }
        lock.release()
    }

    private static func block(on lock: SharedLock) throws { try lock.withLock {} }

    @Test("Cancelled and released at the same moment, again and again, no lock is lost")
    func cancellationRace() async throws {
        let lock = try SharedLock()
        try await withLimit {
            for round in 0..<300 {
                try await lock.acquire()
                let task = Task { try await lock.withLock { 1 } }
                let other = Task { try await lock.withLock { 2 } }
                if round % 3 == 0 { await Task.yield() }
                let release = Task { lock.release() }
                task.cancel()
                await release.value
                _ = try? await task.value
                #expect(try await other.value == 2)
            }
        }
        #expect(!lock.isLocked)
    }

    @Test("A recursive lock belongs to a task: its child waits, its blocking code does not")
    func recursiveTasks() async throws {
        let lock = try SharedRecursiveLock()
        try await withLimit {
            try await lock.withLock {
                try Self.nest(lock, 10)
                await expectRefusalAwaiting(.timedOut) {
                    async let child: Void = lock.withLock(timeout: .milliseconds(20)) {}
                    return try await child
                }
            }
            try await Task { try await lock.withLock {} }.value
        }
        #expect(!lock.isLocked)
    }

    private static func nest(_ lock: SharedRecursiveLock, _ depth: Int) throws {
        guard depth > 0 else { return }
        try lock.withLock { try nest(lock, depth - 1) }
    }

    @Test("A recursive lock belongs to a thread that runs no task")
    func recursiveThreads() async throws {
        let lock = try SharedRecursiveLock()
        let counter = Unguarded()
        try await withLimit {
            try await withThrowingTaskGroup { group in
                for _ in 0..<3 {
                    group.addTask {
                        try await onBlockableThread {
                            for _ in 0..<1_000 {
                                try lock.withLock { try lock.withLock { counter.value += 1 } }
                            }
                        }
                    }
                }
                try await group.waitForAll()
            }
        }
        #expect(counter.value == 3_000)
    }

    @Test("Whoever waits does not keep the processor busy, and nobody who waits wakes nothing")
    func idle() async throws {
        let lock = try SharedLock()
        try await lock.acquire()
        let waiter = Task { try await lock.withLock {} }
        await expectSoon { SharedWait.counts.waiters >= 1 }
        lock.release()
        try await waiter.value
        #expect(try await lock.withLock { true })
    }
}

/// A number that only a lock keeps whole.
final class Unguarded: @unchecked Sendable {
    // Sendable: the tests change it under the lock that they try.
    var value = 0
}

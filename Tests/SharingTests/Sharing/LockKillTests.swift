import Glibc
import Multiprocessing
import MultiprocessingSystem
import TestSupport
import Testing

@Suite("Processes that are killed with a lock", .serialized, .admitted)
struct LockKillTests {
    @Test("One at a time, the next is told, nobody is stuck", arguments: [false, true])
    func soak(suspending: Bool) async throws {
        let memory = try LockSoak.makeMemory()
        let soak = try LockSoak(memory)
        func word(_ place: LockSoak.Place, _ index: Int = 0) -> SharedWord { LockSoak.word(memory, place, index) }
        let workers = 3
        let kills = killCount(25)
        let seed = UInt64.random(in: 0...UInt64.max)
        var random = RandomSource(seed: seed)
        let pool = try Pool(.processes, workers: workers)
        func start(_ index: Int) -> Future<Void> {
            suspending
                ? pool.submit { try await soak.runSuspending(index) } : pool.submit { try soak.run(index) }
        }
        var futures = (0..<workers).map(start)
        var delays: [UInt64] = []
        for _ in 0..<kills {
            let index = Int.random(in: 0..<workers, using: &random)
            await expectSoon("seed \(seed): no process \(index)") { word(.process, index).load() != 0 }
            usleep(UInt32.random(in: 0..<2_000, using: &random))
            let told = word(.told).load()
            let process = word(.process, index).load()
            word(.process, index).store(0)
            let killed = MonotonicTime.now().nanoseconds
            kill(pid_t(process), SIGKILL)
            do {
                try await futures[index].value
                Issue.record("seed \(seed): it ended by itself")
            } catch let error as PoolError {
                #expect(error.code == .workerCrashed && error.processID == pid_t(process))
            }
            let acquired = word(.acquired).load()
            await expectSoon("seed \(seed): nobody gets the lock") { word(.acquired).load() > acquired }
            if word(.told).load() != told { delays.append(word(.toldAt).load() - killed) }
            futures[index] = start(index)
        }
        await pool.terminate()
        #expect(word(.together).load() == 0, "seed \(seed)")
        #expect(word(.tornUntold).load() == 0, "seed \(seed)")
        #expect(word(.told).load() >= UInt64(kills / 20), "most of the time somebody has the lock")
        // Three processes that want all of two cores leave the reaper little.
        #expect(delays.allSatisfy { $0 < 10_000_000_000 }, "seed \(seed)")
    }

    @Test("A killed holder's lock is had at once, blocked and suspended")
    func latency() async throws {
        let lock = try SharedLock()
        let delays = try await TestBackend.processes.withPool(workers: 1) { pool in
            var delays: [Duration] = []
            for round in 0..<killCount(20) {
                let rendezvous = try Rendezvous()
                let ticket = rendezvous.ticket
                let holder = pool.submit {
                    _ = try lock.acquire()
                    ticket.arrive(Int(getpid()))
                    ticket.wait()
                }
                await rendezvous.expectArrivals(1)
                let waiter = Task {
                    if round % 2 == 0 {
                        try await lock.acquire()
                    } else {
                        try await onBlockableThread { _ = try lock.acquire() }
                    }
                    let time = MonotonicTime.now()
                    lock.markRecovered()
                    lock.release()
                    return time
                }
                usleep(5_000)
                let killed = MonotonicTime.now()
                kill(pid_t(try #require(rendezvous.arrivals.first)), SIGKILL)
                delays.append(try await waiter.value.duration(since: killed))
                await #expect(throws: PoolError.self) { try await holder.value }
            }
            return delays.sorted()
        }
        print("kill to the next holder: \(delays[delays.count / 2]) in the middle, \(delays[delays.count - 1]) at most")
        // Half a millisecond where nothing else runs. If the death woke nobody, it would be 250.
        #expect(delays[delays.count / 2] < .milliseconds(100))
        #expect(delays[delays.count - 1] < .seconds(10))
    }

    @Test("Whoever waits for the dead is told who it was, until one recovers")
    func told() async throws {
        try await TestBackend.processes.withPool(workers: 1) { pool in
            let lock = try SharedLock()
            let future = pool.submit {
                try lock.acquire()
                kill(getpid(), SIGKILL)
            }
            let error = try await #require(throws: PoolError.self) { try await future.value }
            await expectRefusalAwaiting(.ownerDied) { try await lock.withLock {} }
            expectRefusal(.ownerDied) { try block(on: lock) }
            let acquisition = try await lock.acquire()
            #expect(acquisition.previousOwner?.processID == error.processID)
            #expect(acquisition.previousOwner?.number ?? 0 > 0)
            lock.release()
            // Another process is told too.
            await #expect(throws: SharedStateError.self) { try await pool.run { try lock.withLock {} } }
            // One that fails to recover leaves it as it was.
            await #expect(throws: InputFailure.self) {
                try await lock.withLock(recover: { _ in throw InputFailure() }) {}
            }
            #expect(try lock.tryAcquire()?.previousOwner?.processID == error.processID)
            lock.release()
            #expect(try await lock.withLock(recover: { _ in }) { true })
            #expect(try await lock.acquire().previousOwner == nil)
            lock.release()
            #expect(try await pool.run { try lock.withLock { 5 } } == 5)
        }
    }

    @Test("A task that waits for the dead goes on at once; so does a recursive lock's")
    func waiting() async throws {
        let lock = try SharedRecursiveLock()
        try await TestBackend.processes.withPool(workers: 1) { pool in
            let event = try Rendezvous()
            let ticket = event.ticket
            let holder = pool.submit {
                try lock.acquire()
                try lock.acquire()
                ticket.arrive()
                ticket.wait()
                kill(getpid(), SIGKILL)
            }
            await event.expectArrivals(1)
            let waiter = Task { try await lock.acquire() }
            await expectRefusalAwaiting(.timedOut) { try await lock.acquire(timeout: .milliseconds(20)) }
            event.letThrough()
            await #expect(throws: PoolError.self) { try await holder.value }
            #expect(try await waiter.value.previousOwner != nil)
        }
    }

    private func block(on lock: SharedLock) throws { try lock.withLock {} }
}

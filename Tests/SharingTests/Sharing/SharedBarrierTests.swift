import Glibc
import MultiprocessingSystem
import TestSupport
import Testing

@testable import Multiprocessing

@Suite("SharedBarrier", .serialized, .admitted)
struct SharedBarrierTests {
    /// Runs `body` with a barrier of five in two tasks, one blocked thread and two workers.
    private func five(
        _ backend: TestBackend, parties: Int = 5, _ body: @escaping @Sendable (SharedBarrier) async throws -> Void,
        whenAllWait: (@Sendable (SharedBarrier) -> Void)? = nil
    ) async throws -> SharedBarrier {
        let barrier = try SharedBarrier(parties: parties)
        try await backend.withPool { pool in
            let workers = (0..<2).map { _ in pool.submit { try await body(barrier) } }
            try await withThrowingTaskGroup { group in
                for _ in 0..<3 { group.addTask { try await body(barrier) } }
                if let whenAllWait {
                    await expectSoon { barrier.waitingCount == 5 }
                    whenAllWait(barrier)
                }
                try await group.waitForAll()
            }
            for worker in workers { try await worker.value }
        }
        return barrier
    }

    /// `test_barrier`, `test_barrier_10`: in step, once and ten times; nobody waits after, and nothing is broken.
    @Test(arguments: TestBackend.allCases, [1, 10])
    func test_barrier(backend: TestBackend, rounds: Int) async throws {
        let count = try SharedSemaphore(0, isBounded: false)
        let between = try SharedBarrier(parties: 5)
        let barrier = try await five(backend) { barrier in
            for round in 0..<rounds {
                try count.release()
                try await barrier.wait(timeout: .seconds(100))
                // All have come to this round, and nobody to the next.
                if count.available != 5 * (round + 1) { throw InputFailure() }
                try await between.wait(timeout: .seconds(100))
            }
        }
        #expect(barrier.waitingCount == 0)
        #expect(!barrier.isBroken)
        #expect(barrier.parties == 5)
    }

    /// `test_wait_return`: exactly one gets 0, and each another number.
    @Test(arguments: TestBackend.allCases)
    func test_wait_return(backend: TestBackend) async throws {
        let numbers = try (0..<5).map { _ in try SharedSemaphore(0, isBounded: false) }
        _ = try await five(backend) { barrier in
            for _ in 0..<5 { try numbers[try await barrier.wait(timeout: .seconds(100))].release() }
        }
        #expect(numbers.map(\.available) == [5, 5, 5, 5, 5])
    }

    /// `test_abort`: the others throw, and it is broken.
    @Test(arguments: TestBackend.allCases)
    func test_abort(backend: TestBackend) async throws {
        let broken = try SharedSemaphore(0, isBounded: false)
        let barrier = try await five(backend, parties: 6) { barrier in
            do {
                try await barrier.wait()
            } catch let error as SharedStateError where error.code == .barrierBroken {
                try broken.release()
            }
            if barrier.waitingCount > 0 { throw InputFailure() }
        } whenAllWait: {
            $0.abort()
        }
        #expect(broken.available == 5)
        #expect(barrier.isBroken)
        await expectRefusalAwaiting(.barrierBroken) { try await barrier.wait() }
        expectRefusal(.barrierBroken) { try block(barrier) }
    }

    /// `test_reset`, `test_abort_and_reset`: those who wait throw, and it can be used again.
    @Test(arguments: [false, true])
    func test_reset(aborting: Bool) async throws {
        let barrier = try SharedBarrier(parties: 3)
        try await withLimit {
            for _ in 0..<20 {
                let waiters = (0..<2).map { _ in Task { try await barrier.wait() } }
                await expectSoon { barrier.waitingCount == 2 }
                if aborting { barrier.abort() }
                try barrier.reset()
                for waiter in waiters { await expectRefusalAwaiting(.barrierBroken) { try await waiter.value } }
                #expect(!barrier.isBroken && barrier.waitingCount == 0)
                let again = (0..<3).map { _ in Task { try await barrier.wait() } }
                var numbers: [Int] = []
                for waiter in again { numbers.append(try await waiter.value) }
                #expect(numbers.sorted() == [0, 1, 2])
            }
        }
    }

    /// `test_timeout`: one is late, and all throw.
    @Test(arguments: TestBackend.allCases)
    func test_timeout(backend: TestBackend) async throws {
        let broken = try SharedSemaphore(0, isBounded: false)
        let late = try SharedSemaphore(0, isBounded: false)
        let barrier = try await five(backend, parties: 6) { barrier in
            do {
                try await barrier.wait(timeout: barrier.waitingCount == 0 ? .milliseconds(300) : .seconds(100))
            } catch let error as SharedStateError {
                try (error.code == .barrierBroken ? broken : late).release()
            }
        }
        #expect(late.available >= 1)
        #expect(broken.available + late.available == 5)
        #expect(barrier.isBroken)
    }

    /// `test_single_thread`: a barrier of one never waits.
    @Test func test_single_thread() async throws {
        let barrier = try SharedBarrier(parties: 1)
        for _ in 0..<100 {
            #expect(try await barrier.wait() == 0)
            #expect(try block(barrier) == 0)
        }
    }

    /// `test_thousand`: a thousand times, in order.
    @Test(arguments: TestBackend.allCases)
    func test_thousand(backend: TestBackend) async throws {
        let count = try SharedSemaphore(0, isBounded: false)
        let rounds = 300
        _ = try await five(backend) { barrier in
            for round in 0..<rounds {
                if try await barrier.wait(timeout: .seconds(100)) == 0 { try count.release() }
                try await barrier.wait(timeout: .seconds(100))
                if count.available != round + 1 { throw InputFailure() }
            }
        }
        #expect(count.available == rounds)
    }

    @Test("Impossible numbers are refused")
    func badInput() {
        for parties in [0, -1, 1 << 15, .max, .min] {
            expectRefusal(.invalidArgument) { try SharedBarrier(parties: parties) }
        }
    }

    @Test("Cancelling one who waits breaks it for all")
    func cancellation() async throws {
        let barrier = try SharedBarrier(parties: 3)
        try await withLimit {
            let waiters = (0..<2).map { _ in Task { try await barrier.wait() } }
            await expectSoon { barrier.waitingCount == 2 }
            waiters[0].cancel()
            await #expect(throws: CancellationError.self) { try await waiters[0].value }
            await expectRefusalAwaiting(.barrierBroken) { try await waiters[1].value }
        }
    }

    @Test("One who waits is killed: it breaks for the others, and can be used again")
    func kills() async throws {
        let barrier = try SharedBarrier(parties: 4)
        try await TestBackend.processes.withPool { pool in
            for _ in 0..<killCount(10) {
                let rendezvous = try Rendezvous()
                let ticket = rendezvous.ticket
                let victim = pool.submit {
                    ticket.arrive(Int(getpid()))
                    try block(barrier)
                }
                let other = pool.submit { try block(barrier) }
                let own = Task { try await barrier.wait() }
                await expectSoon { barrier.waitingCount == 3 }
                kill(pid_t(try #require(rendezvous.arrivals.first)), SIGKILL)
                await #expect(throws: PoolError.self) { try await victim.value }
                await expectRefusalAwaiting(.barrierBroken) { try await other.value }
                await expectRefusalAwaiting(.barrierBroken) { try await own.value }
                #expect(barrier.isBroken)
                try barrier.reset()
            }
            let others = (0..<2).map { _ in pool.submit { try block(barrier) } }
            let own = (0..<2).map { _ in Task { try await barrier.wait() } }
            for waiter in others { _ = try await waiter.value }
            for waiter in own { _ = try await waiter.value }
        }
    }

    @Test("Every state: the last to come begins a round, and nothing spills from one part into another")
    func model() {
        for parties in [1, 2, 3, BarrierState.limit] {
            for round: UInt32 in [0, 1, 0xFFFE, 0xFFFF] {
                var state = BarrierState(rawValue: round << 16)
                for arrived in 0..<(parties - 1) {
                    #expect(state.arrived == arrived && state.round == round && !state.isBroken)
                    state = state.arriving(of: parties)
                }
                #expect(state.broken.isBroken && state.broken.arrived == parties - 1 && state.broken.round == round)
                let last = state.arriving(of: parties)
                #expect(last.arrived == 0 && last.round == (round + 1) & 0xFFFF && !last.isBroken)
                #expect(state.broken.next == last)
            }
        }
    }
}

@discardableResult
private func block(_ barrier: SharedBarrier) throws -> Int { try barrier.wait(timeout: .seconds(100)) }

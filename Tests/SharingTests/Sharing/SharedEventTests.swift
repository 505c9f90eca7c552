import Glibc
import MultiprocessingSystem
import TestSupport
import Testing

@testable import Multiprocessing

@Suite("SharedEvent", .serialized, .admitted)
struct SharedEventTests {
    /// `_TestEvent.test_event`: not set, waits in vain, set, does not wait, cleared; set by another, a waiter goes on.
    @Test(arguments: TestBackend.allCases)
    func test_event(backend: TestBackend) async throws {
        let event = try SharedEvent()
        #expect(!event.isSet)
        #expect(try await event.wait(timeout: .zero) == false)
        let start = MonotonicTime.now()
        #expect(try await event.wait(timeout: .milliseconds(30)) == false)
        #expect(try block(event, .milliseconds(30)) == false)
        #expect(MonotonicTime.now().duration(since: start) >= .milliseconds(60))
        event.set()
        #expect(event.isSet)
        #expect(try await event.wait(timeout: .zero))
        #expect(try block(event, .zero))
        event.clear()
        #expect(!event.isSet)
        try await backend.withPool { pool in
            let waiters = [pool.submit { try await event.wait() }, pool.submit { try block(event, nil) }]
            let own = Task { try await event.wait(timeout: .seconds(100)) }
            event.set()
            for waiter in waiters { #expect(try await waiter.value) }
            #expect(try await own.value)
            // Set by a worker.
            event.clear()
            let again = Task { try await event.wait(timeout: .seconds(100)) }
            try await pool.run { event.set() }
            #expect(try await again.value)
        }
    }

    /// `_TestEvent.test_repr`.
    @Test func test_repr() throws {
        let event = try SharedEvent()
        #expect("\(event)" == "SharedEvent(not set)")
        event.set()
        event.set()
        #expect("\(event)" == "SharedEvent(set)")
        event.clear()
        event.clear()
        #expect("\(event)" == "SharedEvent(not set)")
    }

    @Test("Who waits goes on though it is cleared at once, and everyone does")
    func pulse() async throws {
        // In a process of its own, where nobody else waits.
        try await TestBackend.processes.withPool(workers: 1) { pool in
            let ended = try await pool.run { () async throws -> Int in
                let event = try SharedEvent()
                var ended = 0
                for _ in 0..<50 {
                    let waiters = (0..<5).map { _ in Task { try await event.wait() } }
                    while SharedWait.counts.waiters < 5 { await Task.yield() }
                    event.set()
                    event.clear()
                    for waiter in waiters where try await waiter.value { ended += 1 }
                }
                return ended
            }
            #expect(ended == 250)
        }
    }

    @Test("Cancelling ends a wait")
    func cancellation() async throws {
        let event = try SharedEvent()
        let task = Task { try await event.wait() }
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
    }

    @Test("Every state and every waiter: set ends a wait, and so does set and cleared")
    func model() {
        for round: UInt32 in [0, 1, 7, 1 << 31 - 1] {
            for isSet: UInt32 in [0, 1] {
                let state = EventState(rawValue: round << 1 | isSet)
                #expect(state.set.isSet && !state.cleared.isSet)
                #expect(state.set.set == state.set && state.cleared.cleared == state.cleared)
                #expect(state.set.ends(state))
                #expect(state.set.cleared.ends(state))
                #expect(state.ends(state) == state.isSet)
                #expect(!state.cleared.ends(state.cleared))
            }
        }
    }

    @Test("Processes that set and clear it are killed, and nobody waits for ever")
    func kills() async throws {
        let event = try SharedEvent()
        try await TestBackend.processes.withPool { pool in
            for round in 0..<killCount(12) {
                let rendezvous = try Rendezvous()
                let ticket = rendezvous.ticket
                let setter = pool.submit {
                    ticket.arrive(Int(getpid()))
                    while true {
                        event.set()
                        event.clear()
                    }
                }
                await rendezvous.expectArrivals(1)
                let waiters = (0..<4).map { _ in Task { try await event.wait() } }
                usleep(UInt32(round % 5) * 300)
                kill(pid_t(try #require(rendezvous.arrivals.first)), SIGKILL)
                await #expect(throws: PoolError.self) { try await setter.value }
                // Those that saw nothing of it see this.
                let start = MonotonicTime.now()
                event.set()
                for waiter in waiters { #expect(try await waiter.value) }
                #expect(MonotonicTime.now().duration(since: start) < .seconds(20))
                event.clear()
            }
        }
    }
}

private func block(_ event: SharedEvent, _ timeout: Duration?) throws -> Bool { try event.wait(timeout: timeout) }

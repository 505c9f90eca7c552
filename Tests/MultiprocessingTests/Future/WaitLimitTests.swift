import Multiprocessing
import TestSupport
import Testing

/// Limits of waits: in asynchronous code and in blocking code, of any length.
@Suite(.admitted)
struct WaitLimitTests {
    /// More than any clock counts, and more than the parts of a `Duration` can say.
    static let long: [Duration] = [
        .seconds(9_223_372_036), .milliseconds(9_223_372_036_900), .seconds(9_223_372_037), .seconds(Int64.max),
        .nanoseconds(Int64.max), .seconds(18_446_744_073), .seconds(1 << 40), .seconds(Int64.max) * 10,
    ]
    static let short: [Duration] = [
        .zero, .nanoseconds(-1), .seconds(-1), .seconds(Int64.min), .nanoseconds(Int64.min), .seconds(Int64.min) * 10,
    ]

    @Test("An item that ends in time gives its value or its error", arguments: TestBackend.allCases)
    func inTime(_ backend: TestBackend) async throws {
        try await backend.withPool { pool async throws in
            #expect(try await pool.submit(20) { $0 + 1 }.value(timeout: .seconds(50)) == 21)
            let failing = pool.submit { () -> Int in throw Refusal() }
            await #expect(throws: Refusal.self) { try await failing.value(timeout: .seconds(50)) }
            // Also when it has ended, and there is no time.
            #expect(throws: Refusal.self) { try wait(for: failing, .zero) }
            await #expect(throws: Refusal.self) { try await failing.value(timeout: .zero) }
        }
    }

    @Test("A wait that takes too long leaves the item running", arguments: TestBackend.allCases)
    func tooLong(_ backend: TestBackend) async throws {
        let rendezvous = try Rendezvous()
        let ticket = rendezvous.ticket
        try await backend.withPool { pool async throws in
            let future = pool.submit(ticket) { ticket -> Int in
                ticket.arrive()
                ticket.wait()
                return 5
            }
            await rendezvous.expectArrivals(1)
            for limit in [Duration.milliseconds(20)] + Self.short {
                let error = await #expect(throws: PoolError.self) { try await future.value(timeout: limit) }
                #expect(error?.code == .timedOut)
                #expect(error?.limit == limit)
            }
            #expect(!future.isFinished)
            // Nobody waits any more, and yet it was not cancelled.
            rendezvous.letThrough()
            #expect(try await future.value(timeout: .seconds(50)) == 5)
        }
    }

    @Test("A long limit is kept, in asynchronous and in blocking code", arguments: TestBackend.allCases)
    func longLimits(_ backend: TestBackend) async throws {
        let rendezvous = try Rendezvous()
        let ticket = rendezvous.ticket
        try await backend.withPool { pool async throws in
            let future = pool.submit(ticket) { ticket -> Int in
                ticket.wait()
                return 6
            }
            try await withThrowingTaskGroup(of: Int.self) { group in
                for limit in Self.long {
                    group.addTask { try await future.value(timeout: limit) }
                    group.addTask { try await onBlockableThread { try future.wait(timeout: limit) } }
                }
                // None of them gives up.
                await #expect(throws: PoolError.self) { try await future.value(timeout: .milliseconds(200)) }
                rendezvous.letThrough()
                for try await value in group { #expect(value == 6) }
            }
        }
    }

    @Test("No time is no time in blocking code, too", arguments: TestBackend.allCases)
    func noTime(_ backend: TestBackend) async throws {
        let rendezvous = try Rendezvous()
        let ticket = rendezvous.ticket
        try await backend.withPool { pool async throws in
            let future = pool.submit(ticket) { $0.wait() }
            for limit in Self.short {
                let error = await #expect(throws: PoolError.self) {
                    try await onBlockableThread { try future.wait(timeout: limit) }
                }
                #expect(error?.code == .timedOut)
            }
            rendezvous.letThrough()
            try await future.value
        }
    }

    @Test("A cancelled wait with a limit does what one without does", arguments: TestBackend.allCases)
    func cancelled(_ backend: TestBackend) async throws {
        let rendezvous = try Rendezvous()
        let ticket = rendezvous.ticket
        try await backend.withPool { pool async throws in
            let future = pool.submit(ticket) { ticket -> Bool in
                ticket.arrive()
                return blockUntilCancelled()
            }
            await rendezvous.expectArrivals(1)
            let waiting = Task { try await future.value(timeout: .seconds(50)) }
            waiting.cancel()
            await #expect(throws: CancellationError.self) { try await waiting.value }
            await #expect(throws: CancellationError.self) { try await future.value }
        }
    }

    @Test("Many waits with limits share what keeps them")
    func many() async throws {
        try await TestBackend.threads.withPool { pool async throws in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 0..<2_000 {
                    let future = pool.submit(number) { $0 }
                    group.addTask { () async throws in
                        #expect(try await future.value(timeout: .seconds(50 + number % 7)) == number)
                    }
                }
                try await group.waitForAll()
            }
        }
    }

    private func wait<Output>(for future: Future<Output>, _ limit: Duration) throws -> Output {
        try future.wait(timeout: limit)
    }
}

private struct Refusal: Error, Codable {}

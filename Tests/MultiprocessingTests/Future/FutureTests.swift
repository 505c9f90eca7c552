import Dispatch
import Multiprocessing
import Synchronization
import TestSupport
import Testing

private struct Refusal: Error, Codable, Equatable {
    var reason = "no"
}

/// The outcomes that completion handlers were given.
private final class Log: Sendable {
    private let entries = Mutex<[String]>([])

    func note(_ text: String) {
        entries.withLock { $0.append(text) }
    }

    func note<Output>(_ result: Result<Output, any Error>) {
        switch result {
        case .success(let value): note("\(value)")
        case .failure(let error): note("\(type(of: error))")
        }
    }

    var texts: [String] { entries.withLock { $0 } }
}

/// The result of work that may not have run yet.
@Suite(.admitted)
struct FutureTests {
    // MARK: Completion handlers

    @Test("163 map_async_callbacks, 190 done_callback: a handler gets the value once", arguments: TestBackend.allCases)
    func handlerGetsValue(_ backend: TestBackend) async throws {
        let rendezvous = try Rendezvous()
        let ticket = rendezvous.ticket
        try await backend.withPool { pool async throws in
            let log = Log()
            let future = pool.submit(ticket) { ticket -> Int in
                ticket.wait()
                return 7
            }
            future.onCompletion { log.note($0) }
            future.onCompletion { log.note($0) }
            #expect(log.texts.isEmpty)
            rendezvous.letThrough()
            #expect(try await future.value == 7)
            await expectSoon { log.texts.count >= 2 }
            await pool.shutDown()
            #expect(log.texts == ["7", "7"])
        }
    }

    @Test("182 async_error_callback, 190 done_callback: a handler gets the error", arguments: TestBackend.allCases)
    func handlerGetsError(_ backend: TestBackend) async throws {
        let rendezvous = try Rendezvous()
        let ticket = rendezvous.ticket
        try await backend.withPool { pool async throws in
            let log = Log()
            let future = pool.submit(ticket) { ticket -> Int in
                ticket.wait()
                throw Refusal()
            }
            future.onCompletion { log.note($0) }
            rendezvous.letThrough()
            await expectSoon { log.texts == ["Refusal"] }
        }
    }

    @Test("190 done_callback: a handler is told of a cancellation", arguments: TestBackend.allCases)
    func handlerGetsCancellation(_ backend: TestBackend) async throws {
        let rendezvous = try Rendezvous()
        let ticket = rendezvous.ticket
        try await backend.withPool { pool async throws in
            let log = Log()
            let future = pool.submit(ticket) { $0.wait() }
            future.onCompletion { log.note($0) }
            future.cancel()
            await expectSoon { log.texts == ["CancellationError"] }
        }
    }

    @Test(
        "192 done_callback_already: a handler of a finished future is called at once", arguments: TestBackend.allCases)
    func handlerOfFinishedFuture(_ backend: TestBackend) async throws {
        try await backend.withPool { pool async throws in
            let log = Log()
            let good = pool.submit { 1 }
            let bad = pool.submit { () throws -> Int in throw Refusal() }
            _ = await (good.result, bad.result)
            good.onCompletion { log.note($0) }
            bad.onCompletion { log.note($0) }
            #expect(log.texts == ["1", "Refusal"])
        }
    }

    @Test("191 done_callback_raises: a handler that blocks holds up no worker", arguments: TestBackend.allCases)
    func blockingHandler(_ backend: TestBackend) async throws {
        try await backend.withPool(workers: 1) { pool async throws in
            let gate = DispatchSemaphore(value: 0)
            let first = pool.submit { 1 }
            first.onCompletion { _ in _ = gate.wait(timeout: .now() + 20) }
            #expect(try await pool.run { 2 } == 2)
            gate.signal()
        }
    }

    @Test("A handler can submit more work, and cancel it", arguments: TestBackend.allCases)
    func handlerSubmits(_ backend: TestBackend) async throws {
        try await backend.withPool { pool async throws in
            let log = Log()
            pool.submit { 1 }.onCompletion { first in
                pool.submit(1) { $0 + 1 }.onCompletion { second in
                    log.note(first)
                    log.note(second)
                }
            }
            await expectSoon { log.texts == ["1", "2"] }
        }
    }

    // MARK: States

    @Test("194 repr: a future says how it stands", arguments: TestBackend.allCases)
    func description(_ backend: TestBackend) async throws {
        let rendezvous = try Rendezvous()
        let ticket = rendezvous.ticket
        try await backend.withPool { pool async throws in
            let future = pool.submit(ticket) { ticket -> Int in
                ticket.wait()
                return 7
            }
            #expect("\(future)" == "Future<Int>(pending)")
            rendezvous.letThrough()
            _ = try await future.value
            #expect("\(future)" == "Future<Int>(finished: 7)")

            let failed = pool.submit { () throws -> Int in throw Refusal() }
            _ = await failed.result
            #expect("\(failed)" == "Future<Int>(failed: Refusal(reason: \"no\"))")

            let cancelled = pool.submit(ticket) { $0.wait() }
            cancelled.cancel()
            #expect("\(cancelled)" == "Future<()>(cancelled)")
        }
    }

    @Test("196 done: a future is finished when its result can be had", arguments: TestBackend.allCases)
    func isFinished(_ backend: TestBackend) async throws {
        let rendezvous = try Rendezvous()
        let ticket = rendezvous.ticket
        try await backend.withPool(workers: 1) { pool async throws in
            let running = pool.submit(ticket) { ticket in
                ticket.arrive()
                ticket.wait()
            }
            let queued = pool.submit { 1 }
            let cancelled = pool.submit { 2 }
            await rendezvous.expectArrivals(1)
            #expect(!running.isFinished)
            #expect(!queued.isFinished)
            cancelled.cancel()
            #expect(cancelled.isFinished)
            rendezvous.letThrough()
            _ = try await queued.value
            #expect(running.isFinished)
            #expect(queued.isFinished)
        }
    }

    @Test("195 cancel, 200 multiple_set_result: the first outcome stays", arguments: TestBackend.allCases)
    func firstOutcomeStays(_ backend: TestBackend) async throws {
        let rendezvous = try Rendezvous()
        let ticket = rendezvous.ticket
        try await backend.withPool { pool async throws in
            let finished = pool.submit { 1 }
            #expect(try await finished.value == 1)
            finished.cancel()
            #expect(try await finished.value == 1)

            let cancelled = pool.submit(ticket) { ticket -> Int in
                ticket.arrive()
                ticket.wait()
                return 2
            }
            await rendezvous.expectArrivals(1)
            cancelled.cancel()
            cancelled.cancel()
            await #expect(throws: CancellationError.self) { try await cancelled.value }
            // The item that ran returns its value all the same, and nobody gets it.
            rendezvous.letThrough()
            #expect(try await pool.map(0..<4, chunkSize: 1) { $0 } == [0, 1, 2, 3])
            await #expect(throws: CancellationError.self) { try await cancelled.value }
        }
    }

    // MARK: Waiting on a thread

    @Test("168 async_timeout, 197 result_with_timeout: a wait ends with its time", arguments: TestBackend.allCases)
    func waitTimesOut(_ backend: TestBackend) async throws {
        let rendezvous = try Rendezvous()
        let ticket = rendezvous.ticket
        try await backend.withPool { pool async throws in
            let future = pool.submit(ticket) { ticket -> Int in
                ticket.wait()
                return 7
            }
            for limit in [Duration.zero, .milliseconds(-5), .milliseconds(20)] {
                let error = await #expect(throws: PoolError.self) {
                    try await onBlockableThread { try future.wait(timeout: limit) }
                }
                #expect(error?.code == .timedOut)
                #expect(error?.limit == limit)
                #expect(error?.message.contains("did not end within \(limit)") == true)
            }
            let error = await #expect(throws: PoolError.self) { try await future.value(timeout: .seconds(Int64.min)) }
            #expect(error?.limit == .seconds(Int64.min))
            #expect(error?.message.contains("far below zero") == true)
            // It goes on running.
            #expect(!future.isFinished)
            rendezvous.letThrough()
            #expect(try await onBlockableThread { try future.wait(timeout: .seconds(20)) } == 7)
            #expect(try await onBlockableThread { try future.wait(timeout: .zero) } == 7)
        }
    }

    @Test(
        "198 result_with_success, _cancel, 199 exception: a thread that waits is woken", arguments: TestBackend.allCases
    )
    func waitIsWoken(_ backend: TestBackend) async throws {
        let rendezvous = try Rendezvous()
        let ticket = rendezvous.ticket
        try await backend.withPool(workers: 3) { pool async throws in
            let good = pool.submit(ticket) { ticket -> Int in
                ticket.wait()
                return 1
            }
            let bad = pool.submit(ticket) { ticket -> Int in
                ticket.wait()
                throw Refusal(reason: "late")
            }
            let cancelled = pool.submit(ticket) { ticket -> Int in
                ticket.wait()
                return 3
            }
            async let value = onBlockableThread { try good.wait() }
            async let error = onBlockableThread { Result { try bad.wait(timeout: .seconds(20)) } }
            async let cancellation = onBlockableThread { Result { try cancelled.wait() } }
            cancelled.cancel()
            rendezvous.letThrough(3)
            #expect(try await value == 1)
            let (failure, cancelledResult) = try await (error, cancellation)
            #expect(throws: Refusal(reason: "late")) { try failure.get() }
            #expect(throws: CancellationError.self) { try cancelledResult.get() }
        }
    }

    @Test("Many tasks and threads wait for one future", arguments: TestBackend.allCases)
    func manyWaiters(_ backend: TestBackend) async throws {
        let rendezvous = try Rendezvous()
        let ticket = rendezvous.ticket
        try await backend.withPool { pool async throws in
            let future = pool.submit(ticket) { ticket -> Int in
                ticket.wait()
                return 7
            }
            let sum = try await withThrowingTaskGroup(of: Int.self) { group in
                for _ in 0..<20 { group.addTask { try await future.value } }
                for _ in 0..<5 { group.addTask { try await onBlockableThread { try future.wait() } } }
                rendezvous.letThrough()
                return try await group.reduce(0, +)
            }
            #expect(sum == 25 * 7)
        }
    }

    @Test("A result holds the value or the error", arguments: TestBackend.allCases)
    func result(_ backend: TestBackend) async throws {
        try await backend.withPool { pool async throws in
            let good = await pool.submit { 1 }.result
            #expect(try good.get() == 1)
            let bad = await pool.submit { () throws -> Int in throw Refusal(reason: "x") }.result
            #expect(throws: Refusal(reason: "x")) { try bad.get() }
        }
    }
}

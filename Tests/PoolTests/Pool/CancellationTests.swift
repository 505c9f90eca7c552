import Multiprocessing
import TestSupport
import Testing

private struct Loop: VoidJob {
    let started: Rendezvous.Ticket
    let told: Rendezvous.Ticket

    func run() throws {
        started.arrive()
        if blockUntilCancelled() { told.arrive() }
        try Task.checkCancellation()
    }
}

/// Starts items that tell when they run and when they were cancelled.
private struct Cancellables {
    let started: Rendezvous
    let told: Rendezvous

    init() throws {
        started = try Rendezvous()
        told = try Rendezvous()
    }

    var loop: Loop { Loop(started: started.ticket, told: told.ticket) }
}

/// What is cancelled never starts, or is told while it runs.
@Suite(.admitted)
struct CancellationTests {
    @Test("220 current_future_cancel: a queued item that is cancelled never starts", arguments: TestBackend.allCases)
    func queued(_ backend: TestBackend) async throws {
        let (blocker, marks) = (try Rendezvous(), try Rendezvous())
        let (ticket, mark) = (blocker.ticket, marks.ticket)
        try await backend.withPool(workers: 1) { pool async throws in
            let running = pool.submit(ticket) { ticket in
                ticket.arrive()
                ticket.wait()
            }
            await blocker.expectArrivals(1)
            let futures = (0..<50).map { number in
                pool.submit(Numbered(number: number, ticket: mark)) { $0.ticket.arrive($0.number) }
            }
            for future in futures.dropFirst(10) { future.cancel() }
            #expect(futures.dropFirst(10).allSatisfy { $0.isFinished })
            blocker.letThrough()
            try await running.value
            for future in futures.prefix(10) { try await future.value }
            for future in futures.dropFirst(10) {
                await #expect(throws: CancellationError.self) { try await future.value }
            }
            await pool.shutDown()
        }
        #expect(marks.arrivals == Array(0..<10))
    }

    @Test("Pitfall 27: an item that runs sees that it is cancelled", arguments: TestBackend.allCases)
    func running(_ backend: TestBackend) async throws {
        let items = try Cancellables()
        try await backend.withPool(workers: 1) { pool async throws in
            let future = pool.submit(items.loop)
            await items.started.expectArrivals(1)
            future.cancel()
            await #expect(throws: CancellationError.self) { try await future.value }
            await items.told.expectArrivals(1)
            // Whoever comes next on this worker is not cancelled.
            #expect(try await pool.run { Task.isCancelled } == false)
            try await pool.run { try await Task.sleep(for: .microseconds(1)) }
        }
    }

    @Test("Pitfall 27: a sleep of an item that is cancelled ends", arguments: TestBackend.allCases)
    func sleeping(_ backend: TestBackend) async throws {
        let items = try Cancellables()
        let tickets = [items.started.ticket, items.told.ticket]
        try await backend.withPool(workers: 1) { pool async throws in
            let future = pool.submit(tickets) { tickets in
                tickets[0].arrive()
                do {
                    try await Task.sleep(for: .seconds(3_600))
                } catch is CancellationError {
                    tickets[1].arrive()
                }
            }
            await items.started.expectArrivals(1)
            future.cancel()
            await items.told.expectArrivals(1)
            #expect(try await pool.run { 1 } == 1)
        }
    }

    @Test("Pitfall 27: a handler of an item is called while the item runs", arguments: TestBackend.allCases)
    func cancellationHandler(_ backend: TestBackend) async throws {
        let items = try Cancellables()
        let tickets = [items.started.ticket, items.told.ticket]
        try await backend.withPool(workers: 1) { pool async throws in
            let future = pool.submit(tickets) { tickets in
                await withTaskCancellationHandler {
                    tickets[0].arrive()
                    // Deaf until the handler lets it go on.
                    tickets[1].wait()
                } onCancel: {
                    tickets[1].arrive()
                }
            }
            await items.started.expectArrivals(1)
            future.cancel()
            await items.told.expectArrivals(1)
            items.told.letThrough()
            #expect(try await pool.run { 1 } == 1)
        }
    }

    @Test("Cancelling the task that awaits run cancels the item", arguments: TestBackend.allCases)
    func awaitingRun(_ backend: TestBackend) async throws {
        let items = try Cancellables()
        try await backend.withPool(workers: 1) { pool async throws in
            let task = Task { try await pool.run(items.loop) }
            await items.started.expectArrivals(1)
            task.cancel()
            await #expect(throws: CancellationError.self) { try await task.value }
            await items.told.expectArrivals(1)
        }
    }

    @Test("Cancelling the task that awaits a future cancels the item", arguments: TestBackend.allCases)
    func awaitingFuture(_ backend: TestBackend) async throws {
        let items = try Cancellables()
        try await backend.withPool(workers: 1) { pool async throws in
            let future = pool.submit(items.loop)
            let task = Task { try await future.value }
            await items.started.expectArrivals(1)
            task.cancel()
            await #expect(throws: CancellationError.self) { try await task.value }
            await items.told.expectArrivals(1)
        }
    }

    @Test("An item that another task awaits too goes on", arguments: TestBackend.allCases)
    func sharedFuture(_ backend: TestBackend) async throws {
        let rendezvous = try Rendezvous()
        let ticket = rendezvous.ticket
        try await backend.withPool(workers: 1) { pool async throws in
            let future = pool.submit(ticket) { ticket -> Int in
                ticket.arrive()
                ticket.wait()
                return 7
            }
            future.onCompletion { _ in }
            let task = Task { try await future.value }
            await rendezvous.expectArrivals(1)
            task.cancel()
            await #expect(throws: CancellationError.self) { try await task.value }
            #expect(!future.isFinished)
            rendezvous.letThrough()
            #expect(try await future.value == 7)
        }
    }

    @Test("Cancelling the task that awaits map cancels what runs and starts no more", arguments: TestBackend.allCases)
    func awaitingMap(_ backend: TestBackend) async throws {
        let (started, told) = (try Rendezvous(), try Rendezvous())
        let tickets = [started.ticket, told.ticket]
        try await backend.withPool(workers: 2) { pool async throws in
            let task = Task {
                try await pool.map(0..<100, with: tickets, chunkSize: 5) { number, tickets in
                    tickets[0].arrive(number)
                    if blockUntilCancelled() { tickets[1].arrive(number) }
                    return number
                }
            }
            await started.expectArrivals(2)
            task.cancel()
            await #expect(throws: CancellationError.self) { try await task.value }
            await told.expectArrivals(2)
            #expect(try await pool.map(0..<4, chunkSize: 1) { $0 } == [0, 1, 2, 3])
            // The items behind those in their chunks did not start either.
            #expect(started.arrivals.sorted() == [0, 5])
        }
    }

    @Test("Cancelling the task that awaits forEach cancels what runs", arguments: TestBackend.allCases)
    func awaitingForEach(_ backend: TestBackend) async throws {
        let items = try Cancellables()
        try await backend.withPool(workers: 2) { pool async throws in
            let loops = (0..<10).map { _ in items.loop }
            let task = Task { try await pool.forEach(loops, chunkSize: 1) }
            await items.started.expectArrivals(2)
            task.cancel()
            await #expect(throws: CancellationError.self) { try await task.value }
            await items.told.expectArrivals(2)
        }
    }

    @Test("Cancelling the task that reads a stream ends it", arguments: TestBackend.allCases)
    func readingStream(_ backend: TestBackend) async throws {
        let (started, told) = (try Rendezvous(), try Rendezvous())
        let tickets = [started.ticket, told.ticket]
        try await backend.withPool(workers: 1) { pool async throws in
            let inputs = repeatElement(tickets, count: 1_000)
            let throwing = Task {
                for try await _ in pool.stream(
                    inputs,
                    { tickets in
                        tickets[0].arrive()
                        if blockUntilCancelled() { tickets[1].arrive() }
                    })
                {}
            }
            await started.expectArrivals(1)
            throwing.cancel()
            await #expect(throws: CancellationError.self) { try await throwing.value }
            await told.expectArrivals(1)

            let ending = Task {
                var count = 0
                for await _ in pool.results(
                    inputs,
                    { tickets in
                        tickets[0].arrive()
                        if blockUntilCancelled() { tickets[1].arrive() }
                    })
                { count += 1 }
                return count
            }
            await started.expectArrivals(2)
            ending.cancel()
            // A result that came just before is given out.
            #expect(await ending.value <= 1)
            await told.expectArrivals(2)
        }
    }

    private static func expectNothingRuns(on pool: Pool, _ ticket: Rendezvous.Ticket) async throws {
        await #expect(throws: CancellationError.self) { try await pool.run(ticket) { $0.arrive() } }
        await #expect(throws: CancellationError.self) { try await pool.map([ticket]) { $0.arrive() } }
        await #expect(throws: CancellationError.self) {
            for try await _ in pool.stream([ticket], { $0.arrive() }) {}
        }
        for try await _ in pool.results([ticket], { $0.arrive() }) { Issue.record("there was a result") }
    }

    @Test("A task that is cancelled already starts nothing", arguments: TestBackend.allCases)
    func cancelledBefore(_ backend: TestBackend) async throws {
        let marks = try Rendezvous()
        let ticket = marks.ticket
        try await backend.withPool { pool async throws in
            let task = Task {
                withUnsafeCurrentTask { $0?.cancel() }
                try await Self.expectNothingRuns(on: pool, ticket)
            }
            try await task.value
            await pool.shutDown()
        }
        #expect(marks.arrivals == [])
    }

    @Test(
        "239 cancel_futures: those that are cancelled in the queue fail and the others give their values",
        arguments: TestBackend.allCases)
    func cancelMany(_ backend: TestBackend) async throws {
        try await backend.withPool { pool async throws in
            let futures = (0..<200).map { pool.submit($0) { $0 } }
            for number in stride(from: 0, to: 200, by: 3) { futures[number].cancel() }
            for (number, future) in futures.enumerated() {
                do {
                    #expect(try await future.value == number)
                } catch {
                    #expect(error is CancellationError)
                    #expect(number % 3 == 0)
                }
            }
        }
    }

    @Test("Items that are cancelled at every moment of their lives end once", arguments: TestBackend.allCases)
    func race(_ backend: TestBackend) async throws {
        let seed = UInt64.random(in: 0 ... .max)
        try await backend.withPool(workers: 3) { pool async throws in
            var random = RandomSource(seed: seed)
            for _ in 0..<40 {
                let futures = (0..<20).map { pool.submit($0) { $0 } }
                await withTaskGroup(of: Void.self) { group in
                    for future in futures where Bool.random(using: &random) {
                        let turns = Int.random(in: 0..<6, using: &random)
                        group.addTask {
                            for _ in 0..<turns { await Task.yield() }
                            future.cancel()
                        }
                    }
                }
                for (number, future) in futures.enumerated() {
                    switch await future.result {
                    case .success(let value): #expect(value == number, "seed \(seed)")
                    case .failure(let error): #expect(error is CancellationError, "seed \(seed)")
                    }
                }
            }
            #expect(try await pool.map(0..<100) { $0 } == Array(0..<100))
        }
    }

    @Test("241 hang_gh94440: shutDown returns after a cancellation", arguments: TestBackend.allCases)
    func shutDownAfterCancel(_ backend: TestBackend) async throws {
        let items = try Cancellables()
        try await backend.withPool(workers: 2) { pool async throws in
            let futures = (0..<6).map { _ in pool.submit(items.loop) }
            await items.started.expectArrivals(2)
            // The queued ones first, or they would start in place of those that end.
            for future in futures.reversed() { future.cancel() }
            await pool.shutDown()
            for future in futures { await #expect(throws: CancellationError.self) { try await future.value } }
            #expect(items.started.arrivals.count == 2)
        }
    }
}

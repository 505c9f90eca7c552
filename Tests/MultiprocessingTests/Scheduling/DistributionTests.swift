import Glibc
import Multiprocessing
import TestSupport
import Testing

/// Quick items are handed to a worker many at a time; nobody is to notice it but by the clock.
@Suite("Items that are handed out together", .admitted)
struct DistributionTests {
    /// An item that occupies a worker until it is let through.
    private struct Blocker: VoidJob {
        let ticket: Rendezvous.Ticket
        var id = -1

        func run() {
            ticket.arrive(id)
            ticket.wait()
        }
    }

    /// Submits, with `body`, behind quick items that wait for busy workers.
    ///
    /// When the workers get to it, they have shown to be quick, and are handed much at a time.
    private func behindQuickItems<Result: Sendable>(
        of pool: Pool,
        _ body: () async throws -> Result
    ) async throws -> Result {
        let rendezvous = try Rendezvous()
        let blockers = (0..<pool.workerCount).map { _ in pool.submit(Blocker(ticket: rendezvous.ticket)) }
        await rendezvous.expectArrivals(blockers.count)
        let quick = (0..<200).map { pool.submit($0) { $0 } }
        let result = try await body()
        rendezvous.letThrough(blockers.count)
        for blocker in blockers { try await blocker.value }
        for (number, future) in quick.enumerated() { #expect(try await future.value == number) }
        return result
    }

    @Test(
        "A long item holds up none that was handed out with it, be it the first or in the middle",
        arguments: TestBackend.allCases, [0, 20])
    func longItem(_ backend: TestBackend, _ position: Int) async throws {
        let rendezvous = try Rendezvous()
        let ticket = rendezvous.ticket
        try await backend.withPool { pool async throws in
            let (long, others) = try await behindQuickItems(of: pool) {
                let before = (0..<position).map { number in pool.submit(number) { $0 } }
                let long = pool.submit(Blocker(ticket: ticket))
                return (long, before + (position..<200).map { number in pool.submit(number) { $0 } })
            }
            for (number, future) in others.enumerated() { #expect(try await future.value == number) }
            #expect(!long.isFinished)
            rendezvous.letThrough()
            try await long.value
        }
    }

    @Test("Results are seen while a later item of the same worker still runs", arguments: TestBackend.allCases)
    func resultsBeforeALongItem(_ backend: TestBackend) async throws {
        let rendezvous = try Rendezvous()
        let ticket = rendezvous.ticket
        try await backend.withPool(workers: 1) { pool async throws in
            let (long, before, behind) = try await behindQuickItems(of: pool) {
                let before = (0..<30).map { number in pool.submit(number) { $0 } }
                let long = pool.submit(Blocker(ticket: ticket))
                return (long, before, pool.submit { 7 })
            }
            for (number, future) in before.enumerated() { #expect(try await future.value == number) }
            await rendezvous.expectArrivals(1)
            #expect(!long.isFinished && !behind.isFinished)
            rendezvous.letThrough()
            #expect(try await behind.value == 7)
        }
    }

    @Test("A long item of a map holds up none that was sent with it", arguments: TestBackend.allCases)
    func longItemOfAMap(_ backend: TestBackend) async throws {
        let (gate, done) = (try Rendezvous(), try Rendezvous())
        let (ticket, mark) = (gate.ticket, done.ticket)
        try await backend.withPool { pool async throws in
            // The item in the middle ends only when the test has seen all others.
            let inputs = (0..<400).map { Numbered(number: $0, ticket: $0 == 150 ? ticket : mark) }
            let map = Task {
                try await pool.map(inputs, chunkSize: 1) { input in
                    if input.number == 150 { input.ticket.wait() } else { input.ticket.arrive(input.number) }
                    return input.number
                }
            }
            await done.expectArrivals(399)
            gate.letThrough()
            #expect(try await map.value == Array(0..<400))
        }
        #expect(done.arrivals.sorted() == (0..<400).filter { $0 != 150 })
    }

    @Test("One that is cancelled among others never starts, and only it", arguments: TestBackend.allCases)
    func cancelAmongOthers(_ backend: TestBackend) async throws {
        let (gate, marks) = (try Rendezvous(), try Rendezvous())
        let (ticket, mark) = (gate.ticket, marks.ticket)
        try await backend.withPool(workers: 1) { pool async throws in
            let (long, others) = try await behindQuickItems(of: pool) {
                let long = pool.submit(Blocker(ticket: ticket))
                let others = (0..<30).map { number in
                    pool.submit(Numbered(number: number, ticket: mark)) { $0.ticket.arrive($0.number) }
                }
                return (long, others)
            }
            await gate.expectArrivals(1)
            for future in others[10..<20] { future.cancel() }
            #expect(others[10..<20].allSatisfy { $0.isFinished })
            gate.letThrough()
            try await long.value
            for (number, future) in others.enumerated() {
                if 10..<20 ~= number {
                    await #expect(throws: CancellationError.self) { try await future.value }
                } else {
                    try await future.value
                }
            }
            await pool.shutDown()
        }
        #expect(marks.arrivals == Array(0..<10) + Array(20..<30))
    }

    @Test("One that runs and is cancelled does not take others with it", arguments: TestBackend.allCases)
    func cancelRunning(_ backend: TestBackend) async throws {
        let gate = try Rendezvous()
        let ticket = gate.ticket
        try await backend.withPool(workers: 1) { pool async throws in
            let (running, others) = try await behindQuickItems(of: pool) {
                let running = pool.submit(ticket) { ticket in
                    ticket.arrive()
                    _ = blockUntilCancelled()
                    try Task.checkCancellation()
                }
                return (running, (0..<30).map { _ in pool.submit { Task.isCancelled } })
            }
            await gate.expectArrivals(1)
            running.cancel()
            await #expect(throws: CancellationError.self) { try await running.value }
            for future in others { #expect(try await future.value == false) }
        }
    }

    @Test("When the pool is terminated nothing that waited at a worker starts", arguments: TestBackend.allCases)
    func terminate(_ backend: TestBackend) async throws {
        let (gate, marks) = (try Rendezvous(), try Rendezvous())
        let (ticket, mark) = (gate.ticket, marks.ticket)
        try await backend.withPool(workers: 1) { pool async throws in
            let others = try await behindQuickItems(of: pool) {
                _ = pool.submit(Blocker(ticket: ticket))
                return (0..<30).map { number in
                    pool.submit(Numbered(number: number, ticket: mark)) { $0.ticket.arrive($0.number) }
                }
            }
            await gate.expectArrivals(1)
            let end = Task { await pool.terminate() }
            for future in others {
                let error = await #expect(throws: PoolError.self) { try await future.value }
                #expect(error?.code == .shutDown)
            }
            gate.letThrough()
            await end.value
        }
        #expect(marks.arrivals == [])
    }

    @Test("A crash among items that were handed out together costs that item alone", arguments: [1, 2])
    func crashAmongOthers(_ workers: Int) async throws {
        let notebook = try Notebook()
        defer { notebook.remove() }
        let steps = (0..<100).map { index in
            Step(index: index, notebook: notebook, ending: index % 37 == 20 ? .crash(.killed) : .value(bytes: index))
        }
        try await TestBackend.processes.withPool(workers: workers) { pool async throws in
            let futures = try await behindQuickItems(of: pool) { steps.map { pool.submit($0) } }
            for (step, future) in zip(steps, futures) {
                let result = await future.result
                #expect(step.gives(result), "item \(step.index): \(result)")
            }
        }
        #expect(notebook.numbers.sorted() == Array(0..<100))
    }

    @Test("Whatever long and quick items are mixed, each runs once", arguments: TestBackend.allCases)
    func mixture(_ backend: TestBackend) async throws {
        let seed = UInt64.random(in: 0 ... .max)
        var random = RandomSource(seed: seed)
        let marks = try Rendezvous()
        let mark = marks.ticket
        // Microseconds that an item takes: most are quick, some far longer than what is sent together.
        let inputs = (0..<1_500).map { number in
            Pause(number: number, microseconds: Int.random(in: 0..<40, using: &random) == 0 ? 4_000 : 5, ticket: mark)
        }
        try await backend.withPool(workers: 3) { pool async throws in
            async let mapped = pool.map(inputs.prefix(500), chunkSize: 1) { $0.pass() }
            async let sized = pool.map(inputs[500..<1_000]) { $0.pass() }
            let futures = inputs[1_000...].map { input in pool.submit(input) { $0.pass() } }
            #expect(try await mapped == Array(0..<500), "seed \(seed)")
            #expect(try await sized == Array(500..<1_000), "seed \(seed)")
            for (number, future) in futures.enumerated() { #expect(try await future.value == number + 1_000) }
        }
        #expect(marks.arrivals.sorted() == Array(0..<1_500), "seed \(seed)")
    }
}

/// An item that takes a while.
private struct Pause: Codable, Sendable {
    let number: Int
    let microseconds: Int
    let ticket: Rendezvous.Ticket

    func pass() -> Int {
        ticket.arrive(number)
        usleep(UInt32(microseconds))
        return number
    }
}

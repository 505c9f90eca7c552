import Glibc
import Multiprocessing
import MultiprocessingSystem
import TestSupport
import Testing

/// Runs in a tight loop until the file is gone, or for longer than any test takes.
private func spin(while path: String) {
    let end = MonotonicTime.now().advanced(by: .seconds(240)).nanoseconds
    var turns = 0
    while MonotonicTime.now().nanoseconds < end {
        turns += 1
        if turns % 100_000 == 0, access(path, F_OK) != 0 { return }
    }
}

private struct FaultyNumber: Error, Codable {
    let number: Int
}

/// How long it took until the body threw what a passed limit throws.
private func timeUntilLimit(
    _ limit: Duration,
    sourceLocation: SourceLocation = #_sourceLocation,
    _ body: () async throws -> Void
) async -> Duration {
    let start = ContinuousClock.now
    let error = await #expect(throws: PoolError.self, sourceLocation: sourceLocation) { try await body() }
    #expect(error?.code == .timedOut, sourceLocation: sourceLocation)
    #expect(error?.limit == limit, sourceLocation: sourceLocation)
    return ContinuousClock.now - start
}

extension TestBackend {
    /// As ``withPool(workers:limit:sourceLocation:_:)``, with a short grace period.
    func withStrictPool<Result: Sendable>(
        workers: Int = 2,
        grace: Duration = .milliseconds(100),
        _ change: @escaping @Sendable (inout Pool.Configuration) -> Void = { _ in },
        _ body: @escaping @Sendable (Pool) async throws -> Result
    ) async throws -> Result {
        try await withLimit {
            var configuration = Pool.Configuration()
            configuration.gracePeriod = grace
            change(&configuration)
            let pool = try Pool(backend, workers: workers, configuration: configuration)
            do {
                let result = try await body(pool)
                await pool.terminate()
                return result
            } catch {
                await pool.terminate()
                throw error
            }
        }
    }
}

@Suite(.admitted)
struct DeadlineTests {
    @Test(arguments: TestBackend.allCases)
    func `mpire task_timeout, pebble timeout: an item in a tight loop fails at its limit, and not before`(
        backend: TestBackend
    ) async throws {
        let rendezvous = try Rendezvous()
        let ticket = rendezvous.ticket
        var template = Array("/tmp/multiprocessing-spin-XXXXXX".utf8CString)
        let file = template.withUnsafeMutableBufferPointer { mkstemp($0.baseAddress!) }
        try #require(file >= 0)
        close(file)
        let path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        defer { unlink(path) }
        try await backend.withStrictPool { pool in
            try await pool.start()
            let limit = Duration.milliseconds(300)
            let time = await timeUntilLimit(limit) {
                try await pool.run(options: .timeout(limit)) {
                    spin(while: path)
                    ticket.arrive()
                }
            }
            #expect(time >= limit)
            // The item goes on until the file is gone, so it was not waited for. How late the error came is no
            // matter of a test: other tests have the machine too.
            #expect(rendezvous.arrivals.isEmpty)
            let next = try await pool.run { 7 }
            #expect(next == 7)
        }
    }

    @Test(arguments: TestBackend.allCases)
    func `An item that ends in time is none the worse for its limit`(backend: TestBackend) async throws {
        try await backend.withStrictPool { pool in
            for grown in [1, 100, 3_000] {
                let values = try await pool.map(0..<grown, options: .timeout(.seconds(100))) { $0 * 3 }
                #expect(values == (0..<grown).map { $0 * 3 })
            }
            let texts = try await pool.map(0..<50, chunkSize: 7, options: .timeout(.seconds(100))) {
                try await Task.sleep(for: .microseconds(10))
                return "\($0)"
            }
            #expect(texts == (0..<50).map(String.init))
            #expect(try await pool.submit(4, options: .timeout(.seconds(100))) { $0 + 1 }.value == 5)
        }
    }

    @Test(arguments: TestBackend.allCases)
    func `A limit counts from the start of each item, not of its chunk`(backend: TestBackend) async throws {
        try await backend.withStrictPool(workers: 1) { pool in
            let limit = Duration.milliseconds(1_500)
            let values = try await pool.map(0..<8, chunkSize: 8, options: .timeout(limit)) {
                usleep(300_000)
                return $0
            }
            #expect(values == Array(0..<8))
        }
    }

    @Test(arguments: TestBackend.allCases)
    func `pebble map timeout: an item that hangs in a chunk fails alone, and what is behind it runs once`(
        backend: TestBackend
    ) async throws {
        let rendezvous = try Rendezvous()
        let ticket = rendezvous.ticket
        try await backend.withStrictPool { pool in
            var failed: [Int] = []
            var index = 0
            let results = pool.results(0..<20, chunkSize: 10, options: .timeout(.milliseconds(500))) { number in
                ticket.arrive(number)
                if number == 4 || number == 15 { ticket.wait() }
                return number
            }
            for await result in results {
                switch result {
                case .success(let value): #expect(value == index)
                case .failure(let error):
                    #expect((error as? PoolError)?.code == .timedOut)
                    failed.append(index)
                }
                index += 1
            }
            #expect(index == 20)
            #expect(failed == [4, 15])
            #expect(rendezvous.arrivals.sorted() == Array(0..<20))
        }
        rendezvous.letThrough(2)
    }

    @Test(arguments: TestBackend.allCases, [StreamOrder.input, .completion])
    func `The failure of an item that hangs is told of while others of its chunk go on`(
        backend: TestBackend, order: StreamOrder
    ) async throws {
        let rendezvous = try Rendezvous()
        let ticket = rendezvous.ticket
        try await backend.withStrictPool(workers: 1) { pool in
            let results = pool.results(
                0..<6, chunkSize: 6, order: order, options: .timeout(.seconds(4))
            ) { number -> Int in
                if number == 1 { while !Task.isCancelled { usleep(1_000) } }
                // Not before the test has the failure.
                if number > 1 { ticket.wait() }
                return number
            }
            var values: [Int] = []
            for await result in results {
                switch result {
                case .success(let value): values.append(value)
                case .failure(let error):
                    #expect((error as? PoolError)?.code == .timedOut)
                    #expect(values == [0])
                    rendezvous.letThrough(4)
                }
            }
            #expect(values == [0, 2, 3, 4, 5])
        }
    }

    @Test(arguments: TestBackend.allCases)
    func `Of many items that are begun together each has its limit, its value or its error`(
        backend: TestBackend
    ) async throws {
        let rendezvous = try Rendezvous()
        let ticket = rendezvous.ticket
        let count = 6_000
        let (hanging, throwing) = ([0, 1_500, 2_999, 4_001], [700, 5_999])
        try await backend.withStrictPool { pool in
            let limit = Duration.milliseconds(400)
            var failed: [Int] = []
            var index = 0
            let results = pool.results(0..<count, chunkSize: count / 2, options: .timeout(limit)) { number in
                if number % 100 == 0 || hanging.contains(number) { ticket.arrive(number) }
                if hanging.contains(number) { ticket.wait() }
                if throwing.contains(number) { throw FaultyNumber(number: number) }
                // Not in the string itself.
                return "the value of the item with the number \(number)"
            }
            for await result in results {
                switch result {
                case .success(let value): #expect(value == "the value of the item with the number \(index)")
                case .failure(let error as FaultyNumber): #expect(error.number == index && throwing.contains(index))
                case .failure(let error):
                    #expect((error as? PoolError)?.code == .timedOut && (error as? PoolError)?.limit == limit)
                    failed.append(index)
                }
                index += 1
            }
            #expect(index == count)
            #expect(failed == hanging)
            let known = Set(hanging + stride(from: 0, to: count, by: 100))
            #expect(rendezvous.arrivals.sorted() == known.sorted())
        }
        rendezvous.letThrough(hanging.count)
    }

    @Test(arguments: TestBackend.allCases)
    func `A limit that strikes in a map lets nothing be written behind its end`(backend: TestBackend) async throws {
        let rendezvous = try Rendezvous()
        let ticket = rendezvous.ticket
        try await backend.withStrictPool { pool in
            for _ in 0..<3 {
                let error = await #expect(throws: PoolError.self) {
                    _ = try await pool.map(0..<2_000, chunkSize: 1_000, options: .timeout(.milliseconds(200))) {
                        number in
                        if number == 1_234 {
                            ticket.arrive()
                            ticket.wait()
                        }
                        return [number]
                    }
                }
                #expect(error?.code == .timedOut)
                // A worker process is gone by now, or about to be.
                if backend == .threads { rendezvous.letThrough() }
                let values = try await pool.map(0..<2_000, options: .timeout(.seconds(100))) { [$0] }
                #expect(values == (0..<2_000).map { [$0] })
            }
            #expect(rendezvous.arrivals.count == 3)
        }
    }

    @Test(arguments: TestBackend.allCases)
    func `billiard soft_timeout: an item is told of its limit by cancellation, and its worker goes on when it listens`(
        backend: TestBackend
    ) async throws {
        let rendezvous = try Rendezvous()
        let ticket = rendezvous.ticket
        try await backend.withStrictPool(workers: 1, grace: .seconds(100)) { pool in
            let before = try await pool.run { Worker.current?.processID }
            // On a busy machine the limit may come before the worker has got as far as the item's first line;
            // then the item does not start, and another one shows it.
            for _ in 0..<50 where rendezvous.arrivals.isEmpty {
                _ = await timeUntilLimit(.milliseconds(100)) {
                    try await pool.run(options: .timeout(.milliseconds(100))) {
                        ticket.arrive(1)
                        if blockUntilCancelled() { ticket.arrive(2) }
                    }
                }
                // The only worker: it runs this when it has come back.
                #expect(try await pool.run { Worker.current?.processID } == before)
            }
            // Whatever has started was told.
            #expect(rendezvous.arrivals == [1, 2])
        }
    }

    @Test(arguments: TestBackend.allCases)
    func `billiard timeout: a worker that does not come back after the grace period is replaced`(backend: TestBackend)
        async throws
    {
        let rendezvous = try Rendezvous()
        let ticket = rendezvous.ticket
        for grace in [Duration.zero, .milliseconds(50)] {
            try await backend.withStrictPool(workers: 1, grace: grace) { pool in
                _ = await timeUntilLimit(.milliseconds(50)) {
                    try await pool.run(options: .timeout(.milliseconds(50))) {
                        signal(SIGUSR2, SIG_IGN)
                        ticket.wait()
                    }
                }
                let after = try await pool.run { 5 }
                #expect(after == 5)
            }
        }
        rendezvous.letThrough(2)
    }

    @Test(arguments: TestBackend.allCases)
    func `pebble cancel: what was cancelled and does not stop is left behind after the grace period`(
        backend: TestBackend
    ) async throws {
        let rendezvous = try Rendezvous()
        let ticket = rendezvous.ticket
        try await backend.withStrictPool(workers: 1) { pool in
            let future = pool.submit {
                ticket.arrive()
                ticket.wait()
            }
            await rendezvous.expectArrivals(1)
            future.cancel()
            future.cancel()
            await #expect(throws: CancellationError.self) { try await future.value }
            let next = try await pool.run { 5 }
            #expect(next == 5)

            // One of many: the call has ended, and its worker is wanted for others.
            let call = Task {
                try await pool.map(0..<4, chunkSize: 4) { _ in
                    ticket.arrive()
                    ticket.wait()
                }
            }
            await rendezvous.expectArrivals(2)
            call.cancel()
            await #expect(throws: CancellationError.self) { try await call.value }
            let last = try await pool.run { 6 }
            #expect(last == 6)
            #expect(rendezvous.arrivals.count == 2)
        }
        rendezvous.letThrough(5)
    }

    @Test(arguments: TestBackend.allCases)
    func `An item that waits for longer than it may does not start`(backend: TestBackend) async throws {
        let rendezvous = try Rendezvous()
        let ticket = rendezvous.ticket
        try await backend.withStrictPool(workers: 1) { pool in
            let first = pool.submit { ticket.wait() }
            let limit = Duration.milliseconds(100)
            let futures = (1...5).map { number in
                pool.submit(number, options: .queueTimeout(limit)) { number in ticket.arrive(number) }
            }
            for future in futures {
                let error = await #expect(throws: PoolError.self) { try await future.value }
                #expect(error?.code == .timedOut)
                #expect(error?.limit == limit)
                #expect(error?.message.contains("waited") == true)
            }
            rendezvous.letThrough()
            try await first.value
            #expect(try await pool.submit(options: .queueTimeout(.seconds(100))) { 5 }.value == 5)
            #expect(rendezvous.arrivals.isEmpty)
        }
    }

    @Test(arguments: TestBackend.allCases)
    func `An item that waits for too long behind another of its chunk does not start`(
        backend: TestBackend
    ) async throws {
        let rendezvous = try Rendezvous()
        let ticket = rendezvous.ticket
        let options = WorkOptions.queueTimeout(.seconds(3))
        try await backend.withStrictPool(workers: 1) { pool in
            // What waits does so behind an item, not for a worker's start.
            let first = try await pool.run { 7 }
            #expect(first == 7)
            let outcomes = pool.results(0..<4, chunkSize: 4, order: .completion, options: options) { number in
                ticket.arrive(number)
                if number == 0 { ticket.wait() }
                return number
            }
            var iterator = outcomes.makeAsyncIterator()
            for _ in 1...3 {
                let outcome = try #require(await iterator.next())
                let error = #expect(throws: PoolError.self) { try outcome.get() }
                #expect(error?.code == .timedOut)
                #expect(error?.message.contains("waited") == true)
            }
            // The first has begun in time, and goes on.
            rendezvous.letThrough()
            let last = try await iterator.next()?.get()
            #expect(last == 0)
            #expect(rendezvous.arrivals == [0])
            let counts = pool.statistics
            #expect((counts.submitted, counts.finished, counts.timedOut) == (5, 2, 3))
        }
    }

    @Test(arguments: TestBackend.allCases)
    func `Items with time enough to wait run as others do`(backend: TestBackend) async throws {
        try await backend.withStrictPool(workers: 2) { pool in
            let options = WorkOptions.queueTimeout(.seconds(100))
            for chunkSize in [nil, 1, 100] {
                let values = try await pool.map(0..<5_000, chunkSize: chunkSize, options: options) { $0 + 1 }
                #expect(values == Array(1...5_000))
            }
        }
    }
}

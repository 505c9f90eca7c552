import Glibc
import Multiprocessing
import Synchronization
import TestSupport
import Testing

/// What an attempt that is to fail throws.
private struct Flaky: Error, Codable, Hashable {
    var attempt = Worker.current?.attempt ?? 0
}

/// Reports that an item runs, and fails in its first attempts.
@discardableResult
private func run(_ item: Numbered, failing count: Int) throws -> Int {
    item.ticket.arrive(item.number)
    guard (Worker.current?.attempt ?? 0) > count else { throw Flaky() }
    return item.number
}

extension WorkOptions {
    /// Tries again what the work throws.
    fileprivate static func thrown(_ attempts: Int, delay: RetryDelay = .none) -> WorkOptions {
        .retry(.attempts(attempts, delay: delay, where: { $0 is Flaky }))
    }
}

/// Items that are tried again when they fail.
@Suite("Retries", .admitted)
struct RetryTests {
    /// A pause that no test sees the end of.
    private static let hour = RetryDelay.constant(.seconds(3_600))

    @Test("An item that throws is run until it succeeds, and knows its attempt", arguments: TestBackend.allCases)
    func thrown(_ backend: TestBackend) async throws {
        try await backend.withPool { pool async throws in
            let third = try await pool.run(options: .thrown(3)) { () throws -> Int in
                guard Worker.current?.attempt == 3 else { throw Flaky() }
                return 3
            }
            #expect(third == 3)
            let suspending = try await pool.run(7, options: .thrown(2)) { number async throws -> Int in
                await Task.yield()
                guard Worker.current?.attempt == 2 else { throw Flaky() }
                return number
            }
            #expect(suspending == 7)
            let future = pool.submit("text", options: .thrown(2)) { text throws -> String in
                guard Worker.current?.attempt == 2 else { throw Flaky() }
                return text + "!"
            }
            #expect(try await future.value == "text!")
            #expect(try await pool.run { Worker.current?.attempt } == 1)
        }
    }

    @Test("Each attempt of one item of many has the limit of its call", arguments: TestBackend.allCases)
    func limitOfEach(_ backend: TestBackend) async throws {
        let options = WorkOptions.timeout(.seconds(1)).retry(.attempts(4, delay: .none)).label("limited")
        let body: @Sendable (Int) throws -> Int = { number in
            // It hangs until it is told that its time is up.
            if number == 4, (Worker.current?.attempt ?? 0) < 3 { while !Task.isCancelled { usleep(1_000) } }
            return number
        }
        try await backend.withPool(workers: 2, limit: .seconds(120)) { pool async throws in
            let values = try await pool.map(0..<6, chunkSize: 3, options: options, body)
            #expect(values == Array(0..<6))
            var results: [Int] = []
            for await result in pool.results(0..<6, chunkSize: 3, options: options, body) {
                results.append(try result.get())
            }
            #expect(results == Array(0..<6))
            var streamed: [Int] = []
            for try await value in pool.stream(0..<6, options: options, body) { streamed.append(value) }
            #expect(streamed == Array(0..<6))
        }
    }

    @Test("A further attempt waits for a worker no longer than it may", arguments: TestBackend.allCases)
    func queueTimeout(_ backend: TestBackend) async throws {
        let first = try Rendezvous()
        let second = try Rendezvous()
        let (failing, blocking) = (first.ticket, second.ticket)
        try await backend.withPool(workers: 1) { pool async throws in
            try await pool.start()
            let future = pool.submit(
                options: .thrown(2).queueTimeout(.seconds(5))
            ) { () throws -> Int in
                failing.arrive()
                failing.wait()
                throw Flaky()
            }
            await first.expectArrivals(1)
            let blocked = pool.submit { blocking.wait() }
            first.letThrough()
            let error = await future.result.failure
            #expect((error as? PoolError)?.code == .timedOut, "\(String(describing: error))")
            #expect(first.arrivals.count == 1)
            second.letThrough()
            try await blocked.value
        }
    }

    @Test("What has waited for too long never ran, and is not tried again", arguments: TestBackend.allCases)
    func expiry(_ backend: TestBackend) async throws {
        let rendezvous = try Rendezvous()
        let ticket = rendezvous.ticket
        let options = WorkOptions.queueTimeout(.milliseconds(50)).retry(
            .attempts(3, delay: .constant(.seconds(3_600))))
        try await backend.withPool(workers: 1) { pool async throws in
            let blocked = pool.submit { ticket.wait() }
            let single = await pool.submit(options: options) { 1 }.result.failure as? PoolError
            #expect(single?.code == .timedOut && single?.attempts == nil)
            let many = await #expect(throws: PoolError.self) { try await pool.map(0..<3, options: options) { $0 } }
            #expect(many?.code == .timedOut)
            #expect(pool.statistics.retried == 0)
            rendezvous.letThrough()
            try await blocked.value
        }
    }

    @Test("The failure of the last attempt is the item's", arguments: TestBackend.allCases)
    func lastFailure(_ backend: TestBackend) async throws {
        let rendezvous = try Rendezvous()
        let item = Numbered(number: 1, ticket: rendezvous.ticket)
        try await backend.withPool { pool async throws in
            await #expect(throws: Flaky(attempt: 3)) {
                try await pool.run(item, options: .thrown(3)) { try run($0, failing: 9) }
            }
            #expect(rendezvous.arrivals.count == 3)
        }
    }

    @Test("An item's last error says in which attempt it came, by every call", arguments: TestBackend.allCases)
    func attemptIsTold(_ backend: TestBackend) async throws {
        let limit = Duration.milliseconds(50)
        let asked = Mutex<[String]>([])
        let options = WorkOptions.timeout(limit).retry(
            .attempts(
                3, delay: .none, on: [],
                where: { error in
                    asked.withLock { $0.append((error as? PoolError)?.message ?? "") }
                    return true
                }))
        let hang: @Sendable (Int) throws -> Int = { number in
            while !Task.isCancelled { usleep(1_000) }
            return number
        }
        @Sendable func expect(_ error: (any Error)?, sourceLocation: SourceLocation = #_sourceLocation) {
            let error = error as? PoolError
            #expect(error?.code == .timedOut && error?.limit == limit, sourceLocation: sourceLocation)
            #expect(error?.attempts == 3, sourceLocation: sourceLocation)
            #expect(
                error?.message.hasSuffix(" (the item's attempt 3 of 3)") == true, "\(error?.message ?? "none")",
                sourceLocation: sourceLocation)
        }
        try await backend.withPool(limit: .seconds(120)) { pool async throws in
            expect(await #expect(throws: PoolError.self) { try await pool.run(1, options: options, hang) })
            expect(await pool.submit(1, options: options, hang).result.failure)
            expect(await #expect(throws: PoolError.self) { try await pool.map(0..<2, options: options, hang) })
            for await result in pool.results(0..<2, options: options, hang) { expect(result.failure) }
            expect(
                await #expect(throws: PoolError.self) {
                    for try await _ in pool.stream(0..<2, options: options, hang) {}
                })
            // Who is asked sees each failure as it came.
            #expect(asked.withLock { $0.count } >= 10)
            #expect(asked.withLock { messages in messages.allSatisfy { !$0.isEmpty && !$0.contains("attempt") } })

            let once = await pool.submit(1, options: .timeout(limit), hang).result.failure as? PoolError
            #expect(once?.code == .timedOut && once?.attempts == nil)
            #expect(once?.message.contains("attempt") == false, "\(once?.message ?? "none")")
        }
    }

    @Test("The facts of the last failure stay beside the number of its attempt", arguments: TestBackend.allCases)
    func attemptLeavesFacts(_ backend: TestBackend) async throws {
        struct Unsendable: Error {
            let text = "no luck"
        }
        try await backend.withPool { pool async throws in
            let options = WorkOptions.retry(.attempts(2, delay: .none, where: { _ in true }))
            let error = await pool.submit(options: options) { () throws -> Int in throw Unsendable() }.result.failure
            let remote = try #require(error as? PoolError)
            #expect(remote.code == .remote && remote.attempts == 2)
            #expect(remote.typeName?.contains("Unsendable") == true)
            #expect(remote.message.contains("no luck") && remote.message.hasSuffix("attempt 2 of 2)"), "\(remote)")
            do {
                _ = try await pool.run(options: options) { () throws -> Int in throw Unsendable() }
            } catch PoolError.remote {
                // As one without attempts.
            }
            guard backend == .processes else { return }
            let crash = await pool.submit(options: options) { () -> Int in Crash.killed.happen() }.result.failure
            Crash.killed.expect(crash)
            #expect((crash as? PoolError)?.attempts == 2)
            #expect((crash as? PoolError)?.message.hasSuffix("attempt 2 of 2)") == true)
        }
    }

    @Test("What the work throws counts only if the predicate says so", arguments: TestBackend.allCases)
    func notCounted(_ backend: TestBackend) async throws {
        let rendezvous = try Rendezvous()
        let item = Numbered(number: 1, ticket: rendezvous.ticket)
        try await backend.withPool { pool async throws in
            await #expect(throws: Flaky(attempt: 1)) {
                try await pool.run(item, options: .retry(.attempts(3, delay: .none))) { try run($0, failing: 9) }
            }
            await #expect(throws: Flaky(attempt: 1)) {
                let policy = RetryPolicy.attempts(3, delay: .none, where: { ($0 as? Flaky)?.attempt != 1 })
                _ = try await pool.run(item, options: .retry(policy)) { try run($0, failing: 9) }
            }
            await #expect(throws: CancellationError.self) {
                let policy = RetryPolicy.attempts(3, delay: .none, where: { _ in true })
                _ = try await pool.run(item, options: .retry(policy)) { item throws -> Int in
                    item.ticket.arrive(item.number)
                    throw CancellationError()
                }
            }
            #expect(rendezvous.arrivals.count == 3)
        }
    }

    @Test("A crash is tried again; in a chunk, that item alone")
    func crash() async throws {
        let rendezvous = try Rendezvous()
        let ticket = rendezvous.ticket
        try await TestBackend.processes.withPool { pool async throws in
            let value = try await pool.run(5, options: .retry(.attempts(2))) { number -> Int in
                if Worker.current?.attempt == 1 { Crash.fatalError.happen() }
                return number
            }
            #expect(value == 5)
            let items = (0..<100).map { Numbered(number: $0, ticket: ticket) }
            let values = try await pool.map(items, chunkSize: 25, options: .retry(.attempts(3, delay: .none))) { item in
                item.ticket.arrive(item.number)
                if item.number % 40 == 13, Worker.current?.attempt != 3 { Crash.killed.happen() }
                return item.number
            }
            #expect(values == Array(0..<100))
            let counts = Dictionary(grouping: rendezvous.arrivals) { $0 }.mapValues(\.count)
            #expect(counts == Dictionary(uniqueKeysWithValues: (0..<100).map { ($0, $0 % 40 == 13 ? 3 : 1) }))
        }
    }

    @Test("In a map each value is in its place, and what succeeded runs once", arguments: TestBackend.allCases)
    func map(_ backend: TestBackend) async throws {
        let rendezvous = try Rendezvous()
        let items = (0..<200).map { Numbered(number: $0, ticket: rendezvous.ticket) }
        try await backend.withPool { pool async throws in
            let numbers = try await pool.map(items, chunkSize: 10, options: .thrown(2)) { item in
                try run(item, failing: item.number % 7 == 0 ? 1 : 0)
            }
            #expect(numbers == Array(0..<200))
            let counts = Dictionary(grouping: rendezvous.arrivals) { $0 }.mapValues(\.count)
            #expect(counts == Dictionary(uniqueKeysWithValues: (0..<200).map { ($0, $0 % 7 == 0 ? 2 : 1) }))

            // Values with memory of their own, suspending work, and chunks of the library's choice.
            let texts = try await pool.map(0..<500, options: .thrown(4)) { number async throws -> String in
                await Task.yield()
                if (Worker.current?.attempt ?? 0) <= number % 4 { throw Flaky() }
                return "\(number)"
            }
            #expect(texts == (0..<500).map { "\($0)" })
            try await pool.forEach(0..<50, options: .thrown(2)) { number throws -> Void in
                if Worker.current?.attempt == 1 { throw Flaky() }
            }
        }
    }

    @Test("A map whose item has no attempt left fails with its error", arguments: TestBackend.allCases)
    func mapFails(_ backend: TestBackend) async throws {
        try await backend.withPool { pool async throws in
            await #expect(throws: Flaky(attempt: 3)) {
                try await pool.map(0..<100, chunkSize: 10, options: .thrown(3)) { number throws -> Int in
                    if number == 35 { throw Flaky() }
                    return number
                }
            }
            #expect(try await pool.map(0..<10) { $0 } == Array(0..<10))
        }
    }

    @Test("Results: one for each input, in order, over both kinds of sequence", arguments: TestBackend.allCases)
    func results(_ backend: TestBackend) async throws {
        let work: @Sendable (Int) throws -> Int = { number in
            if (Worker.current?.attempt ?? 0) <= number % 4 { throw Flaky() }
            return number
        }
        let expected: [Result<Int, Flaky>] = (0..<60).map { $0 % 4 == 3 ? .failure(Flaky(attempt: 3)) : .success($0) }
        try await backend.withPool { pool async throws in
            var results: [Result<Int, Flaky>] = []
            for await result in pool.results(0..<60, chunkSize: 9, options: .thrown(3), work) {
                results.append(result.mapError { $0 as? Flaky ?? Flaky(attempt: -1) })
            }
            #expect(results == expected)
            results = []
            for await result in pool.results(AsyncNumbers(count: 60), chunkSize: 4, options: .thrown(3), work) {
                results.append(result.mapError { $0 as? Flaky ?? Flaky(attempt: -1) })
            }
            #expect(results == expected)
        }
    }

    @Test("An item in its pause delays no other, and takes no worker", arguments: TestBackend.allCases)
    func delaysNoOther(_ backend: TestBackend) async throws {
        let rendezvous = try Rendezvous()
        let items = (0..<40).map { Numbered(number: $0, ticket: rendezvous.ticket) }
        // One worker: if it were held up by the pause, nothing else would come.
        try await backend.withPool(workers: 1, limit: .seconds(60)) { pool async throws in
            var seen: Set<Int> = []
            let failures = Mutex(0)
            let policy = RetryPolicy.attempts(
                2, delay: Self.hour,
                where: { _ in
                    failures.withLock { $0 += 1 }
                    return true
                })
            let stream = pool.stream(items, chunkSize: 5, order: .completion, buffer: 100, options: .retry(policy)) {
                item throws -> Int in
                try run(item, failing: item.number % 20 == 12 ? 1 : 0)
            }
            var iterator = stream.makeAsyncIterator()
            while seen.count < 38, let number = try await iterator.next() { seen.insert(number) }
            #expect(seen == Set(0..<40).subtracting([12, 32]))
            // They have failed, are in their pauses, and nobody has run them again.
            await expectSoon { failures.withLock { $0 } == 2 }
            #expect(rendezvous.arrivals.sorted() == Array(0..<40))
            #expect(try await pool.map(0..<100) { $0 } == Array(0..<100))
            #expect(pool.statistics.retried == 2)
        }
    }

    @Test("Cancelled in its pause, an item ends at once", arguments: TestBackend.allCases)
    func cancelled(_ backend: TestBackend) async throws {
        let rendezvous = try Rendezvous()
        let item = Numbered(number: 1, ticket: rendezvous.ticket)
        try await backend.withPool { pool async throws in
            let future = pool.submit(item, options: .thrown(2, delay: Self.hour)) { try run($0, failing: 1) }
            await rendezvous.expectArrivals(1)
            // With one worker or two: when this has run, the failure has most likely arrived; either is right.
            try await pool.map(0..<4, chunkSize: 1) { $0 }.forEach { _ in }
            #expect(!future.isFinished)
            future.cancel()
            await #expect(throws: CancellationError.self) { try await future.value }

            let waiter = Task {
                try await pool.map([item], options: .thrown(2, delay: Self.hour)) { try run($0, failing: 1) }
            }
            await rendezvous.expectArrivals(2)
            waiter.cancel()
            await #expect(throws: CancellationError.self) { try await waiter.value }
            await pool.shutDown()
            #expect(rendezvous.arrivals.count == 2)
        }
    }

    @Test("Terminate ends a pause at once", arguments: TestBackend.allCases)
    func terminated(_ backend: TestBackend) async throws {
        let rendezvous = try Rendezvous()
        let item = Numbered(number: 1, ticket: rendezvous.ticket)
        try await backend.withPool { pool async throws in
            // Asked of when a failure has arrived: one that comes only after the end is the item's last.
            let failures = Mutex(0)
            let options = WorkOptions.retry(
                .attempts(
                    9, delay: Self.hour,
                    where: { _ in
                        failures.withLock { $0 += 1 }
                        return true
                    }))
            let future = pool.submit(item, options: options) { try run($0, failing: 9) }
            let waiter = Task { try await pool.map([item], options: options) { try run($0, failing: 9) } }
            await expectSoon { failures.withLock { $0 } == 2 }
            #expect(!future.isFinished)
            await pool.terminate()
            let error = await #expect(throws: PoolError.self) { try await future.value }
            #expect(error?.code == .shutDown)
            let other = await #expect(throws: PoolError.self) { try await waiter.value }
            #expect(other?.code == .shutDown)
        }
    }

    @Test("Shutting down waits for what is still to be tried", arguments: TestBackend.allCases, [1, 3])
    func shutDown(_ backend: TestBackend, _ attempts: Int) async throws {
        let rendezvous = try Rendezvous()
        let item = Numbered(number: 1, ticket: rendezvous.ticket)
        for pause in [Duration.zero, .milliseconds(30)] {
            try await backend.withPool(workers: 1) { pool async throws in
                let future = pool.submit(item, options: .thrown(attempts, delay: .constant(pause))) { item in
                    try run(item, failing: attempts - 1)
                }
                await pool.shutDown()
                #expect(future.isFinished)
                #expect(try await future.value == 1)
            }
        }
        #expect(rendezvous.arrivals.count == 2 * attempts)
    }

    @Test("Each pause of a back-off lies between a half and the whole of what it doubles to")
    func pauses() {
        let delay = RetryDelay.exponential(from: .milliseconds(50), to: .seconds(1))
        for (attempt, longest) in [(1, 50), (2, 100), (3, 200), (5, 800), (6, 1_000), (500, 1_000)] {
            for _ in 0..<50 {
                let pause = delay.pause(after: attempt)
                #expect(pause >= .milliseconds(longest) / 2 && pause <= .milliseconds(longest))
            }
        }
        #expect(RetryDelay.none.pause(after: 3) == .zero)
        #expect(RetryDelay.constant(.seconds(2)).pause(after: 3) == .seconds(2))
    }
}

import Multiprocessing
import TestSupport
import Testing

private enum LookupError: Error, Codable, Equatable {
    case notFound(key: String)
    case ambiguous([Int])
}

private struct Plain: Error, CustomStringConvertible {
    var description: String { "plain trouble" }
}

private struct Generic<Value: Codable & Sendable & Equatable>: Error, Codable, Equatable {
    let value: Value
}

private final class ClassError: Error, Codable, Sendable {
    let text: String

    init(text: String) { self.text = text }
}

private struct Failing: Job {
    let key: String

    func run() throws -> Int { throw LookupError.notFound(key: key) }
}

private struct FailingLate: VoidJob {
    func run() async throws {
        await Task.yield()
        throw LookupError.ambiguous([1, 2])
    }
}

/// What an item throws reaches the caller, the same on both backends.
@Suite(.admitted)
struct ErrorTests {
    @Test("176 traceback, 177 wrapped_exception: a Codable error is what it was", arguments: TestBackend.allCases)
    func codable(_ backend: TestBackend) async throws {
        try await backend.withPool { pool async throws in
            await #expect(throws: LookupError.notFound(key: "k")) {
                try await pool.run("k") { key -> Int in throw LookupError.notFound(key: key) }
            }
            await #expect(throws: LookupError.ambiguous([1, 2])) { try await pool.run(FailingLate()) }
            await #expect(throws: LookupError.notFound(key: "j")) { try await pool.submit(Failing(key: "j")).value }
            await #expect(throws: Generic(value: ["a": 1])) {
                try await pool.run { throw Generic(value: ["a": 1]) }
            }
            let error = await #expect(throws: ClassError.self) {
                try await pool.run { throw ClassError(text: "object") }
            }
            #expect(error?.text == "object")
        }
    }

    @Test("223 traceback: another error arrives as its name and description", arguments: TestBackend.allCases)
    func remote(_ backend: TestBackend) async throws {
        try await backend.withPool { pool async throws in
            let error = await #expect(throws: PoolError.self) { try await pool.run { throw Plain() } }
            #expect(error?.code == .remote)
            #expect(error?.typeName?.hasSuffix("Plain") == true)
            #expect(error?.errorDescription == "plain trouble")
            #expect(error?.message.contains("plain trouble") == true)
            // It crosses no process boundary.
            #expect((error?.underlyingError is Plain) == (backend == .threads))
        }
    }

    @Test("A PoolError that an item throws is what it was", arguments: TestBackend.allCases)
    func poolError(_ backend: TestBackend) async throws {
        try await backend.withPool { pool async throws in
            let error = await #expect(throws: PoolError.self) {
                try await pool.run { try Pool(.threads, workers: -3) }.terminate()
            }
            // A pool cannot be sent, which is known before the work starts.
            #expect(error?.code == (backend == .processes ? .notPortable : .invalidArgument))
            let thrown = await #expect(throws: PoolError.self) {
                try await pool.run { _ = try Pool(.threads, workers: -3) }
            }
            #expect(thrown?.code == .invalidArgument)
            #expect(thrown?.message.contains("workers is -3") == true)
        }
    }

    @Test("A CancellationError that an item throws is one", arguments: TestBackend.allCases)
    func cancellation(_ backend: TestBackend) async throws {
        try await backend.withPool { pool async throws in
            await #expect(throws: CancellationError.self) { try await pool.run { throw CancellationError() } }
            // The worker is none the worse for it.
            #expect(try await pool.map(0..<4) { $0 } == [0, 1, 2, 3])
        }
    }

    @Test(
        "178 map_no_failfast: the error of one worker's map is that of the first item", arguments: TestBackend.allCases)
    func mapThrows(_ backend: TestBackend) async throws {
        try await backend.withPool(workers: 1) { pool async throws in
            for size in [1, 3, 100, nil] {
                await #expect(throws: Generic(value: 30)) {
                    try await pool.map(0..<100, chunkSize: size) { number -> Int in
                        if number >= 30 { throw Generic(value: number) }
                        return number
                    }
                }
            }
            #expect(try await pool.map(0..<4) { $0 } == [0, 1, 2, 3])
        }
    }

    /// A worker may come to fail before another has begun the item ahead of its own, which then never runs.
    @Test("178 map_no_failfast: map throws the error of the lowest item that ran", arguments: TestBackend.allCases)
    func mapThrowsLowest(_ backend: TestBackend) async throws {
        try await backend.withPool(workers: 3) { pool async throws in
            for round in 0..<40 {
                let rendezvous = try Rendezvous()
                let size = [1, 3, 100, nil][round % 4]
                let error = await #expect(throws: Generic<Int>.self) {
                    try await pool.map(0..<100, with: rendezvous.ticket, chunkSize: size) { number, ticket -> Int in
                        guard number >= 30 else { return number }
                        ticket.arrive(number)
                        throw Generic(value: number)
                    }
                }
                #expect(error?.value == rendezvous.arrivals.min())
            }
        }
    }

    @Test(
        "178 map_no_failfast: nothing starts behind a failure, not in its chunk either", arguments: TestBackend.allCases
    )
    func mapStops(_ backend: TestBackend) async throws {
        let rendezvous = try Rendezvous()
        let ticket = rendezvous.ticket
        try await backend.withPool(workers: 1) { pool async throws in
            await #expect(throws: Generic(value: 2)) {
                try await pool.map((0..<1_000).map { Numbered(number: $0, ticket: ticket) }, chunkSize: 10) { item in
                    item.ticket.arrive(item.number)
                    if item.number == 2 { throw Generic(value: 2) }
                    return item.number
                }
            }
            #expect(try await pool.run { 1 } == 1)
        }
        let arrivals = rendezvous.arrivals
        #expect(arrivals.starts(with: [0, 1, 2]))
        #expect(!arrivals.contains { (3..<10).contains($0) })
        // What was handed over before the failure was known may have run.
        #expect(arrivals.count < 200)
    }

    @Test("178 map_no_failfast: what runs beside a failure is cancelled", arguments: TestBackend.allCases)
    func mapCancelsNeighbors(_ backend: TestBackend) async throws {
        let (rendezvous, told) = (try Rendezvous(), try Rendezvous())
        let tickets = [rendezvous.ticket, told.ticket]
        try await backend.withPool(workers: 2) { pool async throws in
            let failing = Task {
                try await pool.map(0..<2, with: tickets, chunkSize: 1) { number, tickets -> Int in
                    tickets[0].arrive(number)
                    if number == 0 {
                        tickets[0].wait()
                        throw Generic(value: 0)
                    }
                    if blockUntilCancelled() { tickets[1].arrive() }
                    return number
                }
            }
            await rendezvous.expectArrivals(2)
            rendezvous.letThrough()
            await #expect(throws: Generic(value: 0)) { try await failing.value }
            await told.expectArrivals(1)
        }
    }

    @Test("178 map_no_failfast: errors of a megabyte pass", arguments: TestBackend.allCases)
    func largeErrors(_ backend: TestBackend) async throws {
        try await backend.withPool { pool async throws in
            let text = String(repeating: "x", count: 1 << 20)
            var count = 0
            for await result in pool.results(
                0..<8,
                { number -> Int in
                    throw Generic(value: "\(number)" + String(repeating: "x", count: 1 << 20))
                })
            {
                #expect(throws: Generic(value: "\(count)" + text)) { try result.get() }
                count += 1
            }
            #expect(count == 8)
        }
    }

    @Test("209 map_exception: results has each error at its place", arguments: TestBackend.allCases)
    func resultsHaveErrors(_ backend: TestBackend) async throws {
        try await backend.withPool { pool async throws in
            for size in [1, 7, 100] {
                var texts: [String] = []
                for await result in pool.results(
                    0..<20, chunkSize: size,
                    { number -> Int in
                        if number % 3 == 0 { throw Generic(value: number) }
                        return number
                    })
                {
                    switch result {
                    case .success(let number): texts.append("\(number)")
                    case .failure(let error as Generic<Int>): texts.append("error \(error.value)")
                    case .failure(let error): texts.append("\(error)")
                    }
                }
                #expect(texts == (0..<20).map { $0 % 3 == 0 ? "error \($0)" : "\($0)" })
            }
        }
    }
}

import Dispatch
import Multiprocessing
import MultiprocessingSystem
import Synchronization
import TestSupport
import Testing

/// An executor that counts how often it is asked to run something.
private final class CountingExecutor: SerialExecutor {
    private let queue = DispatchQueue(label: "test.counting")
    let count = Atomic(0)

    func enqueue(_ job: consuming ExecutorJob) {
        count.wrappingAdd(1, ordering: .relaxed)
        let job = UnownedJob(job)
        let executor = asUnownedSerialExecutor()
        queue.async { job.runSynchronously(on: executor) }
    }

    func isIsolatingCurrentContext() -> Bool? { nil }

    func checkIsolated() { dispatchPrecondition(condition: .onQueue(queue)) }
}

private struct Odd: Error, Codable {}

/// A caller with state of its own, which its input sequences use.
private actor Caller {
    private let executor = CountingExecutor()
    private var taken = 0
    private var strays = 0

    nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    private var hops: Int { executor.count.load(ordering: .relaxed) }

    private func take(_ number: Int) -> Bool {
        executor.checkIsolated()
        taken += 1
        return number % 2 == 0
    }

    func map(_ pool: Pool) async throws -> [Int] {
        let inputs = (1...100).lazy.filter { self.take($0) }
        let values = try await pool.map(inputs, chunkSize: 1) { $0 + 1 }
        _ = try await pool.map(inputs, with: 1) { $0 + $1 }
        try await pool.forEach(inputs) { _ in }
        #expect(taken == 300)
        return values
    }

    func failing(_ pool: Pool) async {
        let inputs = (1...100).lazy.filter { self.take($0) }
        do {
            // Not in a closure of `#expect`, which would leave the actor.
            _ = try await pool.map(inputs, chunkSize: 1) { number -> Int in
                if number > 20 { throw Odd() }
                return number
            }
            Issue.record("nothing was thrown")
        } catch is Odd {
            // Right.
        } catch {
            Issue.record(error)
        }
    }

    func stream(_ pool: Pool) async throws -> [Int] {
        var values: [Int] = []
        for try await value in pool.stream((1...100).lazy.filter { self.take($0) }, { $0 + 1 }) { values.append(value) }
        for await _ in pool.results((1...100).lazy.filter { self.take($0) }, { $0 + 1 }) {}
        #expect(taken == 200)
        return values
    }

    /// Reads a stream of chunks, and returns how often it came back to the actor for that.
    func readChunks(_ pool: Pool, count: Int) async throws -> Int {
        let before = hops
        var sum = 0
        for try await value in pool.stream(0..<count, chunkSize: 100, { $0 }) { sum += value }
        #expect(sum == count * (count - 1) / 2)
        return hops - before
    }

    func body() async throws -> Int {
        try await withPool(.threads, workers: 1) { pool in
            executor.checkIsolated()
            return try await pool.run { 7 }
        }
    }
}

/// A caller's sequences are used where the caller is, and nowhere else.
@Suite(.admitted)
struct IsolationTests {
    @Test(arguments: TestBackend.allCases)
    @MainActor
    func mainActor(_ backend: TestBackend) async throws {
        let pool = try backend.pool()
        var taken: [Int] = []
        let inputs = (1...100).lazy.filter { number in
            MainActor.assertIsolated()
            taken.append(number)
            return number % 2 == 0
        }
        let expected = (1...100).filter { $0 % 2 == 0 }.map { $0 + 1 }
        #expect(try await pool.map(inputs) { $0 + 1 } == expected)
        #expect(try await pool.map(inputs.map { ($0, 1) }, chunkSize: 7) { $0 + $1 } == expected)
        var streamed: [Int] = []
        for try await value in pool.stream(inputs, { $0 + 1 }) { streamed.append(value) }
        #expect(streamed == expected)
        var results: [Int] = []
        for await result in pool.results(inputs, order: .completion, { $0 + 1 }) { results.append(try result.get()) }
        #expect(results.sorted() == expected)
        #expect(taken.count >= 400)
        await pool.shutDown()
    }

    @Test(arguments: TestBackend.allCases)
    func customActor(_ backend: TestBackend) async throws {
        try await backend.withPool { pool async throws in
            let expected = (1...100).filter { $0 % 2 == 0 }.map { $0 + 1 }
            #expect(try await Caller().map(pool) == expected)
            #expect(try await Caller().stream(pool) == expected)
            await Caller().failing(pool)
        }
    }

    @Test("The body of withPool runs where its caller is")
    func scoped() async throws {
        #expect(try await Caller().body() == 7)
    }

    @Test("A stream whose next value is there costs no hop", arguments: TestBackend.allCases)
    func hops(_ backend: TestBackend) async throws {
        try await backend.withPool { pool async throws in
            let hops = try await Caller().readChunks(pool, count: 20_000)
            // At most two for each of the 200 chunks.
            #expect(hops < 500, "\(hops) hops")
        }
    }

    @Test("Sequences at the top level of main.swift", arguments: TestBackend.allCases)
    func topLevel(_ backend: TestBackend) async throws {
        let path = ProbeProcess.path.dropLast("probe".count) + "callers"
        let program = try ProbeProcess(["\(backend)"], path: String(path))
        #expect(
            try await program.remainingLines() == [
                "map [3, 5, 7, 9, 11]", "map of chunks [3, 5, 7, 9, 11]", "map async [3, 5, 7, 9, 11]",
                "map of pairs [4, 16, 36, 64, 100]", "map with [12, 14, 16, 18, 20]", "map of jobs [4, 8, 12, 16, 20]",
                "stream [3, 5, 7, 9, 11]", "stream of pairs [4, 16, 36, 64, 100]", "results [3, 5, 7, 9, 11]",
                "results of jobs [4, 8, 12, 16, 20]", "all [3, 5, 7, 9, 11]",
            ])
        #expect(try await program.exitStatus() == .exited(0))
    }
}

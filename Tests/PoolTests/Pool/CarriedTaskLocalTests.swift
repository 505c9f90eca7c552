import Multiprocessing
import TestSupport
import Testing

private struct TraceContext: Codable, Hashable, Sendable {
    var id: String
    var tags: [String: Int] = [:]
}

private enum Trace {
    @TaskLocal static var context: TraceContext?
    @TaskLocal static var depth = 0
    @TaskLocal static var uncarried: Int?
    @TaskLocal static var failing: Failing?
}

private struct Failing: Codable, Sendable {
    func encode(to encoder: any Encoder) throws {
        throw EncodingError.invalidValue(self, .init(codingPath: [], debugDescription: "on purpose"))
    }
}

private struct Seen: Codable, Hashable, Sendable {
    var context: TraceContext?
    var depth: Int

    static var now: Seen { Seen(context: Trace.context, depth: Trace.depth) }
}

private struct SeenJob: Job {
    func run() async -> Seen {
        await Task.yield()
        return .now
    }
}

private var carrying: Pool.Configuration {
    var configuration = Pool.Configuration()
    configuration.carriedTaskLocals = [CarriedTaskLocal(Trace.$context), CarriedTaskLocal(Trace.$depth)]
    return configuration
}

/// Task-local values that a pool carries to its workers.
@Suite(.admitted)
struct CarriedTaskLocalTests {
    @Test("Every kind of call has its caller's values", arguments: TestBackend.allCases)
    func everyCall(_ backend: TestBackend) async throws {
        try await withLimit {
            try await withPool(backend.backend, workers: 2, configuration: carrying) { pool in
                for number in 0..<5 {
                    let expected = Seen(
                        context: number == 2 ? nil : TraceContext(id: "\(number)", tags: ["n": number]), depth: number)
                    try await Trace.$context.withValue(expected.context) { () async throws in
                        try await Trace.$depth.withValue(number) { () async throws in
                            try await expectEverywhere(expected, pool)
                        }
                    }
                }
                #expect(try await pool.run { Seen.now } == Seen(context: nil, depth: 0))
            }
        }
    }

    private func expectEverywhere(_ expected: Seen, _ pool: Pool) async throws {
        let offset = expected.depth
        let all = Array(repeating: expected, count: 30)
        #expect(try await pool.run { Seen.now } == expected)
        #expect(try await pool.run(1) { _ in Seen.now } == expected)
        #expect(try await pool.run(SeenJob()) == expected)
        #expect(try await pool.submit { offset + Trace.depth }.value == 2 * offset)
        #expect(try await pool.map(1...30) { _ in Seen.now } == all)
        #expect(try await pool.map(1...30, chunkSize: 4) { _ async in await SeenJob().run() } == all)
        let shared = try await pool.map(1...30, with: ["shared"]) { _, shared in
            shared == ["shared"] ? Seen.now : Seen(depth: -1)
        }
        #expect(shared == all)
        // Values that are nothing but their bits are run in another loop.
        #expect(try await pool.map(1...30) { $0 + Trace.depth + offset } == (1...30).map { $0 + 2 * offset })
        try await pool.forEach(zip(1...9, 1...9)) { _, _ in try #require(Trace.depth == offset) }
        for try await seen in pool.stream(1...30, { _ in Seen.now }) { #expect(seen == expected) }
        for try await seen in pool.stream(AsyncNumbers(count: 30), { _ in Seen.now }) { #expect(seen == expected) }
        for await seen in pool.results(1...30, { _ in Seen.now }) { #expect(try seen.get() == expected) }
    }

    @Test("Many callers at once have their own", arguments: TestBackend.allCases)
    func manyCallers(_ backend: TestBackend) async throws {
        try await withLimit {
            try await withPool(backend.backend, workers: 3, configuration: carrying) { pool in
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for number in 1...20 {
                        group.addTask { () async throws in
                            try await Trace.$depth.withValue(number) { () async throws in
                                for _ in 0..<20 { #expect(try await pool.run { Trace.depth } == number) }
                                let depths = try await pool.map(0..<3_000) { _ in Trace.depth }
                                #expect(depths == Array(repeating: number, count: 3_000))
                            }
                        }
                    }
                    try await group.waitForAll()
                }
            }
        }
    }

    @Test("A worker that takes another's place has them too")
    func replacement() async throws {
        try await withLimit {
            try await withPool(.processes, workers: 1, configuration: carrying) { pool in
                try await Trace.$depth.withValue(4) { () async throws in
                    let results = pool.results(0..<10) { number -> Int in
                        if number == 3 { _ = 1 / (Trace.depth - 4) }
                        return Trace.depth
                    }
                    var values: [Int] = []
                    for await result in results { if case .success(let value) = result { values.append(value) } }
                    #expect(values == Array(repeating: 4, count: 9))
                }
            }
        }
    }

    @Test("What was not chosen stays behind")
    func uncarried() async throws {
        try await withLimit {
            try await withPool(.processes, workers: 1, configuration: carrying) { pool in
                try await Trace.$uncarried.withValue(1) { () async throws in
                    #expect(try await pool.run { Trace.uncarried } == nil)
                }
            }
        }
    }

    @Test("A task-local that is no static property is refused when the pool is made")
    func refused() async throws {
        let local = TaskLocal<Int>(wrappedValue: 1)
        var configuration = Pool.Configuration()
        configuration.carriedTaskLocals = [CarriedTaskLocal(local)]
        let error = #expect(throws: PoolError.self) { try Pool(.processes, configuration: configuration) }
        #expect(error?.code == .notPortable)
        #expect(error?.message.contains("task-local") == true, "\(error?.message ?? "")")
        // Threads share memory, and have it anyway.
        try await withPool(.threads, workers: 1, configuration: configuration) { pool in
            try await local.withValue(3) { () async throws in
                #expect(try await pool.run { local.get() } == 3)
            }
        }
    }

    @Test("A value that cannot be encoded fails the call")
    func notEncodable() async throws {
        var configuration = Pool.Configuration()
        configuration.carriedTaskLocals = [CarriedTaskLocal(Trace.$failing)]
        try await withPool(.processes, workers: 1, configuration: configuration) { pool in
            #expect(try await pool.run { 1 } == 1)
            try await Trace.$failing.withValue(Failing()) { () async throws in
                let error = await #expect(throws: PoolError.self) { try await pool.run { 1 } }
                #expect(error?.code == .notPortable)
                await #expect(throws: PoolError.self) { try await pool.map([1]) { $0 } }
                await #expect(throws: PoolError.self) { for try await _ in pool.stream([1], { $0 }) {} }
            }
        }
    }
}

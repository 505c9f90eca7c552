import Glibc
import Multiprocessing
import TestSupport
import Testing

private struct Refused: Error, Codable {}

private struct Broken: Job {
    func run() -> Int { 1 }
}

@Suite("Options of calls and pools", .admitted)
struct WorkOptionsTests {
    private static let wrong: [(WorkOptions, String)] = [
        (.timeout(.zero), "timeout"),
        (.timeout(.seconds(-1)), "timeout"),
        (.queueTimeout(.zero), "queueTimeout"),
        (.queueTimeout(.seconds(Int64.min)), "queueTimeout"),
        (.retry(.attempts(0)), "attempts of retry"),
        (.retry(.attempts(-3)), "attempts of retry"),
        (.retry(.attempts(2, delay: .constant(.seconds(-1)))), "delay of retry"),
        (.retry(.attempts(2, delay: .exponential(from: .seconds(-1), to: .seconds(1)))), "first delay of retry"),
        (.retry(.attempts(2, delay: .exponential(from: .seconds(2), to: .seconds(1)))), "longest delay of retry"),
    ]

    @Test("Every call refuses values that make no sense, by name, before it starts", arguments: TestBackend.allCases)
    func refused(_ backend: TestBackend) async throws {
        try await backend.withPool { pool async throws in
            for (options, name) in Self.wrong {
                func expectRefusal(_ body: () async throws -> Void) async {
                    let error = await #expect(throws: PoolError.self) { try await body() }
                    #expect(error?.code == .invalidArgument)
                    #expect(error?.message.contains(name) == true, "\(error?.message ?? "")")
                }
                await expectRefusal { _ = try await pool.run(options: options) { 1 } }
                await expectRefusal { _ = try await pool.run(Broken(), options: options) }
                await expectRefusal { _ = try await pool.submit(options: options) { 1 }.value }
                await expectRefusal { _ = try await pool.submit(2, options: options) { $0 }.value }
                await expectRefusal { _ = try await pool.map(0..<3, options: options) { $0 } }
                await expectRefusal { _ = try await pool.map([Int](), options: options) { $0 } }
                await expectRefusal { _ = try await pool.map(0..<3, with: 1, 2, options: options) { $0 + $1 + $2 } }
                await expectRefusal { try await pool.forEach(0..<3, options: options) { _ in } }
                await expectRefusal { for try await _ in pool.stream(0..<3, options: options, { $0 }) {} }
                await expectRefusal {
                    for await result in pool.results(0..<3, options: options, { $0 }) { _ = try result.get() }
                }
            }
            #expect(pool.statistics.submitted == 0 && pool.statistics.workersStarted == 0)
            #expect(try await pool.run { 1 } == 1)
        }
    }

    @Test("A pool refuses a configuration that makes no sense, by name", arguments: TestBackend.allCases)
    func configuration(_ backend: TestBackend) {
        typealias Configuration = Pool.Configuration
        let changes: [(String, (inout Configuration) -> Void)] = [
            ("timeout", { $0.defaults = .timeout(.zero) }),
            ("queueTimeout", { $0.defaults = .queueTimeout(.milliseconds(-1)) }),
            ("attempts of retry", { $0.defaults = .retry(.attempts(0)) }),
            ("delay of retry", { $0.defaults = .retry(.attempts(2, delay: .constant(.seconds(-1)))) }),
            ("gracePeriod", { $0.gracePeriod = .milliseconds(-1) }),
            ("recycling.items", { $0.recycling.items = 0 }),
            ("recycling.items", { $0.recycling.items = -1 }),
            ("recycling.age", { $0.recycling.age = .zero }),
            ("recycling.age", { $0.recycling.age = .seconds(-1) }),
            ("recycling.memoryGrowth", { $0.recycling.memoryGrowth = 0 }),
            ("recycling.memoryGrowth", { $0.recycling.memoryGrowth = -1 }),
            ("idleTimeout", { $0.idleTimeout = .zero }),
            ("idleTimeout", { $0.idleTimeout = .milliseconds(-1) }),
            ("setUpTimeout", { $0.setUpTimeout = .zero }),
            ("setUpTimeout", { $0.setUpTimeout = .seconds(-5) }),
        ]
        for (name, change) in changes {
            var configuration = Configuration()
            change(&configuration)
            let error = #expect(throws: PoolError.self) { try Pool(backend.backend, configuration: configuration) }
            #expect(error?.code == .invalidArgument)
            #expect(error?.message.contains(name) == true, "\(error?.message ?? "")")
        }
    }

    @Test("Options chain, and a call's own come before the pool's, field by field")
    func merged() throws {
        let defaults = WorkOptions.timeout(.seconds(5)).retry(.attempts(3)).label("pool")
        let call = try WorkOptions.label("call").queueTimeout(.milliseconds(7)).call(over: defaults)
        #expect(call.limits == WorkLimits(timeout: 5_000_000_000, queueTimeout: 7_000_000))
        #expect(call.label == "call")
        #expect(call.retry?.attempts == 3)
        let other = try WorkOptions.retry(.attempts(1)).timeout(.seconds(Int64.max)).call(over: defaults)
        #expect(other.limits == WorkLimits())
        #expect(other.label == "pool")
        #expect(other.retry == nil, "one attempt is no retry")
    }

    @Test("A call that says nothing is run by the pool's defaults", arguments: TestBackend.allCases)
    func defaults(_ backend: TestBackend) async throws {
        try await withLimit(.seconds(240)) {
            var configuration = Pool.Configuration()
            configuration.defaults = .retry(.attempts(2, delay: .none, where: { _ in true }))
            try await Multiprocessing.withPool(
                backend.backend, workers: 2, configuration: configuration
            ) { pool async throws in
                let work: @Sendable () throws -> Int = {
                    guard let attempt = Worker.current?.attempt, attempt > 1 else { throw Refused() }
                    return attempt
                }
                #expect(try await pool.run(work) == 2)
                await #expect(throws: Refused.self) {
                    _ = try await pool.run(options: .retry(.attempts(1)), work)
                }
            }
        }
    }

    @Test("A pool's timeout holds in every call; a call's own comes before it", arguments: TestBackend.allCases)
    func defaultTimeout(_ backend: TestBackend) async throws {
        #expect(Pool.Configuration().defaults.timeout == nil)
        let limit = Duration.milliseconds(100)
        var configuration = Pool.Configuration()
        configuration.defaults = .timeout(limit)
        try await withLimit { [configuration] in
            try await Multiprocessing.withPool(
                backend.backend, workers: 2, configuration: configuration
            ) { pool async throws in
                try await pool.start()
                // Ends when it is told to.
                let hang: @Sendable (Int) throws -> Int = { number in
                    while !Task.isCancelled { usleep(1_000) }
                    return number
                }
                func expectTimeout(_ limit: Duration, _ body: () async throws -> Void) async {
                    let error = await #expect(throws: PoolError.self) { try await body() }
                    #expect(error?.code == .timedOut && error?.limit == limit)
                }
                await expectTimeout(limit) { _ = try await pool.run(1, hang) }
                await expectTimeout(limit) { _ = try await pool.submit(1, hang).value }
                await expectTimeout(limit) { _ = try await pool.map(0..<2, hang) }
                await expectTimeout(limit) { try await pool.forEach(0..<2) { _ = try hang($0) } }
                await expectTimeout(limit) { for try await _ in pool.stream(0..<2, hang) {} }
                for await result in pool.results(0..<2, hang) { await expectTimeout(limit) { _ = try result.get() } }
                // Another option of the call leaves it.
                await expectTimeout(limit) { _ = try await pool.run(1, options: .label("one"), hang) }

                let less = Duration.milliseconds(20)
                await expectTimeout(less) { _ = try await pool.run(1, options: .timeout(less), hang) }
                let long: @Sendable (Int) -> Int = { number in
                    usleep(400_000)
                    return number
                }
                // More, and a time that no clock reaches, which is none.
                for more in [Duration.seconds(100), .seconds(Int64.max)] {
                    #expect(try await pool.run(1, options: .timeout(more), long) == 1)
                    #expect(try await pool.map(0..<2, options: .timeout(more), long) == [0, 1])
                }
            }
        }
    }
}

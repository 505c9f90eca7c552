import Dispatch
import Glibc
import Multiprocessing
import Synchronization
import TestSupport
import Testing

/// What the set-up of these tests leaves in its worker, on threads in the program.
private enum Left {
    static let runs = Mutex<[Int: Int]>([:])
    static let gate = DispatchSemaphore(value: 0)
}

private enum SetUpProblem: Error, Codable, Equatable {
    case noDatabase(String)
}

private struct Unportable: Error, CustomStringConvertible {
    var description: String { "the tank is empty" }
}

@Suite(.admitted)
struct SetUpTests {
    private func configuration(
        _ timeout: Duration = .seconds(120), _ setUp: @escaping @Sendable () async throws -> Void
    ) -> Pool.Configuration {
        var configuration = Pool.Configuration()
        configuration.setUp = setUp
        configuration.setUpTimeout = timeout
        return configuration
    }

    private func withSetUp(
        _ backend: TestBackend, workers: Int = 1, _ configuration: Pool.Configuration,
        _ body: @escaping @Sendable (Pool) async throws -> Void
    ) async throws {
        try await withLimit {
            try await withPool(backend.backend, workers: workers, configuration: configuration) { try await body($0) }
        }
    }

    private func failure(_ body: () async throws -> some Sendable) async throws -> PoolError {
        try await #require(throws: PoolError.self) { _ = try await body() }
    }

    @Test(
        "188, 233 initializer: runs once in each worker, before its first item, with what it captures",
        arguments: TestBackend.allCases)
    func runsOnce(_ backend: TestBackend) async throws {
        // Numbers that no other worker of this program has.
        let key = Int.random(in: 1_000...(.max / 2))
        let setUp = configuration {
            try await Task.sleep(for: .milliseconds(5))
            guard let index = Worker.current?.index else { throw SetUpProblem.noDatabase("no worker") }
            Left.runs.withLock { $0[key + index, default: 0] += 1 }
        }
        try await withSetUp(backend, workers: 2, setUp) { pool in
            let counts = try await pool.map(0..<200, chunkSize: 3) { _ in
                Left.runs.withLock { $0[key + (Worker.current?.index ?? -1), default: 0] }
            }
            #expect(counts == Array(repeating: 1, count: 200))
            #expect(pool.statistics.submitted == 200)
            #expect(pool.statistics.finished == 200)
        }
    }

    @Test("pebble initializer: runs in the worker that replaces another")
    func runsInReplacements() async throws {
        let setUp = configuration { Left.runs.withLock { $0[1, default: 0] += 1 } }
        try await withSetUp(.processes, setUp) { pool in
            for _ in 0..<3 {
                let runs = try await pool.run { Left.runs.withLock { $0[1] } }
                #expect(runs == 1)
                await #expect(throws: PoolError.self) { try await pool.run { () -> Int in fatalError("on purpose") } }
            }
        }
    }

    @Test(
        "234 failing initializer: what it throws fails everything that is queued, at once",
        arguments: TestBackend.allCases)
    func throwing(_ backend: TestBackend) async throws {
        let name = "users"
        let setUp = configuration { throw SetUpProblem.noDatabase(name) }
        try await withSetUp(backend, workers: 2, setUp) { pool in
            let futures = (0..<50).map { number in pool.submit { number } }
            for future in futures {
                let error = try await failure { try await future.value }
                #expect(error.code == .setUpFailed)
                #expect(error.underlyingError as? SetUpProblem == .noDatabase("users"))
                #expect(error.message.contains("users"))
            }
            // Soon after: the same, without another try.
            let again = try await failure { try await pool.run { 1 } }
            #expect(again.code == .setUpFailed)
            let mapped = try await failure { try await pool.map(0..<10) { $0 } }
            #expect(mapped.code == .setUpFailed)
            let started = try await failure { try await pool.start() }
            #expect(started.code == .setUpFailed)
        }
    }

    private struct Round: Sendable, CustomTestStringConvertible {
        let backend: TestBackend
        let crashes: Bool

        static let all = [
            Round(backend: .threads, crashes: false), Round(backend: .processes, crashes: false),
            Round(backend: .processes, crashes: true),
        ]

        var testDescription: String { "\(backend)\(crashes ? ", crashing" : "")" }
    }

    @Test("Pitfall 10: one that fails does not have workers started for ever", arguments: Round.all)
    private func startsNoneForEver(_ round: Round) async throws {
        let log = CountFile()
        defer { log.remove() }
        let (path, crashes) = (log.path, round.crashes)
        let setUp = configuration {
            CountFile.add(to: path)
            if crashes { fatalError("no database") }
            throw SetUpProblem.noDatabase("users")
        }
        try await withSetUp(round.backend, workers: 2, setUp) { pool in
            let start = ContinuousClock.now
            // Many at once, and one after another for as long as the pool takes to try again, and longer.
            let futures = (0..<200).map { number in pool.submit { number } }
            for future in futures {
                let error = try await failure { try await future.value }
                #expect(error.code == .setUpFailed)
            }
            var count = 0
            while ContinuousClock.now - start < .milliseconds(2_500) {
                let error = try await failure { try await pool.run { 1 } }
                #expect(error.code == .setUpFailed)
                count += 1
            }
            // At most one try a second for each worker, of which each was told of to many; not one for each item.
            let seconds = Int((ContinuousClock.now - start) / .seconds(1))
            #expect((1...2 * (seconds + 1)).contains(log.count), "\(log.count) in \(seconds) s, of \(count) items")
            // Nobody wants anything: nothing is started.
            let before = log.count
            try await Task.sleep(for: .milliseconds(1_500))
            #expect(log.count == before && pool.statistics.startingWorkers == 0)
        }
    }

    @Test("An error that cannot be sent is described", arguments: TestBackend.allCases)
    func throwingUnportable(_ backend: TestBackend) async throws {
        let setUp = configuration { throw Unportable() }
        try await withSetUp(backend, setUp) { pool in
            let error = try await failure { try await pool.start() }
            #expect(error.code == .setUpFailed)
            #expect(error.errorDescription == "the tank is empty")
            #expect(error.typeName?.contains("Unportable") == true)
        }
    }

    @Test("One that crashes its worker says how")
    func crashing() async throws {
        let setUp = configuration { fatalError("no model") }
        try await withSetUp(.processes, setUp) { pool in
            let error = try await failure { try await pool.run { 1 } }
            #expect(error.code == .setUpFailed)
            #expect(error.processID != nil && error.signal != nil)
            #expect(error.standardError?.contains("no model") == true)
            #expect((error.underlyingError as? PoolError)?.code == .workerCrashed)
        }
    }

    @Test("mpire worker_init_timeout: one that takes too long is given up", arguments: TestBackend.allCases)
    func hanging(_ backend: TestBackend) async throws {
        let setUp = configuration(.milliseconds(200)) {
            // Deaf to cancellation. On threads let go of below.
            while Left.gate.wait(timeout: .now() + 240) != .success {}
        }
        try await withSetUp(backend, setUp) { pool in
            let error = try await failure { try await pool.run { 1 } }
            #expect(error.code == .setUpFailed)
            #expect(error.limit == .milliseconds(200))
            #expect((error.underlyingError as? PoolError)?.code == .timedOut)
            if backend == .threads { Left.gate.signal() }
        }
    }

    @Test("It is tried again after a pause, or by start()", arguments: TestBackend.allCases)
    func triedAgain(_ backend: TestBackend) async throws {
        let flag = FlagFile()
        defer { flag.lower() }
        let path = flag.path
        let setUp = configuration {
            guard FlagFile.exists(path) else { throw SetUpProblem.noDatabase(path) }
        }
        try await withSetUp(backend, setUp) { pool in
            let error = try await failure { try await pool.run { 1 } }
            #expect(error.code == .setUpFailed)
            try flag.raise()
            try await pool.start()
            #expect(try await pool.run { 2 } == 2)
        }
        flag.lower()
        try await withSetUp(backend, setUp) { pool in
            _ = try await failure { try await pool.run { 1 } }
            try flag.raise()
            // Fails for a second.
            var value: Int?
            while value == nil { value = try? await pool.run { 3 } }
            #expect(value == 3)
        }
    }

    @Test("What cannot be sent is refused when the pool is made")
    func unportable() async throws {
        final class Handle: Sendable {}
        let handle = Handle()
        await expectRefusal("Handle") {
            _ = try Pool(.processes, configuration: configuration { _ = handle })
        }
        // On threads it may capture anything.
        try await withSetUp(.threads, configuration { _ = handle }) { pool in
            let value = try await pool.run { 4 }
            #expect(value == 4)
        }
    }

    @Test("Events tell of it", arguments: TestBackend.allCases)
    func events(_ backend: TestBackend) async throws {
        func story(_ setUp: Pool.Configuration) async throws -> [String] {
            try await withLimit {
                let pool = try Pool(backend.backend, workers: 1, configuration: setUp)
                let events = pool.events
                try? await pool.start()
                await pool.shutDown()
                var story: [String] = []
                for await event in events {
                    switch event.kind {
                    case .workerStarting: story.append("starting")
                    case .setUpBegan(let worker):
                        story.append("began")
                        #expect((worker.processID == nil) == (backend == .threads))
                    case .setUpDone: story.append("done")
                    case .workerReady: story.append("ready")
                    case .setUpFailed(_, let error): story.append("\(error.code)")
                    case .workerStopped: story.append("stopped")
                    default: break
                    }
                }
                return story
            }
        }
        #expect(try await story(configuration {}) == ["starting", "began", "done", "ready", "stopped"])
        #expect(
            try await story(configuration { throw SetUpProblem.noDatabase("x") })
                == ["starting", "began", "setUpFailed", "stopped"])
    }

    @Test("The pool's end does not wait for it")
    func endComesFirst() async throws {
        let setUp = configuration { while true { usleepForever() } }
        try await withLimit {
            let pool = try Pool(.processes, workers: 1, configuration: setUp)
            let future = pool.submit { 1 }
            await expectSoon("the worker is there") { pool.statistics.startingWorkers == 1 }
            await pool.terminate()
            let error = try await failure { try await future.value }
            #expect(error.code == .shutDown)
        }
    }
}

private func usleepForever() {
    _ = DispatchSemaphore(value: 0).wait(timeout: .now() + 1)
}

/// A file that grows by a byte each time something happens, in whatever process.
private struct CountFile {
    let path = "/tmp/multiprocessing-count-\(getpid())-\(UInt64.random(in: 0 ... .max))"

    static func add(to path: String) {
        let descriptor = open(path, O_CREAT | O_WRONLY | O_APPEND | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { return }
        _ = write(descriptor, "x", 1)
        close(descriptor)
    }

    var count: Int {
        var status = stat()
        return stat(path, &status) == 0 ? Int(status.st_size) : 0
    }

    func remove() { unlink(path) }
}

/// A file that is there or not, which every process sees.
private struct FlagFile {
    let path = "/tmp/multiprocessing-flag-\(getpid())-\(UInt64.random(in: 0 ... .max))"

    static func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }

    func raise() throws {
        let descriptor = open(path, O_CREAT | O_WRONLY, 0o600)
        try #require(descriptor >= 0)
        close(descriptor)
    }

    func lower() { unlink(path) }
}

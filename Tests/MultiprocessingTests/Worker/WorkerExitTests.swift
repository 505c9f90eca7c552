@preconcurrency import Glibc
import Multiprocessing
import MultiprocessingSystem
import TestSupport
import Testing

extension Lifetime {
    @Suite("What a worker does at its end")
    struct WorkerExitTests {
        /// The ends of a pool that let its workers end in order.
        enum Ending: CaseIterable {
            case shutDown
            case scope
            case dropped

            func run(_ body: @escaping @Sendable (Pool) async throws -> Void) async throws {
                switch self {
                case .shutDown:
                    let pool = try Pool(.processes, workers: 2)
                    try await body(pool)
                    await pool.shutDown()
                case .scope:
                    try await withPool(.processes, workers: 2) { try await body($0) }
                case .dropped:
                    try await body(try Pool(.processes, workers: 2))
                }
            }
        }

        @Test("What work wrote to streams of its own is in the files", arguments: Ending.allCases)
        func streams(_ ending: Ending) async throws {
            let notebook = try Notebook()
            defer { notebook.remove() }
            try await withLimit {
                try await ending.run { pool in
                    try await pool.forEach(0..<100) { [notebook] in Journal.write("\($0)", to: notebook.path) }
                }
                await expectSoon { notebook.lines.count == 100 }
                #expect(Set(notebook.numbers) == Set(0..<100))
            }
        }

        @Test("Exit handlers of the work run, once in each worker", arguments: Ending.allCases)
        func handlers(_ ending: Ending) async throws {
            let notebook = try Notebook()
            defer { notebook.remove() }
            try await withLimit {
                try await ending.run { pool in
                    let processes = try await ExitHandler.writesLine(notebook).register(onAllWorkersOf: pool)
                    #expect(processes.count == 2)
                    notebook.write("before")
                }
                await expectSoon { notebook.lines.count == 3 }
                #expect(notebook.lines.filter { $0 == "handled" }.count == 2)
                #expect(notebook.lines.first == "before")
            }
        }

        @Test(
            "An exit handler that never returns, or crashes, keeps neither the pool nor its worker",
            arguments: [ExitHandler.hangs, .crashes, .takesStreamLock])
        func badHandlers(_ handler: ExitHandler) async throws {
            try await withLimit(.seconds(30)) {
                let pool = try Pool(.processes, workers: 2)
                let processes = try await handler.register(onAllWorkersOf: pool)
                await pool.shutDown()
                #expect(!processes.contains { ProcessFacts.isRunning($0) })
            }
        }

        @Test("What work has started is killed at the end of its worker", arguments: Ending.allCases)
        func grandchildren(_ ending: Ending) async throws {
            try await withLimit {
                let notebook = try Notebook()
                defer { notebook.remove() }
                try await ending.run { pool in
                    try await pool.run(notebook) { $0.write("\(try Grandchild.start())") }
                }
                let processes = notebook.numbers
                #expect(processes.count == 1)
                await expectSoon { !processes.contains { ProcessFacts.isRunning(Int32($0)) } }
            }
        }

        @Test("An idle worker whose program is killed writes what is in its streams, and is gone within a second")
        func orphan() async throws {
            let notebook = try Notebook()
            defer { notebook.remove() }
            let probe = try ProbeProcess("buffered", notebook.path)
            let workers = try await probe.lines(until: "ready").workers
            #expect(workers.count == 1)
            #expect(notebook.lines.isEmpty)
            try probe.handle.send(.kill)
            await expectSoon("a worker outlives its program", within: .seconds(1)) {
                !workers.contains { ProcessFacts.isRunning($0) }
            }
            #expect(notebook.lines == ["written"])
        }
    }
}

/// A stream that work keeps open, one in each worker.
private enum Journal {
    /// Safe: the items of a worker run one at a time.
    nonisolated(unsafe) private static var stream: UnsafeMutablePointer<FILE>?

    static func write(_ line: String, to path: String) {
        if stream == nil { stream = fopen(path, "a") }
        if let stream { fputs(line + "\n", stream) }
    }
}

/// What work has run at the end of its worker.
enum ExitHandler: Codable, Sendable {
    case writesLine(Notebook)
    case hangs
    case crashes
    /// Another thread holds a stream for ever, which `exit` wants to flush.
    case takesStreamLock

    /// Safe: the items of a worker run one at a time, and the handler behind them.
    nonisolated(unsafe) private static var notebook: Notebook?

    /// - Returns: The processes of the workers.
    func register(onAllWorkersOf pool: Pool) async throws -> Set<Int32> {
        let rendezvous = try Rendezvous()
        let futures = (0..<pool.workerCount).map { _ in
            pool.submit(rendezvous.ticket) { [self] ticket -> Int32 in
                register()
                ticket.arrive()
                ticket.wait()
                return getpid()
            }
        }
        await rendezvous.expectArrivals(pool.workerCount)
        rendezvous.letThrough(pool.workerCount)
        return Set(try await values(of: futures))
    }

    private func register() {
        switch self {
        case .writesLine(let notebook):
            Self.notebook = notebook
            atexit { ExitHandler.notebook?.write("handled") }
        case .hangs:
            atexit { while true { pause() } }
        case .crashes:
            atexit { abort() }
        case .takesStreamLock:
            atexit {
                _ = try? NativeThread(name: "holder") {
                    flockfile(stdout)
                    while true { pause() }
                }
                usleep(10_000)
                puts("never")
            }
        }
    }
}

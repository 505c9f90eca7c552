import Glibc
import Multiprocessing
import MultiprocessingSystem
import TestSupport
import Testing

extension Lifetime {
    @Suite("Programs that fork and go on")
    struct ForkTests {
        @Test("A pool that was used before daemon() says that it cannot work", arguments: TestBackend.allCases)
        func poolBeforeDaemon(_ backend: TestBackend) async throws {
            let lines = try await ServiceProcess.start("daemon", "\(backend)").remainingLines()
            #expect(lines.prefix(4) == ["main", "before 1", "submit: shutDown, forked", "pending: shutDown, forked"])
            #expect(lines.last == "pool: workerStartFailed, forked", "\(lines)")
        }

        @Test("The same in asynchronous code, for every kind of call", arguments: TestBackend.allCases)
        func asynchronousCalls(_ backend: TestBackend) async throws {
            let lines = try await ServiceProcess.start("daemon-async", "\(backend)").remainingLines()
            let calls = ["run", "map", "empty map", "forEach", "stream", "pending"]
            #expect(lines == ["main", "before 1"] + calls.map { "\($0): shutDown, forked" } + ["shut down"])
        }

        @Test("A pool that is made after daemon() works", arguments: TestBackend.allCases)
        func poolAfterDaemon(_ backend: TestBackend) async throws {
            let lines = try await ServiceProcess.start("daemon-first", "\(backend)").remainingLines()
            #expect(lines == ServiceProcess.squares)
        }

        @Test("Workers end with the program although a process that it forked off lives on")
        func forkedChildLives() async throws {
            let service = try ServiceProcess.start("fork")
            let lines = try await service.lines(until: "ready")
            let child = try #require(lines.first { $0.hasPrefix("child ") }.flatMap { Int32($0.dropFirst(6)) })
            defer { kill(child, SIGKILL) }
            #expect(lines.workers.count == 2)
            // The program alone: its group would take the child with it.
            try service.handle.send(.kill)
            #expect(try await service.exitStatus() == .signaled(.kill))
            for worker in lines.workers { await expectSoon { !ProcessFacts.isRunning(worker) } }
            #expect(ProcessFacts.isRunning(child))
        }
    }
}

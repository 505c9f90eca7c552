import Glibc
import Multiprocessing
import TestSupport
import Testing

extension Containment {
    @Suite("A crash of the work")
    struct CrashTests {
        @Test(
            "Pitfalls 1, 11, pebble ProcessExpired: the item that ran fails and says how, the others give their results",
            arguments: Crash.allCases
        )
        func whileRunning(_ crash: Crash) async throws {
            try await TestBackend.processes.withPool { pool in
                let before = (0..<20).map { pool.submit($0) { $0 * 2 } }
                let lost = pool.submit(crash) { $0.happen() }
                let after = (0..<20).map { pool.submit($0) { $0 * 3 } }

                crash.expect(await lost.result.failure)
                let valuesBefore = try await values(of: before)
                #expect(valuesBefore == (0..<20).map { $0 * 2 })
                let valuesAfter = try await values(of: after)
                #expect(valuesAfter == (0..<20).map { $0 * 3 })
            }
        }

        @Test("The worker is replaced under its number and the pool goes on", arguments: Crash.allCases)
        func workerIsReplaced(_ crash: Crash) async throws {
            try await TestBackend.processes.withPool(workers: 1) { pool in
                let first = try await pool.run { Worker.current?.processID ?? 0 }
                crash.expect(await pool.submit(crash) { $0.happen() }.result.failure, of: first)
                let second = try await pool.run { Worker.current?.processID ?? 0 }
                #expect(second != first)
                let index = try await pool.run { Worker.current?.index }
                #expect(index == 0)
            }
        }

        @Test("A signal from outside ends the item that runs", arguments: [SIGKILL, SIGSEGV])
        func signalFromOutside(_ signal: Int32) async throws {
            let notebook = try Notebook()
            defer { notebook.remove() }
            try await TestBackend.processes.withPool { pool in
                let lost = pool.submit(notebook) { notebook in
                    notebook.write("\(getpid())")
                    while true { pause() }
                }
                await expectSoon { !notebook.lines.isEmpty }
                let process = Int32(notebook.numbers.first ?? 0)
                try #require(process > 0)
                kill(process, signal)

                let error = try #require(await lost.result.failure as? PoolError)
                #expect(error.code == .workerCrashed)
                #expect(error.signal == signal)
                #expect(error.processID == process)
                let rest = try await pool.map(0..<50) { $0 }
                #expect(rest == Array(0..<50))
            }
        }

        @Test("A worker that dies while it is idle costs nothing", arguments: Crash.allCases)
        func whileIdle(_ crash: Crash) async throws {
            let notebook = try Notebook()
            defer { notebook.remove() }
            try await TestBackend.processes.withPool(workers: 1) { pool in
                let first = try await pool.run(Mine(crash: crash, fuse: notebook))
                notebook.write("now")
                await expectSoon { !ProcessFacts.isRunning(first) }
                let second = try await pool.run { getpid() }
                #expect(second != first)
                let rest = try await pool.map(0..<20) { $0 + 1 }
                #expect(rest == Array(1...20))
            }
        }

        @Test("Pitfall 5: each future of a crash has its own error, and later work is not touched")
        func errorsOfTheirOwn() async throws {
            try await TestBackend.processes.withPool(workers: 2) { pool in
                let lost = (0..<6).map { _ in pool.submit { Crash.killed.happen() } }
                var processes: Set<Int32> = []
                for future in lost {
                    let error = await future.result.failure
                    Crash.killed.expect(error)
                    processes.insert((error as? PoolError)?.processID ?? 0)
                }
                #expect(processes.count == 6)
                let rest = try await pool.map(0..<100) { $0 }
                #expect(rest == Array(0..<100))
            }
        }

        @Test("Pitfall 2: workers that die many at a time do not block the others")
        func manyAtOnce() async throws {
            try await TestBackend.processes.withPool(workers: 8) { pool in
                let futures = (0..<80).map { index in
                    pool.submit(index) { index -> Int in
                        if index % 3 == 0 { Crash.allCases[index / 3 % Crash.allCases.count].happen() }
                        return index
                    }
                }
                for (index, future) in futures.enumerated() {
                    if index % 3 == 0 {
                        Crash.allCases[index / 3 % Crash.allCases.count].expect(await future.result.failure)
                    } else {
                        let value = try await future.value
                        #expect(value == index)
                    }
                }
            }
        }

        @Test("Pitfall 34: a crash makes no backtrace, which takes up to a minute")
        func withoutBacktrace() async throws {
            try await TestBackend.processes.withPool(workers: 1) { pool in
                _ = try await pool.run { 1 }
                let setting = try await pool.run { getenv("SWIFT_BACKTRACE").map { String(cString: $0) } }
                #expect(setting == (getenv("SWIFT_BACKTRACE").map { String(cString: $0) } ?? "enable=no"))
                let error = await pool.submit { fatalError("the work gives up") }.result.failure
                Crash.fatalError.expect(error)
                // With a backtrace there would be; see the surroundings of worker processes.
                #expect((error as? PoolError)?.standardError?.contains("Thread 0") == false)
            }
        }
    }
}

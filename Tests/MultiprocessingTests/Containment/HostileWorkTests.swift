import Glibc
import Multiprocessing
import TestSupport
import Testing

extension Containment {
    @Suite("Work that does what it should not")
    struct HostileWorkTests {
        @Test("Work that closes every descriptor ends once, and the pool goes on")
        func closesDescriptors() async throws {
            try await TestBackend.processes.withPool(workers: 1) { pool in
                let future = pool.submit { () -> Int in
                    for descriptor in 0..<Int32(1_024) { close(descriptor) }
                    return 1
                }
                switch await future.result {
                case .success(let value): #expect(value == 1)
                case .failure(let error): #expect((error as? PoolError)?.code == .workerCrashed)
                }
                let rest = try await pool.map(0..<20) { $0 }
                #expect(rest == Array(0..<20))
            }
        }

        @Test(
            "Pitfall 30: programs that the work started end with their worker",
            arguments: [Crash.killed, .fatalError, .exitZero])
        func grandchildrenOfCrash(_ crash: Crash) async throws {
            let notebook = try Notebook()
            defer { notebook.remove() }
            try await TestBackend.processes.withPool(workers: 1) { pool in
                let future = pool.submit(GrandchildThenCrash(crash: crash, notebook: notebook))
                // Known although the program holds the worker's standard error.
                crash.expect(await future.result.failure)
                let process = try #require(notebook.numbers.first)
                await expectSoon { !ProcessFacts.isRunning(Int32(process)) }
            }
        }

        @Test("Programs that the work started end when the pool does", arguments: [true, false])
        func grandchildrenOfPool(_ terminates: Bool) async throws {
            try await withLimit {
                let pool = try Pool(.processes, workers: 2)
                let processes = try await pool.map(0..<4, chunkSize: 1) { _ in try Grandchild.start() }
                #expect(processes.allSatisfy { ProcessFacts.isRunning($0) })
                if terminates { await pool.terminate() } else { await pool.shutDown() }
                await expectSoon { !processes.contains { ProcessFacts.isRunning($0) } }
            }
        }

        @Test("The standard error that a crash carries is its end, in whole lines")
        func standardErrorTail() async throws {
            try await TestBackend.processes.withPool(workers: 1) { pool in
                let error = await pool.submit {
                    let line = "line of the work\n"
                    write(STDERR_FILENO, line, line.utf8.count)
                    exit(3)
                }.result.failure
                Crash.exitThree.expect(error)
                #expect((error as? PoolError)?.standardError == "line of the work")
            }
        }

        @Test(
            "Of a last line that is longer than what is kept, the end is kept", .ownProcess,
            arguments: ["", "\n", "\n\n"])
        func standardErrorLongLine(_ ending: String) async throws {
            await #expect(processExitsWith: .success) { [ending = ending as String] in
                try await TestBackend.processes.withPool(workers: 1) { pool in
                    let error =
                        await pool.submit(ending) { ending in
                            let text = "a line\n" + String(repeating: "x", count: 10_000) + ending
                            write(STDERR_FILENO, text, text.utf8.count)
                            exit(3)
                        }.result.failure as? PoolError
                    #expect(error?.standardError == String(repeating: "x", count: 4_096 - ending.utf8.count))
                }
            }
        }

        @Test("Megabytes on standard error hold up nobody, and the end of them is kept", .ownProcess)
        func standardErrorFlood() async throws {
            // In a process of its own, whose standard error nobody has to look at.
            await #expect(processExitsWith: .success) {
                try await TestBackend.processes.withPool { pool in
                    let flood = pool.submit {
                        for number in 0..<80_000 {
                            let line = "line \(number) of the flood, which is as long as lines are\n"
                            write(STDERR_FILENO, line, line.utf8.count)
                        }
                        Crash.killed.happen()
                    }
                    let squares = try await pool.map(0..<200, chunkSize: 1) { $0 * $0 }
                    #expect(squares.count == 200)
                    let error = await flood.result.failure
                    Crash.killed.expect(error)
                    let tail = (error as? PoolError)?.standardError ?? ""
                    #expect(tail.hasSuffix("line 79999 of the flood, which is as long as lines are"))
                    #expect(tail.utf8.count <= 4_096)
                    #expect(tail.hasPrefix("line "))
                }
            }
        }

        @Test("A worker's standard error is passed on while it lives", .ownProcess)
        func standardErrorArrives() async throws {
            let result = try await #require(processExitsWith: .success, observing: [\.standardErrorContent]) {
                try await TestBackend.processes.withPool { pool in
                    try await pool.run {
                        let line = "said by a worker\n"
                        write(STDERR_FILENO, line, line.utf8.count)
                    }
                }
            }
            #expect(String(decoding: result.standardErrorContent, as: UTF8.self).contains("said by a worker"))
        }

        @Test("What the work prints arrives, also when the worker is stopped right after", .ownProcess)
        func standardOutputArrives() async throws {
            let result = try await #require(processExitsWith: .success, observing: [\.standardOutputContent]) {
                try await TestBackend.processes.withPool { pool in
                    try await pool.forEach(0..<100) { print("printed by item \($0);") }
                }
            }
            let text = String(decoding: result.standardOutputContent, as: UTF8.self)
            #expect((0..<100).allSatisfy { text.contains("printed by item \($0);") })
        }

        @Test("A stopped worker ends the item when it is killed")
        func stoppedWorker() async throws {
            try await TestBackend.processes.withPool(workers: 1) { pool in
                let process = try await pool.run { getpid() }
                kill(process, SIGSTOP)
                let future = pool.submit { 1 }
                kill(process, SIGKILL)
                // It had not begun, so another worker runs it.
                let value = try await future.value
                #expect(value == 1)
            }
        }
    }
}

private struct GrandchildThenCrash: VoidJob {
    let crash: Crash
    let notebook: Notebook

    func run() throws {
        notebook.write("\(try Grandchild.start())")
        crash.happen()
    }
}

import Glibc
import Multiprocessing
import MultiprocessingSystem
import TestSupport
import Testing

extension Lifetime {
    @Suite("What a worker inherits")
    struct InheritanceTests {
        @Test("Pitfall 29: no descriptor but the standard streams and the library's own")
        func descriptors() async throws {
            let pipes = try (0..<20).map { _ in
                // Inheritable, as many libraries leave theirs.
                var ends: [Int32] = [0, 0]
                try #require(pipe(&ends) == 0)
                return ends
            }
            defer { pipes.joined().forEach { close($0) } }
            let inode = try #require(ProcessFacts.target(of: "/proc/self/fd/\(pipes[0][0])"))

            try await TestBackend.processes.withPool(workers: 4) { pool in
                for _ in 0..<3 {
                    let lists = try await pool.map(0..<8, chunkSize: 1) { _ in
                        ProcessTable.numbers(in: "/proc/self/fd").compactMap {
                            ProcessFacts.target(of: "/proc/self/fd/\($0)")
                        }
                    }
                    for list in lists {
                        #expect(!list.contains(inode))
                        // The streams, two sockets and a duplicate, the board, and the executor's.
                        #expect(list.count <= 12, "\(list)")
                        #expect(list.count { $0.hasPrefix("pipe:") } <= 3, "\(list)")
                    }
                    _ = await pool.submit { Crash.killed.happen() }.result
                }
            }
        }

        @Test("Descriptors of the library are not inherited by programs that the work starts")
        func descriptorsOfGrandchildren() async throws {
            try await TestBackend.processes.withPool(workers: 1) { pool in
                let targets = try await pool.run { () -> [String] in
                    let process = try Grandchild.start()
                    defer {
                        kill(process, SIGKILL)
                        waitpid(process, nil, 0)
                    }
                    return ProcessTable.numbers(in: "/proc/\(process)/fd").compactMap {
                        $0 > 2 ? ProcessFacts.target(of: "/proc/\(process)/fd/\($0)") : nil
                    }
                }
                #expect(targets.isEmpty, "\(targets)")
            }
        }

        @Test("Pitfall 14: neither the program's signal mask nor its handlers and ignored signals", .ownProcess)
        func signals() async {
            await #expect(processExitsWith: .success) {
                var mask = sigset_t()
                sigemptyset(&mask)
                for signal in [SIGTERM, SIGUSR1, SIGINT] { sigaddset(&mask, signal) }
                pthread_sigmask(SIG_BLOCK, &mask, nil)
                signal(SIGUSR2, SIG_IGN)
                signal(SIGHUP, SIG_IGN)
                signal(SIGPIPE, SIG_IGN)
                signal(SIGALRM) { _ in }

                let pool = try Pool(.processes, workers: 1)
                let lines = try await pool.run { () -> [String] in
                    guard let file = fopen("/proc/thread-self/status", "re") else { return [] }
                    defer { fclose(file) }
                    var buffer = [UInt8](repeating: 0, count: 8_192)
                    let text = String(decoding: buffer[..<fread(&buffer, 1, buffer.count, file)], as: UTF8.self)
                    return text.split(separator: "\n").map(String.init).filter { $0.hasPrefix("Sig") }
                }
                let sets = Dictionary(
                    uniqueKeysWithValues: lines.compactMap { line -> (String, UInt64)? in
                        let parts = line.split(separator: ":\t")
                        guard parts.count == 2, let bits = UInt64(parts[1], radix: 16) else { return nil }
                        return (String(parts[0]), bits)
                    })
                #expect(sets["SigBlk"] == 0)
                #expect(sets["SigIgn"] == 0)
                #expect((sets["SigCgt"] ?? ~0) & (1 << UInt64(SIGALRM - 1)) == 0)
                await pool.shutDown()
            }
        }

        @Test(
            "Pitfall 18: a program that ignores SIGCHLD, or waits for any child, still has its items settled",
            .ownProcess)
        func ignoredChildSignal() async {
            await #expect(processExitsWith: .success) {
                signal(SIGCHLD, SIG_IGN)
                try await TestBackend.processes.withPool { pool in
                    for _ in 0..<3 {
                        let error = await pool.submit { Crash.exitThree.happen() }.result.failure as? PoolError
                        #expect(error?.code == .workerCrashed)
                        let numbers = try await pool.map(0..<10) { $0 }
                        #expect(numbers == Array(0..<10))
                    }
                }
                signal(SIGCHLD, SIG_DFL)
                let reaper = try NativeThread(name: "reaper", stackSize: 1 << 20) {
                    // As some programs do: takes the status of children that it never started.
                    for _ in 0..<5_000 {
                        waitpid(-1, nil, WNOHANG)
                        usleep(200)
                    }
                }
                _ = reaper
                try await TestBackend.processes.withPool { pool in
                    for _ in 0..<5 {
                        let error = await pool.submit { Crash.exitThree.happen() }.result.failure as? PoolError
                        #expect(error?.code == .workerCrashed)
                        let numbers = try await pool.map(0..<10) { $0 }
                        #expect(numbers == Array(0..<10))
                    }
                }
            }
        }

        @Test("A program that ignores SIGCHLD is left with no process that a crashed worker had started", .ownProcess)
        func grandchildrenOfIgnored() async {
            await #expect(processExitsWith: .success) {
                signal(SIGCHLD, SIG_IGN)
                try await TestBackend.processes.withPool { pool in
                    for _ in 0..<5 {
                        let notebook = try Notebook()
                        defer { notebook.remove() }
                        let result = await pool.submit(notebook) { notebook in
                            notebook.write("\(try Grandchild.start())")
                            Crash.killed.happen()
                        }.result
                        #expect((result.failure as? PoolError)?.code == .workerCrashed)
                        let grandchild = try #require(notebook.numbers.first)
                        await expectSoon { !ProcessFacts.isRunning(Int32(grandchild)) }
                    }
                }
            }
        }

        @Test("The variable that marks a worker is not carried on to programs that it starts")
        func environment() async throws {
            try await TestBackend.processes.withPool(workers: 1) { pool in
                let isSet = try await pool.run { getenv("MULTIPROCESSING_WORKER") != nil }
                #expect(!isSet)
                let text = try await pool.run { () -> String in
                    guard let stream = popen("/usr/bin/env", "re") else { return "" }
                    defer { pclose(stream) }
                    var buffer = [UInt8](repeating: 0, count: 256 << 10)
                    return String(decoding: buffer[..<fread(&buffer, 1, buffer.count, stream)], as: UTF8.self)
                }
                #expect(!text.isEmpty)
                #expect(!text.contains("MULTIPROCESSING_WORKER"))
            }
        }
    }
}

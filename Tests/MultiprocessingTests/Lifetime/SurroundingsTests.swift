import Glibc
import Multiprocessing
import MultiprocessingSystem
import TestSupport
import Testing

extension Lifetime {
    @Suite("Where a program runs")
    struct SurroundingsTests {
        @Test("Work that asks the program's terminal is told that there is none, and is not stopped")
        func terminal() async throws {
            let lines = try await ServiceProcess.start("terminal").remainingLines()
            #expect(lines == ["main", "work: true", "program: true", "end"])
        }

        @Test("Workers start while the environment changes, and have that of the time the pool was made")
        func changingEnvironment() async throws {
            for _ in 0..<4 {
                let service = try ServiceProcess.start("environment")
                #expect(try await service.remainingLines() == ["main", #"settings ["first"]"#])
                #expect(try await service.exitStatus() == .exited(0))
            }
        }

        @Test(
            "Without anything in /dev, neither null nor shm, workers start all the same",
            .enabled(if: ServiceProcess.isRoot, "root mounts"))
        func noDevices() async throws {
            let service = try ServiceProcess.start(
                byShell: "exec unshare -m sh -c 'mount -t tmpfs none /dev && exec \"$0\" squares' \"$0\"")
            #expect(try await service.remainingLines() == ServiceProcess.squares)
        }

        /// What a program says that shares all that can be shared, where nothing can have a name in /dev/shm and elsewhere.
        private static func shared(hasNames: Bool) -> [String] {
            [
                "main", "shm_open \(hasNames)", "connection 42", "queue [0, 1]", "value 2", "array [1, 2, 0, 0]",
                "memory 2", "child 42", "manager 10", "large true", "named false", "end",
            ]
        }

        @Test("Pitfall 31: pools, and all that processes share, put nothing into /dev/shm")
        func noNames() async throws {
            let hasNames = access("/dev/shm", W_OK) == 0
            #expect(try await ServiceProcess.start("share").remainingLines() == Self.shared(hasNames: hasNames))
        }

        @Test(
            "Pitfall 31: pools, and all that processes share, work without /dev/shm",
            .enabled(if: ServiceProcess.mounting != nil, "this user may not mount anything"),
            arguments: ["mount -t tmpfs none /dev", "mount -t tmpfs -o ro none /dev/shm"])
        func noSharedMemory(mount: String) async throws {
            let command = try #require(ServiceProcess.mounting)
            let service = try ServiceProcess.start(
                byShell: "exec \(command) sh -c '\(mount) && exec \"$0\" share' \"$0\"")
            #expect(try await service.remainingLines() == Self.shared(hasNames: false))
        }

        @Test("Without /proc the error says what is missing", .enabled(if: ServiceProcess.isRoot, "root mounts"))
        func noProcesses() async throws {
            let service = try ServiceProcess.start(byShell: "exec unshare -m \"$0\" no-proc")
            let lines = try await service.remainingLines()
            #expect(lines.count == 3)
            #expect(lines.dropFirst().first?.contains("look whether /proc is mounted") == true, "\(lines)")
        }

        @Test("A limit on the size of files that is too low is an error, and does not end the program")
        func fileSizeLimit() async throws {
            let lines = try await ServiceProcess.start(byShell: "ulimit -f 100; exec \"$0\" squares").remainingLines()
            #expect(lines.count == 3)
            #expect(lines.dropFirst().first?.contains("raise the limit on the size of files") == true, "\(lines)")
        }

        @Test("A program that was started through the dynamic loader is refused worker processes")
        func dynamicLoader() async throws {
            #if arch(x86_64)
            let loader = "/lib64/ld-linux-x86-64.so.2"
            #else
            let loader = "/lib/ld-linux-aarch64.so.1"
            #endif
            let lines = try await ProbeProcess([ServiceProcess.path, "squares"], path: loader).remainingLines()
            #expect(lines.count == 3)
            #expect(lines.dropFirst().first?.contains("dynamic loader") == true, "\(lines)")
            let threads = try ProbeProcess([ServiceProcess.path, "squares", "threads"], path: loader)
            #expect(try await threads.remainingLines() == ServiceProcess.squares)
        }

        @Test("A worker that was stopped from outside does not keep shutDown and terminate", arguments: [true, false])
        func stoppedWorker(isShutDown: Bool) async throws {
            try await withLimit(.seconds(40)) {
                let pool = try Pool(.processes, workers: 1)
                let worker = try await pool.run { getpid() }
                kill(worker, SIGSTOP)
                await expectSoon { ProcessTable.entry(worker)?.state == "T" }
                if isShutDown { await pool.shutDown() } else { await pool.terminate() }
                #expect(ProcessTable.entry(worker) == nil)
            }
        }

        @Test("All that workers said on standard error is written before the program ends")
        func lastWords() async throws {
            let notebook = try Notebook()
            defer { notebook.remove() }
            let errors = notebook.path + ".errors"
            defer { unlink(errors) }
            let service = try ServiceProcess.start(byShell: "exec \"$0\" complain 2> \(errors)")
            #expect(try await service.remainingLines() == ["main", "end"])
            #expect(try await service.exitStatus() == .exited(0))
            // Two workers say it at once, each a part of a line at a time.
            #expect(try FileDescriptor.open(errors).readToEnd().count == 800 * (12 + 1_000 + 1))
        }

        @Test("Workers bear the program's name and their number, and see the program's arguments")
        func names() async throws {
            let worker = try #require(
                try await TestBackend.processes.withPool(workers: 1) { pool in
                    try await pool.run { () -> [String]? in
                        guard let comm = try? FileDescriptor.open("/proc/self/comm").readToEnd(),
                            let line = try? FileDescriptor.open("/proc/self/cmdline").readToEnd()
                        else { return nil }
                        return [String(decoding: comm, as: UTF8.self), String(decoding: line, as: UTF8.self)]
                            + CommandLine.arguments
                    }
                })
            let program = try #require(CommandLine.arguments[0].split(separator: "/").last)
            #expect(worker[0] == "\(program.prefix(6)) worker 0\n")
            #expect(worker[1].prefix { $0 != "\0" } == "\(program) worker 0")
            #expect(Array(worker.dropFirst(2)) == CommandLine.arguments)
        }
    }
}

import Glibc
import Multiprocessing
import MultiprocessingSystem
import TestSupport
import Testing

/// What a pool with this backend is refused for.
func refusal(of backend: ProcessBackend) -> PoolError? {
    do {
        _ = try Pool(backend, workers: 1)
        return nil
    } catch {
        return error as? PoolError
    }
}

extension ProcessBackend {
    /// Runs `body` with a pool of such workers, which is terminated afterwards.
    func withPool<Result: Sendable>(
        workers: Int = 1,
        _ body: @escaping @Sendable (Pool) async throws -> Result
    ) async throws -> Result {
        try await withLimit {
            let pool = try Pool(self, workers: workers)
            do {
                let result = try await body(pool)
                await pool.terminate()
                return result
            } catch {
                await pool.terminate()
                throw error
            }
        }
    }
}

/// A variable of the process that runs the work.
private func variable(_ name: String) -> String? {
    getenv(name).map { String(cString: $0) }
}

@Suite("The surroundings of worker processes", .serialized, .admitted)
struct WorkerSurroundingsTests {
    @Test("Variables are added, changed and removed")
    func updatedEnvironment() async throws {
        let environment = WorkerEnvironment.inherit.updating([
            "MP_TEST_ADDED": "a=b ä", "PATH": nil, "HOME": "/nowhere",
        ])
        let values = try await ProcessBackend(environment: environment).withPool { pool in
            try await pool.run {
                ["MP_TEST_ADDED", "PATH", "HOME", "MULTIPROCESSING_WORKER"].map { variable($0) ?? "none" }
            }
        }
        #expect(values == ["a=b ä", "none", "/nowhere", "none"])
    }

    @Test("A custom environment has no other variables, and workers run in it")
    func customEnvironment() async throws {
        let none = try await ProcessBackend(environment: .custom([:])).withPool { pool in
            try await pool.run { ["PATH", "HOME", "PWD"].compactMap { variable($0) } }
        }
        #expect(none == [])
        let one = try await ProcessBackend(environment: .custom(["ONE": "1"])).withPool { pool in
            try await pool.run { ["PATH", "ONE"].map { variable($0) ?? "none" } }
        }
        #expect(one == ["none", "1"])
    }

    @Test(
        "Variables that no environment can hold, and the library's own, are refused by name",
        arguments: [
            (["A=B": "1"], "must not contain ="), (["": "1"], "must not be empty"), (["A\0B": "1"], "contain NUL"),
            (["A": "1\u{0}2"], "value must not contain NUL"), (["MULTIPROCESSING_WORKER": nil], "the library's own"),
        ] as [([String: String?], String)])
    func badEnvironment(_ variables: [String: String?], _ text: String) throws {
        var environments = [WorkerEnvironment.inherit.updating(variables)]
        // What is removed cannot be said of one that has nothing.
        if variables.values.allSatisfy({ $0 != nil }) {
            environments.append(.custom(variables.compactMapValues { $0 }))
        }
        for environment in environments {
            let error = try #require(refusal(of: ProcessBackend(environment: environment)))
            #expect(error.code == .invalidArgument)
            #expect(error.message.contains(text), "\(error.message)")
            #expect(error.message.contains(variables.keys.first!.debugDescription), "\(error.message)")
        }
    }

    /// Whether the runtime finds the program that makes backtraces, which stands beside its library.
    private static let hasBacktraces: Bool = {
        guard let maps = try? FileDescriptor.open("/proc/self/maps").readToEnd(),
            let line = String(decoding: maps, as: UTF8.self).split(separator: "\n")
                .first(where: { $0.hasSuffix("/lib/swift/linux/libswiftCore.so") }),
            let start = line.firstIndex(of: "/")
        else { return false }
        let root = line[start...].dropLast("/lib/swift/linux/libswiftCore.so".count)
        return access("\(root)/libexec/swift/linux/swift-backtrace", X_OK) == 0
    }()

    @Test(
        "A crash prints a backtrace if that is asked for, and else none",
        .enabled(if: hasBacktraces, "there is no swift-backtrace beside libswiftCore.so"),
        arguments: [
            (CrashBacktraces.on, "", true), (.off, "enable=yes,", false), (.automatic, "enable=yes,", true),
            (.automatic, "enable=no,", false),
        ])
    func backtracesOfCrashes(_ backtraces: CrashBacktraces, _ setting: String, isMade: Bool) async throws {
        // What takes long and fills the end of standard error is left out.
        let variable = setting + "symbolicate=off,registers=none,images=none,threads=crashed,color=no,interactive=no"
        let environment = WorkerEnvironment.inherit.updating(["SWIFT_BACKTRACE": variable])
        try await ProcessBackend(environment: environment, backtraces: backtraces).withPool { pool in
            let error = await pool.submit { fatalError("the work gives up") }.result.failure
            Crash.fatalError.expect(error)
            let text = (error as? PoolError)?.standardError ?? ""
            #expect(text.contains("*** Program crashed") == isMade, "\(text)")
            let next = try await pool.run { 1 }
            #expect(next == 1)
        }
    }

    @Test("Backtraces are turned on and off over what the environment says")
    func backtraces() async throws {
        let environment = WorkerEnvironment.inherit.updating(["SWIFT_BACKTRACE": "color=no"])
        for (backtraces, wanted) in [
            (CrashBacktraces.automatic, "color=no"), (.on, "color=no,enable=yes"), (.off, "enable=no"),
        ] {
            let backend = ProcessBackend(environment: environment, backtraces: backtraces)
            let value = try await backend.withPool { pool in try await pool.run { variable("SWIFT_BACKTRACE") } }
            #expect(value == wanted)
        }
        let plain = ProcessBackend(environment: .custom([:]))
        let value = try await plain.withPool { pool in try await pool.run { variable("SWIFT_BACKTRACE") } }
        #expect(value == "enable=no")
    }

    @Test("Workers work in the folder they are given; one that has gone is named when they start")
    func workingDirectory() async throws {
        var template = Array("/tmp/multiprocessing-folder-XXXXXX".utf8CString)
        let path = String(cString: try #require(mkdtemp(&template)))
        let backend = ProcessBackend(workingDirectory: path)
        let place = try await backend.withPool { pool in
            try await pool.run { () -> String? in
                guard let name = getcwd(nil, 0) else { return nil }
                defer { free(name) }
                return String(cString: name)
            }
        }
        #expect(place == path)

        let pool = try Pool(backend, workers: 1)
        rmdir(path)
        let error = await pool.submit { 1 }.result.failure as? PoolError
        #expect(error?.code == .workerStartFailed)
        #expect(error?.message.contains(path) == true, "\(error?.message ?? "none")")
        #expect(error?.message.contains("has to stay") == true, "\(error?.message ?? "none")")
        await pool.terminate()
    }

    @Test(
        "A folder that is not there or is none is refused",
        arguments: [("/no/such/folder", ENOENT), ("/dev/null", ENOTDIR), ("", 0), ("a\u{0}b", 0)])
    func badFolder(_ path: String, _ number: Int32) throws {
        let error = try #require(refusal(of: ProcessBackend(workingDirectory: path)))
        #expect(error.code == .invalidArgument)
        #expect(error.message.contains("workingDirectory"), "\(error.message)")
        #expect(error.errno == (number == 0 ? nil : number))
    }

    @Test("Workers run on the cores they are given, all their threads")
    func cores() async throws {
        let usable = Cores.numbers()
        let last = try #require(usable.last)
        let lists = try await ProcessBackend(cpus: .each([[last]])).withPool { pool in
            try await pool.run {
                ProcessTable.numbers(in: "/proc/self/task").compactMap { thread -> String? in
                    guard let bytes = try? FileDescriptor.open("/proc/self/task/\(thread)/status").readToEnd() else {
                        return nil
                    }
                    return String(decoding: bytes, as: UTF8.self).split(separator: "\n")
                        .first { $0.hasPrefix("Cpus_allowed_list:") }
                        .map { String($0.dropFirst("Cpus_allowed_list:".count)) }
                }
            }
        }
        #expect(lists.count >= 2)
        #expect(lists.allSatisfy { $0 == "\t\(last)" }, "\(lists)")

        let spread = try await ProcessBackend(cpus: .spread).withPool(workers: usable.count) { pool in
            try await pool.start()
            return try await pool.map(0..<40, chunkSize: 1) { _ in [Worker.current?.index ?? -1] + Cores.numbers() }
        }
        for found in spread { #expect(found == [found[0], usable[found[0]]]) }
    }

    @Test("Cores that the program may not use are refused, with those that it may")
    func badCores() throws {
        let usable = Cores.numbers().map(String.init).joined(separator: ", ")
        for (cpus, text) in [
            (CPUPlacement.each([[0], [60_000]]), "core 60000 for worker 1"), (.each([[-1]]), "core -1 for worker 0"),
            (.each([[]]), "no core for worker 0"), (.each([]), "no cores at all"),
        ] {
            let error = try #require(refusal(of: ProcessBackend(cpus: cpus)))
            #expect(error.code == .invalidArgument)
            #expect(error.message.contains(text), "\(error.message)")
            #expect(error.message.contains(usable), "\(error.message)")
        }
    }

    @Test("A nice value is added to the program's")
    func niceness() async throws {
        let own = Niceness.current
        let value = try await ProcessBackend(niceness: 5).withPool { pool in
            try await pool.run { Niceness.current }
        }
        #expect(value == min(19, own + 5))
        for bad in [-21, 20] {
            let error = try #require(refusal(of: ProcessBackend(niceness: bad)))
            #expect(error.code == .invalidArgument)
            #expect(error.message.contains("niceness is \(bad)"), "\(error.message)")
        }
    }

    @Test("Without the privilege to go before others the pool is refused, and says what would help", .ownProcess)
    func privilegedNiceness() async {
        await #expect(processExitsWith: .success) {
            // The superuser has the privilege.
            guard getuid() != 0 || (setgid(65_534) == 0 && setuid(65_534) == 0) else { return }
            let error = refusal(of: ProcessBackend(niceness: -5))
            #expect(error?.code == .workerStartFailed)
            #expect(error?.message.contains("CAP_SYS_NICE") == true)
        }
    }

    @Test("Pools within pools have the surroundings of the first, and die with its worker")
    func depth() async throws {
        let notebook = try Notebook()
        defer { notebook.remove() }
        let backend = ProcessBackend(environment: .inherit.updating(["MP_TEST_DEEP": "yes"]), niceness: 1)
        let own = Niceness.current
        try await backend.withPool { pool in
            let future = pool.submit(notebook) { notebook in
                notebook.write("\(getpid())")
                let second = try Pool(.processes, workers: 1)
                try await second.run(notebook) { notebook in
                    notebook.write("\(getpid())")
                    let third = try Pool(.processes(niceness: 1), workers: 1)
                    try await third.run(notebook) { notebook in
                        notebook.write("\(getpid())")
                        notebook.write("\(variable("MP_TEST_DEEP") ?? "no") \(Niceness.current)")
                        sleep(1_000)
                    }
                }
            }
            await expectSoon { notebook.lines.count == 4 }
            #expect(notebook.lines.last == "yes \(min(19, own + 2))")
            let processes = notebook.numbers.map { Int32($0) }
            #expect(processes.count == 3)
            #expect(processes.allSatisfy { ProcessFacts.isRunning($0) })
            kill(processes[0], SIGKILL)
            Crash.killed.expect(await future.result.failure)
            await expectSoon { !processes.contains { ProcessFacts.isRunning($0) } }
        }
    }
}

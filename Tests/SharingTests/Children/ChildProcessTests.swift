import Glibc
import Multiprocessing
import TestSupport
import Testing

/// What a child throws.
private enum Fault: Error, Codable, Equatable {
    case broken(Int)
}

private struct Doubling: Job {
    let number: Int
    func run() -> Int { number * 2 }
}

private struct Arriving: VoidJob {
    let ticket: Rendezvous.Ticket
    func run() { ticket.arrive(1) }
}

/// Counts the objects of it that are there.
private final class Tracked: Sendable {
    static let alive = Counter()
    static let gone = Counter()
    init() { Self.alive.increment() }
    deinit { Self.gone.increment() }
}

@Suite(.admitted)
struct ChildProcessTests {
    // MARK: What it runs

    @Test("Closures of all shapes, and jobs, give their values", arguments: TestBackend.allCases)
    func shapes(_ backend: TestBackend) async throws {
        try await withLimit {
            let backend = backend.backend
            let captured = 40
            let plain = try await ChildProcess(backend) { captured + 2 }.value
            #expect(plain == 42)
            let suspending = try await ChildProcess(backend) { await Task { captured + 3 }.value }.value
            #expect(suspending == 43)
            let fed = try await ChildProcess(backend, 5) { $0 + captured }.value
            #expect(fed == 45)
            let fedSuspending = try await ChildProcess(backend, [1, 2, 3]) { numbers in
                await Task.yield()
                return numbers.count
            }.value
            #expect(fedSuspending == 3)
            let job = try await ChildProcess(backend, Doubling(number: 21)).value
            #expect(job == 42)
        }
    }

    @Test("Without a result", arguments: TestBackend.allCases)
    func noResult(_ backend: TestBackend) async throws {
        let rendezvous = try Rendezvous()
        let ticket = rendezvous.ticket
        try await withLimit {
            let backend = backend.backend
            try await ChildProcess(backend) { ticket.arrive(0) }.value
            try await ChildProcess(backend, Arriving(ticket: ticket)).value
            try await ChildProcess(backend, 2) { ticket.arrive($0) }.value
            try await ChildProcess(backend, 3) { number in
                await Task.yield()
                ticket.arrive(number)
            }.value
        }
        #expect(rendezvous.arrivals == [0, 1, 2, 3])
    }

    @Test("test_args_argument: what it is given arrives equal", arguments: TestBackend.allCases)
    func argumentsArgument(_ backend: TestBackend) async throws {
        try await withLimit {
            let echo = try ChildProcess(backend.backend, (1, "two", [3.5], ["four": 5])) { input in
                "\(input.0) \(input.1) \(input.2) \(input.3)"
            }
            #expect(try await echo.value == #"1 two [3.5] ["four": 5]"#)
        }
    }

    @Test("Work that cannot be sent is refused before there is a process")
    func refused() async throws {
        let object = Tracked()
        await expectRefusal("Tracked") {
            _ = try ChildProcess(.processes) { withExtendedLifetime(object) { 1 } }
        }
    }

    @Test("The environment is the backend's")
    func surroundings() async throws {
        try await withLimit {
            let child = try ChildProcess(.processes(environment: .inherit.updating(["CHILD_TEST": "yes"]))) {
                getenv("CHILD_TEST").map { String(cString: $0) }
            }
            #expect(try await child.value == "yes")
        }
    }

    // MARK: Its life

    @Test(
        "test_process: it runs between its start and its end, in a process of its own", arguments: TestBackend.allCases)
    func process(_ backend: TestBackend) async throws {
        let rendezvous = try Rendezvous()
        let ticket = rendezvous.ticket
        try await withLimit {
            let child = try ChildProcess(backend.backend, name: "waiter") {
                ticket.arrive()
                ticket.wait()
                return getpid()
            }
            #expect(child.isRunning)
            #expect(child.exit == nil)
            #expect(child.name == "waiter")
            await rendezvous.expectArrivals(1)
            #expect(try await child.wait(timeout: .zero) == nil)
            #expect(try await child.wait(timeout: .seconds(-1)) == nil)
            #expect(try await child.wait(timeout: .milliseconds(5)) == nil)
            #expect(child.isRunning)
            rendezvous.letThrough()
            let process = try await child.value
            #expect(try await child.wait() == .returned)
            #expect(!child.isRunning)
            #expect(child.exit == .returned)
            switch backend {
            case .threads:
                #expect(process == getpid())
                #expect(child.processID == nil)
            case .processes:
                #expect(process != getpid())
                #expect(child.processID == process)
                #expect(ProcessFacts.state(of: process) == nil, "it was reaped")
            }
            // What is called when it has ended changes nothing.
            child.terminate()
            child.kill()
            child.cancel()
            #expect(child.exit == .returned)
            #expect(try await child.value == process)
        }
    }

    @Test("The process id is known as soon as it is started")
    func processIDAtOnce() async throws {
        try await withLimit {
            let child = try ChildProcess(.processes) { getpid() }
            let known = child.processID
            #expect(known != nil)
            #expect(try await child.value == known)
        }
    }

    @Test("ps and top show its name")
    func name() async throws {
        let rendezvous = try Rendezvous()
        let ticket = rendezvous.ticket
        try await withLimit {
            let child = try ChildProcess(.processes, name: "reader; of\nlogs") {
                ticket.arrive()
                ticket.wait()
            }
            await rendezvous.expectArrivals(1)
            let process = try #require(child.processID)
            #expect(ProcessFacts.contents("/proc/\(process)/comm") == "reader_ of_logs\n")
            #expect(ProcessFacts.contents("/proc/\(process)/cmdline").contains(" reader_ of_logs"))
            #expect("\(child)" == "ChildProcess(reader; of\nlogs, process \(process), running)")
            rendezvous.letThrough()
            try await child.wait()
        }
    }

    @Test("Blocking code waits as asynchronous code does", arguments: TestBackend.allCases)
    func blocking(_ backend: TestBackend) async throws {
        let rendezvous = try Rendezvous()
        let ticket = rendezvous.ticket
        try await withLimit {
            try await onBlockableThread {
                let child = try ChildProcess(backend.backend) {
                    ticket.wait()
                    return 7
                }
                #expect(child.wait(timeout: .milliseconds(5)) == nil)
                #expect(child.wait(timeout: .zero) == nil)
                let error = #expect(throws: PoolError.self) { try child.waitForValue(timeout: .milliseconds(1)) }
                #expect(error?.code == .timedOut)
                rendezvous.letThrough()
                #expect(try child.waitForValue() == 7)
                #expect(child.wait() == .returned)
                #expect(child.wait(timeout: .seconds(1)) == .returned)
            }
        }
    }

    @Test("An error is thrown as what it was", arguments: TestBackend.allCases)
    func typedError(_ backend: TestBackend) async throws {
        try await withLimit {
            let child = try ChildProcess(backend.backend, 4) { (number: Int) throws -> Int in throw Fault.broken(number)
            }
            await #expect(throws: Fault.broken(4)) { try await child.value }
            #expect(try await child.wait() == .threw)
        }
    }

    @Test(
        "An error of the library's that the closure throws is its own, not that of its process",
        arguments: TestBackend.allCases)
    func thrownPoolError(_ backend: TestBackend) async throws {
        try await withLimit {
            let child = try ChildProcess(backend.backend) { () async throws -> Int in
                let pool = try Pool(.threads, workers: 1)
                await pool.terminate()
                return try await pool.run { 1 }
            }
            let error = await #expect(throws: PoolError.self) { try await child.value }
            #expect(error?.code == .shutDown)
            #expect(error?.message.contains("the pool was shut down") == true)
            #expect(try await child.wait() == .threw)
        }
    }

    // MARK: Its end

    @Test("test_sys_exit: the code that it passes to exit", arguments: [0, 3, 8, 255] as [Int32])
    func sysExit(_ code: Int32) async throws {
        try await withLimit {
            let child = try ChildProcess(.processes, code) { (code: Int32) -> Int in Glibc.exit(code) }
            #expect(try await child.wait() == .exited(code))
            let error = await #expect(throws: PoolError.self) { try await child.value }
            #expect(error?.code == .workerCrashed)
            #expect(error?.exitCode == code)
            #expect(
                error?.message
                    == "child process \(child.processID ?? 0) ended with exit code \(code) before what it ran had ended"
            )
        }
    }

    @Test("A trap is the signal that it is, with what was written to standard error")
    func trap() async throws {
        try await withLimit {
            let child = try ChildProcess(.processes, [1]) { (numbers: [Int]) -> Int in
                _ = "last words\n".withCString { write(STDERR_FILENO, $0, strlen($0)) }
                return numbers[numbers.count]
            }
            let exit = try await child.wait()
            #expect(exit == .signaled(SIGILL) || exit == .signaled(SIGTRAP))
            let error = await #expect(throws: PoolError.self) { try await child.value }
            #expect(error?.code == .workerCrashed)
            #expect(error?.standardError?.contains("last words") == true)
        }
    }

    @Test("test_stderr_flush: what it says of its end reaches standard error whole")
    func stderrFlush() async throws {
        try await withLimit {
            let child = try ChildProcess(.processes) { () -> Int in fatalError("the whole story") }
            let error = await #expect(throws: PoolError.self) { try await child.value }
            #expect(error?.standardError?.contains("the whole story") == true)
        }
    }

    @Test("test_terminate: a process ends by SIGTERM")
    func terminateProcess() async throws {
        let rendezvous = try Rendezvous()
        let ticket = rendezvous.ticket
        try await withLimit {
            let child = try ChildProcess(.processes) {
                ticket.arrive()
                while true { sleep(1_000) }
            }
            await rendezvous.expectArrivals(1)
            child.terminate()
            #expect(try await child.wait() == .signaled(SIGTERM))
            let error = await #expect(throws: PoolError.self) { try await child.value }
            #expect(error?.code == .workerCrashed)
            #expect(error?.signal == SIGTERM)
            #expect(error?.message.hasSuffix("was ended by SIGTERM before what it ran had ended") == true)
        }
    }

    @Test("A process may handle SIGTERM, and go on")
    func terminateHandled() async throws {
        let rendezvous = try Rendezvous()
        let ticket = rendezvous.ticket
        try await withLimit {
            let child = try ChildProcess(.processes) {
                signal(SIGTERM, SIG_IGN)
                ticket.arrive()
                ticket.wait()
                return 1
            }
            await rendezvous.expectArrivals(1)
            child.terminate()
            #expect(try await child.wait(timeout: .milliseconds(50)) == nil)
            rendezvous.letThrough()
            #expect(try await child.value == 1)
            #expect(try await child.wait() == .returned)
        }
    }

    @Test("A thread is told by cancellation, and what comes of that counts")
    func terminateThread() async throws {
        let rendezvous = try Rendezvous()
        let ticket = rendezvous.ticket
        try await withLimit {
            let child = try ChildProcess(.threads) {
                ticket.arrive()
                return blockUntilCancelled()
            }
            await rendezvous.expectArrivals(1)
            child.terminate()
            #expect(try await child.value)
            #expect(try await child.wait() == .returned)
        }
    }

    @Test("test_kill: SIGKILL ends it, and the group that it leads")
    func killProcess() async throws {
        let rendezvous = try Rendezvous()
        let ticket = rendezvous.ticket
        try await withLimit {
            let child = try ChildProcess(.processes) {
                signal(SIGTERM, SIG_IGN)
                let grandchild = try ChildProcess(.processes) {
                    ticket.arrive(Int(getpid()))
                    while true { sleep(1_000) }
                }
                var shell: pid_t = 0
                let arguments: [UnsafeMutablePointer<CChar>?] = [strdup("/bin/sleep"), strdup("1000"), nil]
                posix_spawn(&shell, "/bin/sleep", nil, nil, arguments, environ)
                ticket.arrive(Int(shell))
                try await grandchild.wait()
            }
            await rendezvous.expectArrivals(2)
            let others = rendezvous.arrivals.map(Int32.init)
            #expect(others.allSatisfy(ProcessFacts.isRunning))
            child.kill()
            #expect(try await child.wait() == .signaled(SIGKILL))
            await expectSoon { !others.contains(where: ProcessFacts.isRunning) }
        }
    }

    @Test("A thread that is killed is given up at once")
    func killThread() async throws {
        let rendezvous = try Rendezvous()
        let ticket = rendezvous.ticket
        try await withLimit {
            let child = try ChildProcess(.threads) {
                ticket.arrive()
                ticket.wait()
                return 1
            }
            await rendezvous.expectArrivals(1)
            child.kill()
            #expect(try await child.wait() == .abandoned)
            let error = await #expect(throws: PoolError.self) { try await child.value }
            #expect(error?.code == .shutDown)
            #expect(error?.message.hasPrefix("the child was killed") == true)
            rendezvous.letThrough()
        }
    }

    @Test("A kill from outside is told, also one before the process had begun", arguments: [true, false])
    func killedFromOutside(waits: Bool) async throws {
        let rendezvous = try Rendezvous()
        let ticket = rendezvous.ticket
        try await withLimit {
            let child = try ChildProcess(.processes) {
                ticket.arrive()
                while true { sleep(1_000) }
            }
            if waits { await rendezvous.expectArrivals(1) }
            #expect(Glibc.kill(try #require(child.processID), SIGKILL) == 0)
            #expect(try await child.wait() == .signaled(SIGKILL))
            let error = await #expect(throws: PoolError.self) { try await child.value }
            #expect(error?.signal == SIGKILL)
            #expect(error?.processID == child.processID)
        }
        #expect(rendezvous.arrivals.count <= 1, "it is not started again")
    }

    @Test("Cancelling the last task that waits for the value cancels what runs", arguments: TestBackend.allCases)
    func cancelledByValue(_ backend: TestBackend) async throws {
        let rendezvous = try Rendezvous()
        let ticket = rendezvous.ticket
        try await withLimit {
            let child = try ChildProcess(backend.backend) {
                ticket.arrive(1)
                if blockUntilCancelled() { ticket.arrive(2) }
            }
            await rendezvous.expectArrivals(1)
            let task = Task { try await child.value }
            // Only waiting for the end cancels nothing.
            let waiting = Task { try await child.wait() }
            waiting.cancel()
            await #expect(throws: CancellationError.self) { try await waiting.value }
            #expect(child.isRunning)
            while true {
                task.cancel()
                if try await child.wait(timeout: .milliseconds(20)) != nil { break }
            }
            await #expect(throws: CancellationError.self) { try await task.value }
            #expect(child.exit == .threw)
            #expect(rendezvous.arrivals == [1, 2])
        }
    }

    @Test("A process that is deaf to cancellation is killed after the grace period")
    func cancelledAndDeaf() async throws {
        let rendezvous = try Rendezvous()
        let ticket = rendezvous.ticket
        try await withLimit {
            let child = try ChildProcess(.processes) {
                ticket.arrive()
                while true { sleep(1_000) }
            }
            await rendezvous.expectArrivals(1)
            child.cancel()
            await #expect(throws: CancellationError.self) { try await child.value }
            #expect(try await child.wait() == .signaled(SIGKILL))
        }
    }

    @Test("Its creator's task is not its own: cancelling that leaves it running")
    func creatorCancelled() async throws {
        let rendezvous = try Rendezvous()
        let ticket = rendezvous.ticket
        try await withLimit {
            let task = Task {
                try ChildProcess(.processes) {
                    ticket.arrive()
                    ticket.wait()
                    return Task.isCancelled
                }
            }
            let child = try await task.value
            task.cancel()
            await rendezvous.expectArrivals(1)
            rendezvous.letThrough()
            #expect(try await child.value == false)
        }
    }

    @Test("Letting go of it leaves it running", arguments: TestBackend.allCases)
    func dropped(_ backend: TestBackend) async throws {
        let rendezvous = try Rendezvous()
        let ticket = rendezvous.ticket
        try await withLimit {
            do {
                _ = try ChildProcess(backend.backend) {
                    ticket.arrive(1)
                    ticket.wait()
                    ticket.arrive(2)
                }
            }
            await rendezvous.expectArrivals(1)
            rendezvous.letThrough()
            await rendezvous.expectArrivals(2)
        }
    }

    @Test("Pitfall 12: it ends with its parent, also when that is killed")
    func endsWithParent() async throws {
        let rendezvous = try Rendezvous()
        let ticket = rendezvous.ticket
        try await withLimit {
            let parent = try ChildProcess(.processes) {
                let child = try ChildProcess(.processes) {
                    ticket.arrive(Int(getpid()))
                    while true {}
                }
                try await child.wait()
            }
            await rendezvous.expectArrivals(1)
            let child = Int32(rendezvous.arrivals[0])
            #expect(ProcessFacts.isRunning(child))
            #expect(Glibc.kill(try #require(parent.processID), SIGKILL) == 0)
            #expect(try await parent.wait() == .signaled(SIGKILL))
            await expectSoon { !ProcessFacts.isRunning(child) }
        }
    }

    // MARK: Several

    @Test("test_recursion: children start children")
    func recursion() async throws {
        try await withLimit {
            let paths = try await Tree.visit([])
            #expect(paths == [[], [0], [0, 0], [0, 1], [1], [1, 0], [1, 1]])
        }
    }

    private enum Tree {
        static func visit(_ path: [Int]) async throws -> [[Int]] {
            var paths = [path]
            if path.count < 2 {
                for number in 0..<2 {
                    let child = try ChildProcess(.processes, path + [number]) { try await Tree.visit($0) }
                    paths += try await child.value
                }
            }
            return paths
        }
    }

    @Test("test_many_processes: all end in order, and those that are terminated at once by SIGTERM")
    func manyProcesses() async throws {
        try await withLimit {
            let children = try (0..<10).map { number in try ChildProcess(.processes, number) { $0 * $0 } }
            for (number, child) in children.enumerated() {
                #expect(try await child.value == number * number)
                #expect(try await child.wait() == .returned)
            }
            let terminated = try (0..<20).map { _ in
                try ChildProcess(.processes) { while true { sleep(1_000) } }
            }
            for child in terminated { child.terminate() }
            for child in terminated { #expect(try await child.wait() == .signaled(SIGTERM)) }
        }
    }

    @Test("test_lose_target_ref: what it was given is let go of at its end", arguments: [1])
    func loseTargetRef(_: Int) async throws {
        try await withLimit {
            let child: ChildProcess<Bool>
            do {
                let object = Tracked()
                child = try ChildProcess(.threads) { withExtendedLifetime(object) { true } }
            }
            #expect(try await child.value)
            try await child.wait()
            await expectSoon { Tracked.gone.count == Tracked.alive.count }
        }
    }

    @Test("test_child_fd_inflation: each has as many descriptors, however many there are")
    func childDescriptorInflation() async throws {
        let rendezvous = try Rendezvous()
        let ticket = rendezvous.ticket
        try await withLimit {
            let children = try (0..<6).map { _ in
                try ChildProcess(.processes) {
                    ticket.arrive()
                    ticket.wait()
                    return Descriptors.count
                }
            }
            await rendezvous.expectArrivals(6)
            rendezvous.letThrough(6)
            var counts: Set<Int> = []
            for child in children { counts.insert(try await child.value) }
            #expect(counts.count == 1, "\(counts)")
        }
    }

    private enum Descriptors {
        static var count: Int { ProcessFacts.descriptorCount }
    }

    @Test("test_closefd: it does not inherit descriptors")
    func closeDescriptors() async throws {
        var ends: [Int32] = [0, 0]
        #expect(pipe(&ends) == 0)
        defer { ends.forEach { close($0) } }
        // Higher than any that the child has of its own.
        let number = fcntl(ends[0], F_DUPFD, 200)
        #expect(number >= 200)
        defer { close(number) }
        try await withLimit {
            let child = try ChildProcess(.processes, number) { number in
                fcntl(number, F_GETFD) == -1 ? errno : 0
            }
            #expect(try await child.value == EBADF)
        }
    }

    @Test("test_atexit: handlers registered in it run at its end")
    func atExit() async throws {
        let rendezvous = try Rendezvous()
        let ticket = rendezvous.ticket
        try await withLimit {
            let child = try ChildProcess(.processes) {
                ExitNote.ticket = ticket
                atexit { ExitNote.ticket?.arrive(9) }
            }
            #expect(try await child.wait() == .returned)
        }
        #expect(rendezvous.arrivals == [9])
    }

    private enum ExitNote {
        // Safe: written by the only child that has it, before its end.
        nonisolated(unsafe) static var ticket: Rendezvous.Ticket?
    }

    @Test("test_pool_in_process: it may have a pool of its own", arguments: TestBackend.allCases)
    func poolInProcess(_ backend: TestBackend) async throws {
        try await withLimit {
            let child = try ChildProcess(backend.backend) {
                try await withPool(.processes, workers: 2) { try await $0.map(1...4) { $0 * $0 } }
            }
            #expect(try await child.value == [1, 4, 9, 16])
        }
    }

    @Test("Nothing is left behind: no descriptor, thread or zombie", arguments: TestBackend.allCases)
    func nothingIsLeft(_ backend: TestBackend) async throws {
        try await withLimit {
            let arguments = (threads: backend == .threads, 0)
            let result = try await ChildProcess(.processes, arguments.threads) { threads in
                try await Leaks.measure(threads)
            }.value
            #expect(result == "", "\(result)")
        }
    }

    /// In a process that does nothing else.
    private enum Leaks {
        static func measure(_ threads: Bool) async throws -> String {
            let backend: any Backend = threads ? .threads : .processes
            func round() async throws {
                let good = try ChildProcess(backend) { 1 }
                let bad = try ChildProcess(backend) { throw Fault.broken(1) }
                _ = try await good.value
                try await good.wait()
                try await bad.wait()
                if !threads {
                    let killed = try ChildProcess(backend) { while true { sleep(1_000) } }
                    killed.kill()
                    try await killed.wait()
                    #expect(throws: PoolError.self) { try ChildProcess(backend, Tracked()) { _ in } }
                }
            }
            // What comes once and stays, such as what Dispatch needs for its first timer.
            try await Task.sleep(for: .milliseconds(1))
            try await round()
            try await round()
            let before = (ProcessFacts.descriptorCount, ProcessFacts.threadCount)
            for _ in 0..<5 { try await round() }
            var last = (0, 0)
            let deadline = ContinuousClock.now + .seconds(60)
            repeat {
                last = (ProcessFacts.descriptorCount, ProcessFacts.threadCount)
                if last.0 <= before.0, last.1 <= before.1, waitpid(-1, nil, WNOHANG) == -1 { return "" }
                try await Task.sleep(for: .milliseconds(10))
            } while ContinuousClock.now < deadline
            return "\(last) of \(before), waitpid \(waitpid(-1, nil, WNOHANG))"
        }
    }
}

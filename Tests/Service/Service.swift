import Dispatch
@preconcurrency import Glibc
import Multiprocessing

/// A program with a pool that does what services do to their own process, for tests to look at from outside.
///
/// It says "main" first, so that a worker that ran `main` would show, and "end" last. Not asynchronous: a
/// program that becomes a daemon must not have used Dispatch before.
@main
enum Service {
    static func main() {
        setvbuf(stdout, nil, _IOLBF, 0)
        // Nothing here takes long; a process that was forked off is not known to the test.
        alarm(60)
        print("main")
        do {
            try run(CommandLine.arguments.dropFirst().first)
        } catch let error as PoolError {
            print("error \(error.code): \(error.message)")
        } catch {
            print("error \(error)")
        }
        print("end")
    }

    private static func run(_ name: String?) throws {
        switch name {
        case "squares": try printSquares()
        case "share": try wait { try await share() }
        case "no-proc":
            // Here, because a program without it gets no arguments.
            system("mount -t tmpfs none /proc")
            try printSquares()
        case "effective":
            seteuid(nobody)
            try printSquares()
        case "environment": try changeEnvironment()
        case "terminal": try openTerminal()
        case "complain": try complain()
        case "drop": try dropRoot()
        case "daemon": try becomeDaemon()
        case "daemon-first":
            becomeChild()
            try printSquares()
        case "daemon-async": try becomeDaemonInTask()
        case "fork": try forkOff()
        default: fatalError("service: name what to do")
        }
    }

    /// Where the pool runs: the last argument, or worker processes.
    private static var backend: any Backend {
        CommandLine.arguments.last == "threads" ? .threads : .processes
    }

    private static func makePool() throws -> Pool {
        try Pool(backend, workers: 2)
    }

    private static func printSquares() throws {
        let pool = try makePool()
        let futures = (1...4).map { number in pool.submit(number) { $0 * $0 } }
        print("squares \(try futures.map { try $0.wait(timeout: .seconds(20)) })")
        try wait { await pool.shutDown() }
    }

    /// Ends as soon as its workers have, which have said much on standard error.
    private static func complain() throws {
        let pool = try makePool()
        let futures = (0..<8).map { number in
            pool.submit(number) { number in
                let line = "complaint \(number) " + String(repeating: "x", count: 1_000) + "\n"
                for _ in 0..<100 { fputs(line, stderr) }
            }
        }
        for future in futures { try future.wait(timeout: .seconds(20)) }
        try wait { await pool.shutDown() }
    }

    // MARK: The environment

    /// Starts one worker after another while another thread changes the environment, and moves it all the time.
    private static func changeEnvironment() throws {
        setenv("SERVICE_SETTING", "first", 1)
        let pool = try Pool(.processes, workers: 4)
        setenv("SERVICE_SETTING", "later", 1)
        let thread = DispatchQueue(label: "environment")
        thread.async {
            for round in 0... {
                setenv("SERVICE_VARIABLE_\(round % 500)", String(repeating: "x", count: round % 300), 1)
                if round % 3 == 0 { unsetenv("SERVICE_VARIABLE_\((round + 250) % 500)") }
            }
        }
        var settings: Set<String> = []
        for _ in 0..<60 {
            // The worker ends, so that the next item needs another.
            let crashes = (0..<4).map { _ in pool.submit { () -> Int in _exit(3) } }
            for crash in crashes { _ = try? crash.wait(timeout: .seconds(20)) }
            let setting = pool.submit { getenv("SERVICE_SETTING").map { String(cString: $0) } ?? "" }
            settings.insert(try setting.wait(timeout: .seconds(20)))
        }
        print("settings \(settings.sorted())")
        fflush(stdout)
        // The other thread does not end, and `exit` reads the environment no more.
        _exit(0)
    }

    // MARK: The terminal

    /// Has work ask the program's terminal for something, and start a program that does.
    private static func openTerminal() throws {
        let main = open("/dev/ptmx", O_RDWR | O_NOCTTY)
        // TIOCSPTLCK and TIOCGPTN, which are macros that Swift cannot read.
        var (lock, number): (Int32, Int32) = (0, 0)
        guard main >= 0, ioctl(main, 0x4004_5431, &lock) == 0, ioctl(main, 0x8004_5430, &number) == 0 else {
            throw Failure(errno)
        }
        // This process leads a session without a terminal, so the first one that it opens is its own.
        let terminal = open("/dev/pts/\(number)", O_RDWR)
        guard terminal >= 0, tcgetpgrp(terminal) == getpgrp() else { throw Failure(errno) }
        var settings = termios()
        tcgetattr(terminal, &settings)
        settings.c_lflag |= tcflag_t(TOSTOP)
        tcsetattr(terminal, TCSANOW, &settings)

        let pool = try makePool()
        let opened = pool.submit { () -> Int32 in
            let terminal = open("/dev/tty", O_RDWR)
            if terminal < 0 { return errno }
            var byte: UInt8 = 0
            _ = write(terminal, "?", 1)
            _ = read(terminal, &byte, 1)
            return 0
        }
        print("work: \(try opened.wait(timeout: .seconds(20)) == ENXIO)")
        let program = pool.submit { system("exec 2>/dev/null; read x < /dev/tty") != 0 }
        print("program: \(try program.wait(timeout: .seconds(20)))")
        try wait { await pool.shutDown() }
    }

    // MARK: Root

    /// Gives up root while workers run, one of them an endless item, and terminates the pool.
    ///
    /// The argument, if there is one, is a file to wait for before the pool is terminated.
    private static func dropRoot() throws {
        let pool = try makePool()
        try printWorkers(of: pool)
        let endless = pool.submit { while true {} }
        guard setgid(nobody) == 0, setuid(nobody) == 0 else { throw Failure(errno) }
        print("dropped")
        if CommandLine.arguments.count > 2 {
            while access(CommandLine.arguments[2], F_OK) != 0 { usleep(1_000) }
        }
        try wait { await pool.terminate() }
        do {
            try endless.wait(timeout: .zero)
        } catch let error as PoolError {
            print("endless \(error.code)")
        }
    }

    private static let nobody: UInt32 = 65_534

    // MARK: Forks

    /// Goes on in a child, which keeps its standard streams, while the program ends.
    private static func becomeChild() {
        fflush(stdout)
        daemon(1, 1)
        // Of the one before nothing is left, and a thread of Dispatch takes no signals.
        var signals = sigset_t()
        sigemptyset(&signals)
        sigaddset(&signals, SIGALRM)
        pthread_sigmask(SIG_UNBLOCK, &signals, nil)
        alarm(60)
    }

    /// Submits work that does not end, and waits until it runs: a fork while threads are being started, or types
    /// looked up, leaves locks behind that nobody holds.
    private static func submitEndless(to pool: Pool) -> Future<Void> {
        let path = "/tmp/service-\(getpid())-runs"
        let endless = pool.submit(path) { path in
            close(open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0o600))
            while true { usleep(1_000) }
        }
        while access(path, F_OK) != 0 { usleep(1_000) }
        unlink(path)
        return endless
    }

    /// Uses a pool, becomes a daemon, and uses it again.
    private static func becomeDaemon() throws {
        let pool = try makePool()
        print("before \(try pool.submit { 1 }.wait(timeout: .seconds(20)))")
        let pending = submitEndless(to: pool)
        becomeChild()
        report("submit") { _ = try pool.submit { 1 }.wait() }
        report("pending") { try pending.wait() }
        report("pool") { _ = try makePool().submit { 1 }.wait(timeout: .seconds(5)) }
        fflush(stdout)
        // The copies of the pool and its futures go, which must not end the workers of another process.
        _exit(0)
    }

    /// The same where the pool is used asynchronously.
    private static func becomeDaemonInTask() throws {
        let pool = try makePool()
        try wait {
            print("before \(try await pool.run { 1 })")
            let pending = submitEndless(to: pool)
            becomeChild()
            await reportLater("run") { _ = try await pool.run { 1 } }
            await reportLater("map") { _ = try await pool.map(1...3) { $0 } }
            await reportLater("empty map") { _ = try await pool.map([Int]()) { $0 } }
            await reportLater("forEach") { try await pool.forEach(1...3) { _ in } }
            await reportLater("stream") { for try await _ in pool.stream(1...3, { $0 }) {} }
            await reportLater("pending") { try await pending.value }
            await pool.shutDown()
            await pool.terminate()
            print("shut down")
            fflush(stdout)
            _exit(0)
        }
    }

    /// Forks off a process that lives on, with a worker in an endless loop, and is killed by the test.
    private static func forkOff() throws {
        let pool = try makePool()
        try printWorkers(of: pool)
        let endless = pool.submit { while true {} }
        let child = try fork()
        if child == 0 {
            alarm(60)
            withExtendedLifetime((pool, endless)) { while true { pause() } }
        }
        print("child \(child)")
        print("ready")
        while true { pause() }
    }

    /// The function that Swift does not offer, because so little works behind it.
    private static func fork() throws -> pid_t {
        guard let function = dlsym(nil, "fork") else { throw Failure(ENOSYS) }
        return unsafeBitCast(function, to: (@convention(c) () -> pid_t).self)()
    }

    private static func report(_ name: String, _ body: () throws -> Void) {
        do {
            try body()
            print("\(name): no error")
        } catch {
            print("\(name): \(describe(error))")
        }
    }

    private static func reportLater(_ name: String, _ body: () async throws -> Void) async {
        do {
            try await body()
            print("\(name): no error")
        } catch {
            print("\(name): \(describe(error))")
        }
    }

    private static func describe(_ error: any Error) -> String {
        guard let error = error as? PoolError else { return "\(error)" }
        return "\(error.code), \(error.message.contains("forked") ? "forked" : error.message)"
    }

    // MARK: Steps

    /// Prints the process ids of all of the pool's workers.
    private static func printWorkers(of pool: Pool) throws {
        var workers: Set<Int32> = []
        while workers.count < pool.workerCount {
            // At the same time, so that one worker cannot do it all.
            let items = (0..<pool.workerCount).map { _ in
                pool.submit { () -> Int32 in
                    usleep(20_000)
                    return getpid()
                }
            }
            for item in items { workers.insert(try item.wait(timeout: .seconds(20))) }
        }
        for worker in workers { print("worker \(worker)") }
    }

    /// Blocks until asynchronous code has run, for a limited time.
    private static func wait(_ body: @escaping @Sendable () async throws -> Void) throws {
        let end = DispatchSemaphore(value: 0)
        Task {
            do { try await body() } catch { print("error \(error)") }
            end.signal()
        }
        guard end.wait(timeout: .now() + .seconds(30)) == .success else { throw Failure(ETIMEDOUT) }
    }
}

/// A call that failed.
struct Failure: Error {
    let errno: Int32

    init(_ errno: Int32) {
        self.errno = errno
    }
}

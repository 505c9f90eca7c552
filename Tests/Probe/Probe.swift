import Dispatch
@preconcurrency import Glibc
import Multiprocessing

/// A program with a pool, for tests that look at it from outside: that kill it, or wait for its end.
///
/// It prints the process ids of its workers, one a line as "worker 123", and then "ready".
@main
enum Probe {
    /// Held until the program's end, as a global variable of a program is.
    static let forgotten = try? Pool(.processes, workers: 2)

    static func main() async throws {
        setvbuf(stdout, nil, _IOLBF, 0)
        switch CommandLine.arguments.dropFirst().first {
        case "buffered": try await buffered()
        case "unheard": try await unheard()
        case "busy": try await busy()
        case "asleep": try await asleep()
        case "idle": try await idle()
        case "nothing": await nothing()
        case "nested": try await nested()
        case "forgotten": try await forget()
        case "exit": try await exitBusy()
        case "interrupted": try await interrupted()
        case "deleted": try await deleted()
        case "replaced": try await replaced()
        case "deep": try await deep()
        case "short": try await short()
        case "forked": try await forked()
        default: fatalError("probe: name what to do")
        }
    }

    // MARK: To be killed

    /// Workers in an endless loop.
    private static func busy() async throws {
        let pool = try Pool(.processes, workers: 3)
        try await announce(pool)
        let endless = startEndless(pool)
        await ready()
        withExtendedLifetime(endless) {}
    }

    /// Workers that block in a system call.
    private static func asleep() async throws {
        let pool = try Pool(.processes, workers: 3)
        try await announce(pool)
        let blocked = (0..<3).map { _ in pool.submit { while true { pause() } } }
        await ready()
        withExtendedLifetime(blocked) {}
    }

    private static func idle() async throws {
        let pool = try Pool(.processes, workers: 3)
        try await announce(pool)
        await ready()
        withExtendedLifetime(pool) {}
    }

    /// No pool, but a program that has used Swift's concurrency and Dispatch.
    private static func nothing() async {
        await withTaskGroup { group in
            for _ in 0..<4 { group.addTask {} }
        }
        DispatchQueue(label: "probe").sync {}
        await ready()
    }

    /// A worker with a busy pool of its own, whose workers have busy ones too.
    private static func nested() async throws {
        let pool = try Pool(.processes, workers: 1)
        try await announce(pool)
        let outer = pool.submit {
            let middle = try Pool(.processes, workers: 2)
            try await Probe.announce(middle)
            let inner = middle.submit {
                let last = try Pool(.processes, workers: 1)
                try await Probe.announce(last)
                let endless = last.submit {
                    print("ready")
                    fflush(stdout)
                    while true {}
                }
                try await endless.value
            }
            let endless = middle.submit { while true {} }
            try await inner.value
            try await endless.value
        }
        try await outer.value
    }

    /// A worker that has taken the place of others, in an endless loop.
    private static func forked() async throws {
        let pool = try Pool(.processes, workers: 1)
        for _ in 0..<5 {
            let victim = try await pool.run { getpid() }
            kill(victim, SIGKILL)
            while try await pool.run({ getpid() }) == victim {}
            try await Task.sleep(for: .milliseconds(100))
        }
        try await announce(pool)
        let endless = startEndless(pool)
        await ready()
        withExtendedLifetime(endless) {}
    }

    // MARK: To end

    /// Returns from `main` with a pool that nobody shuts down.
    private static func forget() async throws {
        guard let pool = forgotten else { fatalError("probe: no pool") }
        try await announce(pool)
        print("ready")
    }

    /// Exits with workers in an endless loop.
    private static func exitBusy() async throws {
        let pool = try Pool(.processes, workers: 3)
        try await announce(pool)
        let endless = startEndless(pool)
        print("ready")
        withExtendedLifetime(endless) { exit(7) }
    }

    /// Is sent SIGINT with its whole process group, and tells whether its workers noticed.
    private static func interrupted() async throws {
        signal(SIGINT) { _ in }
        let pool = try Pool(.processes, workers: 2)
        try await announce(pool)
        let future = pool.submit {
            while getppid() != 1, !FileFlag.isRaised { usleep(500) }
            return Int32(getpid())
        }
        print("ready")
        print("survivor \(try await future.value)")
        await pool.shutDown()
    }

    /// Starts workers after its executable was deleted.
    private static func deleted() async throws {
        unlink(CommandLine.arguments[0])
        let pool = try Pool(.processes, workers: 2)
        try await announce(pool)
        print("executable exists: \(access(CommandLine.arguments[0], F_OK) == 0)")
        print("squares \(try await pool.map(1...4) { $0 * $0 })")
        await pool.shutDown()
    }

    /// Has work write to a stream that nobody flushes, and waits to be killed.
    private static func buffered() async throws {
        let pool = try Pool(.processes, workers: 1)
        try await announce(pool)
        let path = CommandLine.arguments[2]
        try await pool.run(path) { path in
            Stream.kept = fopen(path, "a")
            if let stream = Stream.kept { fputs("written\n", stream) }
        }
        await ready()
        withExtendedLifetime(pool) {}
    }

    /// Has workers say much and crash, and prints how much memory that has taken after 50 of them and at the end.
    private static func unheard() async throws {
        let pool = try Pool(.processes, workers: 2)
        for count in 1...200 {
            _ = await pool.submit {
                let text = [UInt8](repeating: UInt8(ascii: "x"), count: 75 << 10)
                write(STDERR_FILENO, text, text.count)
                abort()
            }.result
            if count == 50 || count == 200 { print("resident \(residentPages * Int(getpagesize()) >> 10)") }
        }
        await pool.shutDown()
    }

    // MARK: Steps

    private static var residentPages: Int {
        guard let file = fopen("/proc/self/statm", "re") else { return 0 }
        defer { fclose(file) }
        var buffer = [UInt8](repeating: 0, count: 256)
        let text = String(decoding: buffer[..<fread(&buffer, 1, buffer.count, file)], as: UTF8.self)
        return Int(text.split(separator: " ")[1]) ?? 0
    }

    /// Prints the process ids of all the pool's workers.
    static func announce(_ pool: Pool) async throws {
        let count = pool.workerCount
        var seen: Set<Int32> = []
        while seen.count < count {
            // At the same time, so that one worker cannot do it all.
            let futures = (0..<count).map { _ in
                pool.submit { () -> Int32 in
                    usleep(20_000)
                    return getpid()
                }
            }
            for future in futures { seen.insert(try await future.value) }
        }
        for process in seen { print("worker \(process)") }
        fflush(stdout)
    }

    private static func startEndless(_ pool: Pool) -> [Future<Void>] {
        (0..<pool.workerCount).map { _ in pool.submit { while true {} } }
    }

    /// Says that all is set up, and waits to be killed.
    private static func ready() async {
        print("ready")
        while true { try? await Task.sleep(for: .seconds(1_000)) }
    }
}

/// A file whose existence tells the program to go on; its path is the second argument.
enum FileFlag {
    static var isRaised: Bool {
        access(CommandLine.arguments.last ?? "", F_OK) == 0
    }
}

/// A stream that work opens and leaves open.
enum Stream {
    /// Safe: used by one item, in a worker.
    nonisolated(unsafe) static var kept: UnsafeMutablePointer<FILE>?
}

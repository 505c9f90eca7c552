import Dispatch
import Glibc
import Multiprocessing
import MultiprocessingSystem
import Synchronization
import TestSupport
import Testing

extension Lifetime {
    // Limits are those of a process, so each test has one of its own.
    @Suite("Workers that cannot be started", .ownProcess)
    struct StartFailureTests {
        @Test("Without descriptors left, items fail and say so; nothing leaks; later it works")
        func noDescriptors() async {
            await #expect(processExitsWith: .success) {
                let pool = try Pool(.processes, workers: 2)
                let other = try Pool(.processes, workers: 1)
                let one = try await other.run { 1 }
                #expect(one == 1)
                let before = Usage.current

                try Limit.descriptors.lowered(to: Limit.openDescriptorsEnd) {
                    // In use by the thread that waits: nothing else must open a file meanwhile.
                    for _ in 0..<3 {
                        let future = pool.submit { 1 }
                        do {
                            _ = try future.waitFromThread()
                            Issue.record("a worker was started without a descriptor")
                        } catch let error as PoolError {
                            #expect(error.code == .workerStartFailed)
                            #expect(error.errno == EMFILE)
                            #expect((error.attempts ?? 0) >= 1)
                        }
                    }
                }
                #expect(Usage.current.children == before.children)
                #expect(Usage.current.descriptors <= before.descriptors + 4)

                let numbers = try await pool.map(0..<20) { $0 }
                #expect(numbers == Array(0..<20))
                await pool.shutDown()
                await other.shutDown()
                await before.expectAgain()
            }
        }

        @Test("start() says why a worker could not be started")
        func failing() async {
            await #expect(processExitsWith: .success) {
                let pool = try Pool(.processes, workers: 2)
                let failure = FailureBox()
                try Limit.descriptors.lowered(to: Limit.openDescriptorsEnd) {
                    let isOver = DispatchSemaphore(value: 0)
                    Task {
                        do {
                            try await pool.start()
                        } catch let error as PoolError {
                            failure.error.withLock { $0 = error }
                        }
                        isOver.signal()
                    }
                    // In use by the thread that waits: nothing else must open a file meanwhile.
                    #expect(isOver.wait(timeout: .now() + 50) == .success)
                }
                #expect(failure.error.withLock { $0 }?.code == .workerStartFailed)
                try await pool.start()
                let one = try await pool.run { 1 }
                #expect(one == 1)
                await pool.shutDown()
            }
        }

        @Test("With one worker alive, work waits for it when no other can be started")
        func oneWorkerAlive() async {
            await #expect(processExitsWith: .success) {
                let pool = try Pool(.processes, workers: 4)
                let one = try await pool.run { 1 }
                #expect(one == 1)
                let futures = try Limit.descriptors.lowered(to: Limit.openDescriptorsEnd) {
                    let futures = (0..<20).map { index in
                        pool.submit(index) { index -> Int in
                            usleep(1_000)
                            return index
                        }
                    }
                    for future in futures { _ = try future.waitFromThread() }
                    return futures
                }
                let numbers = try await values(of: futures)
                #expect(numbers == Array(0..<20))
                await pool.shutDown()
            }
        }

        @Test("A start that failed is tried again, though the worker that lives is busy for long")
        func triedAgain() async {
            await #expect(processExitsWith: .success) {
                let notebook = try Notebook()
                defer { notebook.remove() }
                let pool = try Pool(.processes, workers: 2)
                let long = pool.submit(notebook) { notebook in
                    notebook.write("begun")
                    try notebook.wait(for: "go on")
                }
                await expectSoon { notebook.lines == ["begun"] }
                let short = try Limit.descriptors.lowered(to: Limit.openDescriptorsEnd) {
                    let short = pool.submit { 1 }
                    // For as long as all attempts to start a worker take.
                    _ = try? short.wait(timeout: .milliseconds(300))
                    return short
                }
                #expect(!short.isFinished)
                let one = try await withLimit(.seconds(15)) { try await short.value }
                #expect(one == 1)
                #expect(!long.isFinished)
                notebook.write("go on")
                try await long.value
                await pool.shutDown()
            }
        }

        @Test("Without processes left, items fail and say so; later it works")
        func noProcesses() async {
            await #expect(processExitsWith: .success) {
                // The limit does not hold for the superuser.
                guard getuid() != 0 || Limit.becomeNobody() else { return }
                let pool = try Pool(.processes, workers: 2)
                let error: PoolError? = try Limit.processes.lowered(to: 1) {
                    do {
                        _ = try pool.submit { 1 }.waitFromThread()
                        return nil
                    } catch {
                        return error as? PoolError
                    }
                }
                #expect(error?.code == .workerStartFailed)
                #expect(error?.errno == EAGAIN)
                #expect(error?.attempts == 3)
                let numbers = try await pool.map(0..<20) { $0 }
                #expect(numbers == Array(0..<20))
                await pool.shutDown()
            }
        }

        @Test("billiard max_restarts: a worker that dies at its start, each time, is reported and not tried for ever")
        func diesAtStart() async {
            await #expect(processExitsWith: .success) {
                // Too little memory for the program to be loaded: the loader ends the process.
                let pool = try Pool(.processes, workers: 1)
                let error: PoolError? = try Limit.stack.lowered(to: 4_096) {
                    do {
                        _ = try pool.submit { 1 }.waitFromThread()
                        return nil
                    } catch {
                        return error as? PoolError
                    }
                }
                #expect(error?.code == .workerStartFailed)
                #expect((error?.attempts ?? 0) > 1)
                let numbers = try await pool.map(0..<20) { $0 }
                #expect(numbers == Array(0..<20))
                await pool.shutDown()
            }
        }
    }
}

extension Future {
    /// Blocks the calling thread, of a process that has nothing else to do.
    fileprivate func waitFromThread() throws -> Output {
        try wait(timeout: .seconds(10))
    }
}

/// Where a task leaves its error.
private final class FailureBox: Sendable {
    let error = Mutex<PoolError?>(nil)
}

/// A resource limit of this process.
private enum Limit: Int32 {
    // The numbers of the Linux kernel; Glibc's names are macros.
    case stack = 3
    case processes = 6
    case descriptors = 7

    /// Lowers the limit while `body` runs.
    func lowered<R>(to value: Int, _ body: () throws -> R) throws -> R {
        let resource = __rlimit_resource_t(rawValue)
        var before = rlimit()
        getrlimit(resource, &before)
        var low = before
        low.rlim_cur = rlim_t(value)
        guard setrlimit(resource, &low) == 0 else { throw NotebookError.notMade(errno) }
        defer { setrlimit(resource, &before) }
        return try body()
    }

    /// The number that the next descriptor would have if there were no gaps.
    ///
    /// Dispatch opens what it polls with at its first timer, and ends the program if it cannot: so there is one before.
    static var openDescriptorsEnd: Int {
        let hasTimer = DispatchSemaphore(value: 0)
        DispatchQueue.global().asyncAfter(deadline: .now() + .milliseconds(1)) { hasTimer.signal() }
        hasTimer.wait()
        let lowest = dup(STDIN_FILENO)
        close(lowest)
        return Int(lowest)
    }

    static func becomeNobody() -> Bool {
        setgid(65_534) == 0 && setuid(65_534) == 0 && access("/proc/self/exe", X_OK) == 0
    }
}

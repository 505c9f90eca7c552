/// One closure or job that runs in a process, or on a thread, of its own.
///
/// It starts at once. It is there for one thing only, where a ``Pool`` is for many: a service beside the program, one
/// end of a ``Connection``, a consumer of a queue.
///
/// ```swift
/// let child = try ChildProcess(.processes, 90) { number in fibonacci(number) }
/// print("process \(child.processID ?? 0)")
/// let result = try await child.value
/// ```
///
/// The process is this executable, started again: what a closure may capture, the environment and what becomes of
/// output are as for workers of a pool (<doc:ClosuresAcrossProcesses>, ``ProcessBackend``). A crash in it, an `exit` or
/// a kill costs this child alone, and ``exit`` tells which it was.
///
/// A child does not outlive its program, however that ends, SIGKILL included: the child is killed then, with all
/// processes of its group. The same happens to what a child has started when the child ends. Letting go of this object
/// changes nothing: the child goes on. Wait for a child whose work has to be completed before the program ends.
///
/// On ``Backend/threads`` the same program runs on a thread of its own, which nothing can kill: see ``terminate()``
/// and ``kill()``.
public final class ChildProcess<Output: Sendable>: Sendable {
    /// What it is called, if it was given a name.
    public let name: String?

    private let run: ChildRun
    private let future: Future<Output>

    init<Input: Sendable>(
        _ backend: any Backend,
        _ name: String?,
        _ input: Input,
        work: (PoolCore) throws -> ItemFunction<Input, Output>
    ) throws {
        self.name = name
        run = try ChildRun(backend, name: name)
        do {
            let item = try SingleChunk(
                core: run.core, input: input, work: try work(run.core), options: CallOptions(label: name))
            future = Future(item)
            run.start(item)
        } catch {
            run.discard()
            throw error
        }
    }

    // MARK: The end

    /// What the closure or the job returned.
    ///
    /// Suspends until it has ended; any number of tasks may wait. When the last task that waits for it is cancelled, so
    /// is the child, as by ``cancel()``. A task that only wants to know when the child has ended uses `wait()`.
    ///
    /// - Throws: What it threw, as for `run(options:_:)`; ``PoolError/Code/workerCrashed`` with the process's
    ///   signal or exit code when the process ended first; `CancellationError`.
    nonisolated(nonsending) public var value: Output {
        get async throws {
            do {
                return try await future.value
            } catch {
                throw run.told(error)
            }
        }
    }

    /// Blocks the calling thread until the closure or the job has ended, and returns what it returned.
    ///
    /// - Parameter timeout: How long to wait; `nil` waits for ever, zero or less does not wait.
    /// - Throws: As ``value``, and ``PoolError/Code/timedOut`` when the wait took too long, which leaves the child running.
    @available(*, noasync, message: "it blocks the thread; use `try await child.value`")
    public func waitForValue(timeout: Duration? = nil) throws -> Output {
        do {
            return try future.wait(timeout: timeout)
        } catch {
            throw run.told(error)
        }
    }

    /// How the child has ended; `nil` while it runs.
    ///
    /// It is known once the process is gone, its exit handlers included, or the thread has nothing more to do; that is
    /// a moment after ``value``.
    public var exit: ChildExit? {
        try? run.end.state.outcome?.get()
    }

    /// Whether the child is still there: `true` from the start until ``exit`` says how it ended.
    public var isRunning: Bool { !run.end.isFinished }

    /// The process id, which stays known when the process has ended.
    ///
    /// `nil` on threads, and for a process that the kernel has refused to start so far.
    public var processID: Int32? { run.processID }

    /// Suspends until the child has ended.
    ///
    /// - Returns: How it ended.
    /// - Throws: `CancellationError` when the waiting task is cancelled, which leaves the child running.
    @discardableResult
    nonisolated(nonsending) public func wait() async throws -> ChildExit {
        try await run.end.value
    }

    /// Suspends until the child has ended, but not for longer than `timeout`.
    ///
    /// - Parameter timeout: How long to wait; zero or less does not wait.
    /// - Returns: How it ended; `nil` while it runs.
    /// - Throws: `CancellationError` when the waiting task is cancelled, which leaves the child running.
    @discardableResult
    nonisolated(nonsending) public func wait(timeout: Duration) async throws -> ChildExit? {
        do {
            return try await run.end.value(timeout: timeout)
        } catch let error as PoolError where error.code == .timedOut {
            return nil
        }
    }

    /// Blocks the calling thread until the child has ended.
    ///
    /// - Returns: How it ended.
    @discardableResult
    public func wait() -> ChildExit {
        (try? run.end.wait()) ?? .abandoned
    }

    /// Blocks the calling thread until the child has ended, but not for longer than `timeout`.
    ///
    /// - Parameter timeout: How long to wait; zero or less does not wait.
    /// - Returns: How it ended; `nil` while it runs.
    @discardableResult
    public func wait(timeout: Duration) -> ChildExit? {
        try? run.end.wait(timeout: timeout)
    }

    // MARK: Being ended

    /// Cancels what the child runs, which sees ordinary task cancellation.
    ///
    /// ``value`` fails with `CancellationError` at once. A process that has not come to an end after a second is killed
    /// with its group. A thread is waited for, however long it takes. Does nothing when the child has ended.
    public func cancel() {
        future.cancel()
    }

    /// Sends SIGTERM to the process, and nothing to those that it has started; returns at once.
    ///
    /// Unless the child handles the signal the process ends, ``exit`` is `.signaled(15)`, and what it has started is
    /// killed behind it. On threads there is no such signal: what runs sees task cancellation instead, and ``value`` and
    /// ``exit`` are what comes of that. Does nothing when the child has ended.
    public func terminate() {
        run.terminate(future.state)
    }

    /// Kills the process with all processes of its group; returns at once.
    ///
    /// ``exit`` becomes `.signaled(9)`. A thread cannot be killed: what it runs is told by task cancellation and given
    /// up, ``exit`` is `.abandoned` at once, and the thread ends when what it runs does. Does nothing when the child
    /// has ended.
    public func kill() {
        run.kill()
    }
}

extension ChildProcess: CustomStringConvertible {
    /// The name, the process and how it ended, if it has.
    public var description: String {
        let subject = (name.map { [$0] } ?? []) + (processID.map { ["process \($0)"] } ?? [])
        return "ChildProcess(\((subject + [exit.map { "\($0)" } ?? "running"]).joined(separator: ", ")))"
    }
}

extension ChildProcess: CaptureAdvising {
    static var captureAdvice: String {
        "give both a Connection or a SharedQueue by which they reach each other"
    }
}

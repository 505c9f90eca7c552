import MultiprocessingSystem

/// Workers that are processes: this executable, started again to serve work.
///
/// Nothing is needed from the program: no line in `main`, no second executable. A crash in
/// the work ends one worker and fails one item; the pool replaces the worker and goes on.
/// Work, inputs and outputs are encoded, so they have to be portable.
///
/// A worker reads `/dev/null`, shares the program's standard output, and its standard error
/// is passed on to the program's. It leads its own session and process group, which is killed with
/// it, and it ends when the program does, however that ends. It has no terminal: what asks for one, by
/// opening `/dev/tty`, gets an error. Its environment is the program's at the time the pool is made.
public struct ProcessBackend: Backend {
    /// Makes the backend.
    public init() {}

    /// True: a worker process shares no memory with the pool.
    public var needsPortableWork: Bool { true }

    /// Makes what starts and watches a pool's worker processes.
    ///
    /// - Throws: ``PoolError/Code/workerStartFailed`` when this program cannot be started again, because it
    ///   was started as an argument of the dynamic loader.
    public func makeWorkers(count: Int, reportingTo events: WorkerEvents) throws -> any WorkerGroup {
        if Command.isRunByLoader { throw PoolError.runByLoader }
        return ProcessWorkers(events: events)
    }
}

extension Backend where Self == ProcessBackend {
    /// Workers that are processes of their own.
    public static var processes: ProcessBackend { ProcessBackend() }
}

/// Workers that are processes: this executable, started again to serve work.
///
/// Nothing is needed from the program: no line in `main`, no second executable. A crash in
/// the work ends one worker and fails one item; the pool replaces the worker and goes on.
/// Work, inputs and outputs are encoded, so they have to be portable.
///
/// A worker reads `/dev/null`, shares the program's standard output, and its standard error
/// is passed on to the program's. It leads its own process group, which is killed with it,
/// and it ends when the program does, however that ends.
public struct ProcessBackend: Backend {
    /// Makes the backend.
    public init() {}

    /// True: a worker process shares no memory with the pool.
    public var needsPortableWork: Bool { true }

    /// Makes what starts and watches a pool's worker processes.
    public func makeWorkers(count: Int, reportingTo events: WorkerEvents) -> any WorkerGroup {
        ProcessWorkers(count: count, events: events)
    }
}

extension Backend where Self == ProcessBackend {
    /// Workers that are processes of their own.
    public static var processes: ProcessBackend { ProcessBackend() }
}

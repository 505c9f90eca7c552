/// Workers that are threads of this process, each on a Dispatch queue of its own.
///
/// Work may block without starving Swift's cooperative threads, and the number of threads
/// never grows beyond the number of workers. A crash in the work ends the program; for
/// containment take ``Backend/processes``.
///
/// Dispatch runs at most 255 blocks of such queues at a time in a program (`DISPATCH_WORKQ_MAX_PTHREAD_COUNT`
/// in its sources): with more workers than that, some wait for others even if all of them block.
public struct ThreadBackend: Backend, WorkerBackend {
    /// Makes the backend.
    public init() {}

    /// False: threads share the pool's memory, so closures may capture anything.
    public var needsPortableWork: Bool { false }

    /// Makes the queues of a pool's workers.
    package func makeWorkers(count: Int, reportingTo events: WorkerEvents) -> any WorkerGroup {
        ThreadWorkers(events: events)
    }
}

extension Backend where Self == ThreadBackend {
    /// Workers that are threads of this process.
    public static var threads: ThreadBackend { ThreadBackend() }
}

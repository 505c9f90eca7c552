import MultiprocessingSystem

/// The worker that runs the current work item.
public struct Worker: Hashable, Sendable {
    /// The worker's number in its pool, from 0; its replacement has the same.
    public let index: Int

    /// The process that the worker runs in.
    public let processID: Int32

    /// How often the current work item has been run with this time; more than 1 only by ``WorkOptions/retry``.
    ///
    /// Two values that differ in nothing else are the same worker.
    public let attempt: Int

    init(index: Int, attempt: Int = 1) {
        self.index = index
        self.attempt = attempt
        processID = ProcessID.current.rawValue
    }

    /// The worker that runs the calling code; `nil` outside of workers.
    public static var current: Worker? {
        ThreadPlace.current?.worker ?? WorkerProcess.identity
    }

    /// Whether two values name the same worker, whatever it runs.
    public static func == (left: Worker, right: Worker) -> Bool {
        left.index == right.index && left.processID == right.processID
    }

    /// Hashes what makes a worker the same.
    public func hash(into hasher: inout Hasher) {
        hasher.combine(index)
        hasher.combine(processID)
    }
}

import MultiprocessingSystem

/// The worker that runs the current work item.
public struct Worker: Hashable, Sendable {
    /// The worker's number in its pool, from 0; its replacement has the same.
    public let index: Int

    /// The process that the worker runs in.
    public let processID: Int32

    init(index: Int) {
        self.index = index
        processID = ProcessID.current.rawValue
    }

    /// The worker that runs the calling code; `nil` outside of workers.
    public static var current: Worker? {
        threadWorker ?? WorkerProcess.identity
    }

    @TaskLocal static var threadWorker: Worker?
}

import MultiprocessingSystem

/// The worker that runs the current work item.
///
/// ```swift
/// try await pool.forEach(pages) { page in
///     print(Worker.current?.index ?? 0, page)
/// }
/// ```
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

    /// Says how far the work item has come that runs in the calling code's worker; ``Future/progress`` gives it.
    ///
    /// Does not block; from any code of a worker process, and on a worker thread from the item's task and its children.
    /// It reaches the pool ahead of the item's end. From a worker process that reports faster than the pool reads,
    /// some are left out, but not the last.
    ///
    /// Items of calls with many items have no future to say it to: with them nobody reads it, and
    /// ``WorkOptions/progress`` tells how many have ended.
    ///
    /// - Parameters:
    ///   - fraction: The part that is done: below 0 counts as 0, above 1 as 1, and what is no number leaves the
    ///     fraction as it was.
    ///   - text: What is being done, for a person; from a worker process the first 1,000 bytes.
    /// - Returns: `false` when no item runs in the calling code's worker, and nothing was said.
    @discardableResult
    public func report(_ fraction: Double, _ text: String = "") -> Bool {
        guard let place = ThreadPlace.current else { return WorkerProcess.report(fraction: fraction, text: text) }
        return place.reporter.report(fraction, text)
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

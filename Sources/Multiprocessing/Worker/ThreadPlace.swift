/// What code finds around it that runs on a worker thread.
struct ThreadPlace: Sendable {
    let worker: Worker
    let locals: WorkerLocals
    /// The thread that runs the item.
    let reporter: any ProgressReporting

    /// That of the worker whose task runs the calling code; `nil` outside of worker threads.
    @TaskLocal static var current: ThreadPlace?
}

/// A worker thread, as one that tells the pool how far the item has come that it runs.
protocol ProgressReporting: AnyObject, Sendable {
    /// - Returns: Whether it runs one.
    func report(_ fraction: Double, _ text: String) -> Bool
}

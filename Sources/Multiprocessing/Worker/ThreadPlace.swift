/// What code finds around it that runs on a worker thread.
struct ThreadPlace: Sendable {
    let worker: Worker
    let locals: WorkerLocals

    /// That of the worker whose task runs the calling code; `nil` outside of worker threads.
    @TaskLocal static var current: ThreadPlace?
}

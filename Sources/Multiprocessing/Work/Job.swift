/// A unit of work that carries its own state and runs on a worker, wherever that is.
///
/// A job is encoded, sent to the worker and run there; its result is sent back. Unlike a
/// closure it leans on nothing but `Codable`, so it works in every build.
///
/// ```swift
/// struct Thumbnail: Job {
///     let path: String
///     let width: Int
///     func run() throws -> [UInt8] { try render(path, width) }
/// }
///
/// let pixels = try await pool.run(Thumbnail(path: "a.png", width: 64))
/// ```
///
/// Work that has no result is a ``VoidJob``.
public protocol Job<Output>: Codable, Sendable {
    /// What the job results in.
    associatedtype Output: Codable & Sendable

    /// Does the work.
    ///
    /// Runs on the worker. `Task.isCancelled` tells whether the item was cancelled meanwhile.
    func run() async throws -> Output
}

/// A job without a result, run for what it does.
///
/// `Void` is not `Codable`, so a ``Job`` would have to invent an output.
///
/// ```swift
/// struct Remove: VoidJob {
///     let path: String
///     func run() { unlink(path) }
/// }
/// ```
public protocol VoidJob: Codable, Sendable {
    /// Does the work.
    ///
    /// Runs on the worker. `Task.isCancelled` tells whether the item was cancelled meanwhile.
    func run() async throws
}

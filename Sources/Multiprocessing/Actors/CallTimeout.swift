/// How long the calls of a task to actors of other processes may take.
enum CallTimeout {
    @TaskLocal static var current: Duration?
}

/// Limits how long each call to a distributed actor of another process may take that `body` makes.
///
/// A call without an answer in time fails with ``ActorCallError/Code/timedOut``, which leaves in doubt what the actor
/// has done, and the method's task is cancelled. A call to an actor of this process is an ordinary one, and takes
/// its time.
///
/// ```swift
/// let count = try await withCallTimeout(.seconds(2)) {
///     try await counter.add(1)
/// }
/// ```
///
/// - Parameters:
///   - limit: For each call by itself; zero or less fails each that is not answered at once.
///   - body: Runs where the caller runs; tasks that it makes inherit the limit.
/// - Returns: What `body` returns.
/// - Throws: What `body` throws.
nonisolated(nonsending) public func withCallTimeout<Value>(
    _ limit: Duration,
    _ body: nonisolated(nonsending) () async throws -> Value
) async rethrows -> Value {
    try await CallTimeout.$current.withValue(limit) { try await body() }
}

/// Runs `body` where the caller is, and calls `handler` when the task is cancelled meanwhile, or was before.
///
/// The operation of `withTaskCancellationHandler` runs where its closure belongs. One that stands in a
/// `nonisolated(nonsending)` function belongs nowhere and leaves the caller's actor, where the caller's own
/// sequences may be used and nowhere else. Here it captures the isolated parameter, and so stays.
///
/// - Parameters:
///   - isolation: The caller's actor: `#isolation`.
///   - body: What to do; the caller's own code may run in it.
///   - handler: Called at once, from any thread.
func withCancellation<Value>(
    isolation: isolated (any Actor)?,
    _ body: nonisolated(nonsending) () async throws -> Value,
    onCancel handler: @Sendable () -> Void
) async rethrows -> Value {
    try await withTaskCancellationHandler(
        operation: {
            _ = isolation
            return try await body()
        },
        onCancel: handler,
        isolation: isolation)
}

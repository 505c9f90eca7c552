import Dispatch
import Glibc
import MultiprocessingSystem

/// Runs `body`, which blocks, on a thread that is not one of Swift's cooperative ones.
package func onBlockableThread<Output: Sendable>(
    _ body: @escaping @Sendable () throws -> Output
) async throws -> Output {
    try await withCheckedThrowingContinuation { continuation in
        DispatchQueue(label: "test.blocking").async {
            continuation.resume(with: Result { try body() })
        }
    }
}

/// Blocks until the current task is cancelled, for a work item to be told in.
///
/// - Returns: Whether it was; false when nothing came for a long time.
package func blockUntilCancelled() -> Bool {
    let limit = MonotonicTime.now().nanoseconds + 200_000_000_000
    while !Task.isCancelled {
        if MonotonicTime.now().nanoseconds > limit { return false }
        usleep(200)
    }
    return true
}

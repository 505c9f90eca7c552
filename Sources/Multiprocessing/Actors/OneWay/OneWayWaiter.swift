import Synchronization

/// Who waits for something about one-way calls; ended once, by whoever comes first.
final class OneWayWaiter: Sendable {
    private enum State {
        case new
        case waiting(CheckedContinuation<Void, any Error>)
        case over((any Error)?)
    }

    private let state = Mutex(State.new)

    /// Suspends until somebody ends it.
    ///
    /// - Parameter begin: Called once it can be ended.
    /// - Throws: What it was ended with; `CancellationError` if the task is cancelled.
    func wait(_ begin: () -> Void) async throws {
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let error: (any Error)?? = state.withLock { state in
                    if case .over(let error) = state { return .some(error) }
                    state = .waiting(continuation)
                    return nil
                }
                switch error {
                case nil: begin()
                case .some(nil): continuation.resume()
                case .some(let error?): continuation.resume(throwing: error)
                }
            }
        } onCancel: {
            self.end(CancellationError())
        }
    }

    /// Lets the one who waits go on; nothing if somebody else has.
    func end(_ error: (any Error)? = nil) {
        take(error)?()
    }

    /// Takes what lets the one who waits go on, to be called outside of locks; `nil` if somebody else has.
    func take(_ error: (any Error)? = nil) -> (() -> Void)? {
        let continuation: CheckedContinuation<Void, any Error>? = state.withLock { state in
            defer { if case .over = state {} else { state = .over(error) } }
            if case .waiting(let continuation) = state { return continuation }
            return nil
        }
        guard let continuation else { return nil }
        return { if let error { continuation.resume(throwing: error) } else { continuation.resume() } }
    }
}

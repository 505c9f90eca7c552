import Dispatch
import Synchronization
package import Testing

/// The body of ``withLimit(_:sourceLocation:_:)`` did not end in time.
package struct LimitExceeded: Error, CustomStringConvertible {
    package let limit: Duration

    package init(limit: Duration) {
        self.limit = limit
    }

    package var description: String { "nothing came within \(limit)" }
}

/// Runs `body`, and gives it up with a recorded issue when it takes longer than `limit`.
///
/// What hangs is often deaf to cancellation, so the body is a task of its own that nobody waits
/// for once the limit is passed. The limit is kept by a Dispatch timer: it also holds when every
/// cooperative thread is blocked.
///
/// - Throws: What the body threw, or ``LimitExceeded``.
package func withLimit<Output: Sendable>(
    _ limit: Duration = .seconds(600),
    sourceLocation: SourceLocation = #_sourceLocation,
    _ body: @escaping @Sendable () async throws -> Output
) async throws -> Output {
    let race = Race<Output>()
    let task = Task {
        do {
            race.finish(.success(try await body()))
        } catch {
            race.finish(.failure(error))
        }
    }
    let timer = DispatchWorkItem { race.finish(.failure(LimitExceeded(limit: limit))) }
    DispatchQueue.global().asyncAfter(deadline: .now() + limit.dispatchInterval, execute: timer)
    defer { timer.cancel() }

    let result = await withTaskCancellationHandler {
        await race.result()
    } onCancel: {
        task.cancel()
    }
    if case .failure(let error as LimitExceeded) = result {
        task.cancel()
        Issue.record("\(error)", sourceLocation: sourceLocation)
    }
    return try result.get()
}

/// Waits until `condition` holds, and records an issue when that takes longer than `limit`.
///
/// For what can only be polled, such as the process table; what can be awaited is awaited.
package func expectSoon(
    _ comment: Comment? = nil,
    within limit: Duration = .seconds(120),
    sourceLocation: SourceLocation = #_sourceLocation,
    _ condition: () throws -> Bool
) async rethrows {
    let clock = ContinuousClock()
    let deadline = clock.now + limit
    while try !condition() {
        if clock.now >= deadline {
            Issue.record(comment ?? "the condition did not come true within \(limit)", sourceLocation: sourceLocation)
            return
        }
        try? await Task.sleep(for: .milliseconds(2))
    }
}

/// The first of two outcomes: that of a body, or that its time is up.
private final class Race<Output: Sendable>: Sendable {
    private enum State {
        case running
        case awaited(CheckedContinuation<Result<Output, any Error>, Never>)
        case finished(Result<Output, any Error>)
    }

    private let state = Mutex(State.running)

    func result() async -> Result<Output, any Error> {
        await withCheckedContinuation { continuation in
            let result: Result<Output, any Error>? = state.withLock { state in
                if case .finished(let result) = state { return result }
                state = .awaited(continuation)
                return nil
            }
            if let result { continuation.resume(returning: result) }
        }
    }

    /// Takes an outcome, unless there is one.
    func finish(_ result: Result<Output, any Error>) {
        let continuation: CheckedContinuation<Result<Output, any Error>, Never>? = state.withLock { state in
            guard case .finished = state else {
                defer { state = .finished(result) }
                if case .awaited(let continuation) = state { return continuation }
                return nil
            }
            return nil
        }
        continuation?.resume(returning: result)
    }
}

extension Duration {
    fileprivate var dispatchInterval: DispatchTimeInterval {
        .nanoseconds(Int(components.seconds) * 1_000_000_000 + Int(components.attoseconds / 1_000_000_000))
    }
}

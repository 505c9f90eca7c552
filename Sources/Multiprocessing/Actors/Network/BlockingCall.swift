import Dispatch

/// A call that blocks its thread, such as one that looks up a name: on a thread of Dispatch's, not of Swift's.
enum BlockingCall {
    /// Suspends until `body` has returned; one that has begun is not interrupted.
    static func run<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) async throws -> Value {
        try await withCheckedThrowingContinuation { continuation in
            DispatchQueue.global().async { continuation.resume(with: Result { try body() }) }
        }
    }
}

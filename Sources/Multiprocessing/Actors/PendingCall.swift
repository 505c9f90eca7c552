import MultiprocessingCoding
import Synchronization

/// A call that waits for its answer, whatever it returns.
///
/// Whoever takes it from the list of calls ends it, once.
protocol PendingCalling: AnyObject, Sendable {
    /// What the arguments refer to, which is kept until the call has ended: the host reads them when it begins it.
    var attachments: [Attachment] { get }

    /// Ends the call with what it returned, which follows in the bytes.
    func complete(_ incoming: inout Incoming)
    func fail(_ error: any Error)
}

/// `Sendable` is unchecked because of the closure, which is called once, by the one who ends the call.
final class PendingCall<Value>: PendingCalling, @unchecked Sendable {
    private let continuation: CheckedContinuation<Returned<Value>, any Error>
    let attachments: [Attachment]
    private let decode: (inout Incoming) throws -> Value

    init(
        _ continuation: CheckedContinuation<Returned<Value>, any Error>,
        _ attachments: [Attachment],
        _ decode: @escaping (inout Incoming) throws -> Value
    ) {
        self.continuation = continuation
        self.attachments = attachments
        self.decode = decode
    }

    func complete(_ incoming: inout Incoming) {
        continuation.resume(with: Result { Returned(value: try decode(&incoming)) })
    }

    func fail(_ error: any Error) {
        continuation.resume(throwing: error)
    }
}

/// A value that was made for its one receiver.
///
/// `Sendable` is unchecked because nobody else has it.
struct Returned<Value>: @unchecked Sendable {
    let value: Value
}

/// What came for a call while it was about to be sent.
final class CallSignals: Sendable {
    private let cancelled = Atomic(false)
    private let limit = Mutex<Duration?>(nil)

    var isCancelled: Bool { cancelled.load(ordering: .acquiring) }

    /// The time that the call had, if it is up.
    var expiredLimit: Duration? { limit.withLock { $0 } }

    func cancel() {
        cancelled.store(true, ordering: .releasing)
    }

    func expire(_ limit: Duration) {
        self.limit.withLock { $0 = limit }
    }
}

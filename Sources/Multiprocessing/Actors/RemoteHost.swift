import MultiprocessingCoding
import MultiprocessingSystem
import Synchronization

/// Another process that hosts actors, as this process calls them: one connection, made when it is needed.
///
/// References to actors keep it, and it keeps what they need: see ``keep(_:)``.
final class RemoteHost: Sendable {
    private struct State {
        var connection: HostConnection?
        var keeper: (any AnyObject & Sendable)?
    }

    private let address: ActorAddress
    private let state = Mutex(State())

    init(at address: ActorAddress) {
        self.address = address
    }

    deinit {
        state.withLock { $0.connection }?.close()
    }

    /// Keeps an object for as long as there are references to actors of the host.
    func keep(_ keeper: any AnyObject & Sendable) {
        state.withLock { $0.keeper = keeper }
    }

    /// Calls a method, and suspends until its answer is there.
    ///
    /// - Throws: What the method throws, and ``ActorCallError``.
    func call<Value>(
        _ call: ActorFrame.Call,
        _ arguments: ByteBuffer?,
        timeout: Duration?,
        _ decode: @escaping (inout Incoming) throws -> Value
    ) async throws -> Value {
        let connection = try connection()
        let number = connection.makeNumber()
        var call = call
        call.number = number
        let frame = ActorFrame.make(call, arguments: arguments)
        let signals = CallSignals()
        let alarm = timeout.flatMap { limit in
            AlarmClock.shared.call(at: .now().advanced(by: limit)) {
                signals.expire(limit)
                connection.giveUp(number, after: limit)
            }
        }
        defer { if let alarm { AlarmClock.shared.cancel(alarm) } }
        let returned = try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                connection.begin(number, PendingCall(continuation, decode), frame, signals)
            }
        } onCancel: {
            signals.cancel()
            connection.cancel(number)
        }
        return returned.value
    }

    /// The connection, a new one if there is none that holds.
    ///
    /// - Throws: ``ActorCallError``, for calls that are not begun.
    private func connection() throws -> HostConnection {
        let known = state.withLock { $0.connection }
        if let known, !known.isOver { return known }
        let made = try HostConnection(to: address)
        // Two threads may have made one; what was made first is used by both.
        let (used, unused): (HostConnection, HostConnection?) = state.withLock { state in
            if let other = state.connection, !other.isOver { return (other, made) }
            state.connection = made
            return (made, nil)
        }
        unused?.close()
        return used
    }
}

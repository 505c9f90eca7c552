import MultiprocessingCoding
import MultiprocessingSystem
import Synchronization

/// Another process that hosts actors, as this process calls them.
///
/// References to actors keep it, and it keeps what they need: see ``keep(_:)``.
final class RemoteHost: Sendable {
    private let address: ActorAddress
    private let keeper = Mutex<(any AnyObject & Sendable)?>(nil)

    private struct Known {
        weak var lease: ActorLease?
    }

    private let leases = Mutex<[UInt64: Known]>([:])

    init(at address: ActorAddress) {
        self.address = address
    }

    /// Keeps an object for as long as there are references to actors of the host.
    func keep(_ keeper: any AnyObject & Sendable) {
        self.keeper.withLock { $0 = keeper }
    }

    /// What keeps an actor of the host for this process: one for all references.
    func lease(_ number: UInt64) -> ActorLease {
        if let known = leases.withLock({ $0[number]?.lease }) { return known }
        // Its end may come under any lock but this one, and it speaks to the host: made and let go of outside.
        let made = ActorLease(number, of: self)
        return leases.withLock { leases in
            if let other = leases[number]?.lease { return other }
            if leases.count > 256 { leases = leases.filter { $0.value.lease != nil } }
            leases[number] = Known(lease: made)
            return made
        }
    }

    /// Tells the host of a reference; one that is gone need not know.
    func tell(_ kind: Frame.Kind, _ number: UInt64) {
        let connections = HostConnections.shared
        let connection = kind == .hold ? try? connections.connection(to: address) : connections.known(to: address)
        connection?.tell(kind, number)
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
        let connection = try HostConnections.shared.connection(to: address)
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
}

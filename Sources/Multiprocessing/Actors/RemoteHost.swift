import MultiprocessingCoding
import MultiprocessingSystem
import Synchronization

/// Another process that hosts actors, as this process calls them.
///
/// References to actors keep it, and it keeps what they need: see ``keep(_:)``.
final class RemoteHost: Sendable {
    private let address: ActorAddress
    private let keeper = Mutex<(any AnyObject & Sendable)?>(nil)

    /// The connection that was used last.
    private struct Last {
        var isThere = false
        weak var connection: HostConnection?
    }

    private let last = Mutex(Last())

    private struct Known {
        weak var lease: ActorLease?
    }

    /// The way to the host if it is a server; `nil` if it is a process of this program.
    private let network: Mutex<NetworkWay?>

    private let leases = Mutex<[UInt64: Known]>([:])

    init(at address: ActorAddress, by way: NetworkWay?) {
        self.address = address
        network = Mutex(way)
    }

    /// Has the host be reached by a way, if none is known.
    func use(_ way: NetworkWay) {
        let unused: NetworkWay? = network.withLock { network in
            guard network?.known == nil else { return way }
            defer { network = way }
            return network
        }
        // One that is let go of ends its connection, outside of the lock.
        withExtendedLifetime(unused) {}
    }

    /// How other processes of this program get to the host; `nil` if it is one of them.
    var route: Route? { network.withLock { $0 }?.route }

    /// - Throws: ``ActorCallError``.
    private func connection() throws -> HostConnection {
        let connection: HostConnection
        if let way = network.withLock({ $0 }) {
            connection = try way.open()
        } else {
            connection = try HostConnections.shared.connection(to: address)
        }
        let isAnother = last.withLock { last in
            defer { last = Last(isThere: true, connection: connection) }
            return last.isThere && last.connection !== connection
        }
        // The host knows of a caller's references for as long as the connection on which it was told of them.
        if isAnother { for lease in liveLeases() { connection.tell(.hold, lease) } }
        return connection
    }

    /// The numbers of the actors to which this process has references.
    private func liveLeases() -> [UInt64] {
        let known = leases.withLock { leases in leases.map { ($0.key, $0.value.lease) } }
        return known.filter { $0.1 != nil }.map(\.0)
    }

    private func knownConnection() -> HostConnection? {
        if let way = network.withLock({ $0 }) { return way.known }
        return HostConnections.shared.known(to: address)
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
        let connection = kind == .hold ? try? connection() : knownConnection()
        connection?.tell(kind, number)
    }

    /// Calls a method, and suspends until its answer is there.
    ///
    /// - Throws: What the method throws, and ``ActorCallError``.
    func call<Value>(
        _ target: String,
        of actor: UInt64,
        _ type: Any.Type,
        _ invocation: ActorInvocationEncoder,
        timeout: Duration?,
        _ decode: @escaping (inout Incoming) throws -> Value
    ) async throws -> Value {
        let connection = try connection()
        let number = connection.makeNumber()
        let arguments = try invocation.finish(for: connection.peer)
        let frame: ByteBuffer
        if connection.peer == nil, invocation.generics.isEmpty {
            let method = try connection.method(target, type, invocation)
            frame = ActorFrame.make(method, of: actor, call: number, arguments: arguments?.bytes)
        } else {
            let name = connection.peer == nil ? SealedTypeNames.name : NetworkNames.name
            let call = ActorFrame.Call(
                number: number, actor: actor, type: try name(type), target: target,
                generics: try invocation.generics.map(name))
            try Route.check(arguments?.bytes.count ?? 0, for: connection.peer)
            frame = ActorFrame.make(call, arguments: arguments?.bytes)
        }
        return try await ask(connection, number, frame, arguments?.attachments ?? [], timeout: timeout, decode)
    }

    /// Asks a server for the number of the actor that it offers under a name.
    ///
    /// - Throws: ``ActorCallError``.
    func find(_ name: String, _ type: Any.Type, timeout: Duration?) async throws -> UInt64 {
        let connection = try connection()
        let number = connection.makeNumber()
        let type = try NetworkNames.name(of: type)
        let frame = ActorFrame.make(.find, number) { buffer in
            ActorFrame.append(Array(name.utf8), to: buffer)
            ActorFrame.append(type, to: buffer)
        }
        return try await ask(connection, number, frame, timeout: timeout) { try $0.reader.read() }
    }

    /// Sends a frame that has an answer, and suspends until that is there.
    private func ask<Value>(
        _ connection: HostConnection,
        _ number: UInt64,
        _ frame: ByteBuffer,
        _ attachments: [Attachment] = [],
        timeout: Duration?,
        _ decode: @escaping (inout Incoming) throws -> Value
    ) async throws -> Value {
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
                connection.begin(number, PendingCall(continuation, attachments, decode), frame, signals)
            }
        } onCancel: {
            signals.cancel()
            connection.cancel(number)
        }
        return returned.value
    }
}

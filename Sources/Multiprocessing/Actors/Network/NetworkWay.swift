import MultiprocessingSystem
import Synchronization

/// The connections of this process to a server, one at a time: a new one when the last has ended.
final class NetworkWay: Sendable {
    let route: Route

    private let address: ActorAddress
    private let origin = ForkMark()
    private let connection: Mutex<HostConnection?>

    /// Whether this process has known any server: then calls are encoded when it is known for whom.
    static let isInUse = Atomic(false)

    init(_ route: Route, to address: ActorAddress, _ connection: HostConnection? = nil) {
        self.route = route
        self.address = address
        self.connection = Mutex(connection)
        Self.isInUse.store(true, ordering: .relaxed)
    }

    deinit {
        connection.withLock { $0 }?.close()
    }

    /// The connection that holds, if there is one.
    var known: HostConnection? {
        if origin.isElsewhere { return nil }
        let known = connection.withLock { $0 }
        return known?.isOver == false ? known : nil
    }

    /// The connection, a new one if there is none that holds; never waits.
    ///
    /// - Throws: ``ActorCallError``, for calls that are not begun.
    func open() throws -> HostConnection {
        if origin.isElsewhere { throw ActorCallError.inFork() }
        if let known { return known }
        let made = try Self.connect(by: route, to: address, try route.address.resolve(isNumber: true).first)
        // Two threads may have made one; what was first is used by both.
        let (used, unused): (HostConnection, HostConnection?) = connection.withLock { connection in
            if let other = connection, !other.isOver { return (other, made) }
            connection = made
            return (made, nil)
        }
        unused?.close()
        return used
    }

    /// Begins to connect; never waits.
    ///
    /// - Parameters:
    ///   - expected: Which process the server has to be; `nil` for any.
    ///   - limit: How long the server may take to prove itself.
    ///   - onProved: Called once the server has proved itself, on a thread of the library's.
    static func connect(
        by route: Route,
        to expected: ActorAddress?,
        _ address: SocketAddress?,
        within limit: Duration = Route.limit,
        onProved: @escaping @Sendable (ActorAddress) -> Void = { _ in }
    ) throws -> HostConnection {
        guard let address else { throw ActorCallError.unreachable("\(route.address) has no address") }
        let socket: Socket
        do {
            socket = try Socket.connecting(to: address)
        } catch {
            throw ActorCallError.unreachable("\(error)")
        }
        if !address.isTCP, !socket.isOfThisUser() { throw ActorCallError.otherUser() }
        let server = ServerPeer(expected)
        let proof = ActorLink.Proof(Handshake(as: .client, key: route.key), within: limit)
        return try HostConnection(socket, to: server, proof) { handshake in
            guard let found = handshake.serverAddress else { throw ActorCallError.refused(.stranger) }
            // Another process is there now, and what the last one hosted has gone with it.
            if let expected, found != expected { throw ActorCallError.hostGone(isInDoubt: false) }
            server.found(found)
            onProved(found)
        }
    }
}

/// A server as its client's coders know it: only its own actors travel.
private final class ServerPeer: NetworkPeer {
    private let address: Mutex<ActorAddress?>

    init(_ address: ActorAddress?) {
        self.address = Mutex(address)
    }

    func found(_ address: ActorAddress) {
        self.address.withLock { $0 = address }
    }

    func willSend(_ address: ActorAddress, _ number: UInt64) throws {
        guard self.address.withLock({ $0 }) == address else { throw ActorCallError.notTheServers(number) }
    }

    func didReceive(_ address: ActorAddress, _ number: UInt64) throws {
        guard self.address.withLock({ $0 }) == address else { throw ActorCallError.isElsewhere(number) }
    }
}

extension ActorCallError {
    fileprivate static func notTheServers(_ number: UInt64) -> ActorCallError {
        ActorCallError(
            .refused,
            """
            actor \(number) does not live at the server, which could not call it; pass references to actors of the server, \
            or values
            """)
    }
}

public import Distributed
import MultiprocessingSystem
import Synchronization

/// A ``ManagerServer`` of another program, as `connect(to:key:timeout:)` has found it.
///
/// ```swift
/// let remote = try await Manager.connect(
///     to: .tcp(host: "127.0.0.1", port: 7000),
///     key: ManagerKey(contentsOf: "/etc/registry/key"))
/// let scores = try await remote.object(
///     "scores", as: ManagedDictionary<String, Int>.self)
/// ```
///
/// It has one connection, which ends when neither this nor a reference to one of the server's actors is left. Calls
/// that are under way when the connection is cut fail with ``ActorCallError/Code/hostGone``, in doubt, and the next call
/// connects anew. A server that was started again is another one: what the last one hosted is gone, and calls to it
/// fail as not begun.
///
/// References to the server's actors go to the program's own workers as any others do, and are called from there by a
/// connection of the worker's own. Among the arguments of calls to the server there may be references to its actors, and to no
/// others.
public final class RemoteManager: Sendable {
    /// Where the server is.
    public let address: ManagerAddress

    private let host: RemoteHost
    /// The server's process.
    private let id: ActorAddress

    init(_ host: RemoteHost, _ id: ActorAddress, at address: ManagerAddress) {
        self.host = host
        self.id = id
        self.address = address
    }

    /// Asks for the actor that the server offers under a name.
    ///
    /// ``withCallTimeout(_:_:)`` limits the wait.
    ///
    /// - Parameters:
    ///   - name: Under which it was registered.
    ///   - type: Of which type it is: with the same name in both programs, and the methods that are called.
    /// - Returns: A reference, through which the actor is called where it lives.
    /// - Throws: ``ActorCallError/Code/noSuchActor`` when nothing has the name, ``ActorCallError/Code/refused`` when it is of
    ///   another type, and as calls do.
    public func object<Act: DistributedActor>(
        _ name: String,
        as type: Act.Type = Act.self
    ) async throws -> Act where Act.ActorSystem == WorkerActorSystem {
        let number = try await host.find(name, type, timeout: CallTimeout.current)
        let isHere = id == WorkerActorSystem.shared.address
        let id = WorkerActorID(address: id, number: number, lease: isHere ? nil : host.lease(number))
        return try Act.resolve(id: id, using: .shared)
    }
}

extension Manager {
    /// Connects to the server of another program.
    ///
    /// Suspends until both ends have proved that they have the key. One who is cancelled stops waiting.
    ///
    /// - Parameters:
    ///   - address: Where the server is.
    ///   - key: What the server has too.
    ///   - timeout: How long it may take; 10 seconds if nothing else is said.
    /// - Throws: ``ActorCallError/Code/unavailable`` when nobody answers there in time, ``ActorCallError/Code/refused`` for
    ///   another key and for one who is no such server, ``PoolError/Code/invalidArgument`` for an address that is none, and
    ///   `CancellationError`.
    public static func connect(
        to address: ManagerAddress,
        key: ManagerKey,
        timeout: Duration = .seconds(10)
    ) async throws -> RemoteManager {
        guard timeout > .zero else {
            throw PoolError.invalidArgument(
                "timeout", timeout, "to connect takes a round trip at least; give it seconds")
        }
        try Task.checkCancellation()
        let sockets = try await BlockingCall.run { try address.resolve() }
        var failure: any Error = ActorCallError.unreachable("\(address) has no number")
        let end = ContinuousClock.now + timeout
        for socket in sockets {
            let rest = ContinuousClock.now.duration(to: end)
            if rest <= .zero { break }
            do {
                return try await connect(to: socket, address, key, rest)
            } catch let error as ActorCallError {
                failure = error
                // Another number of the same host is no cure for a wrong key.
                if error.code == .refused { break }
            }
        }
        throw failure
    }

    /// Connects to the server of another program, with a key of bytes.
    ///
    /// - Parameters:
    ///   - address: Where the server is.
    ///   - key: At least 16 bytes, which the server has too.
    ///   - timeout: How long it may take; 10 seconds if nothing else is said.
    /// - Throws: ``PoolError/Code/invalidArgument`` for fewer bytes, and what it throws with a ``ManagerKey``.
    public static func connect(
        to address: ManagerAddress,
        key: some Sequence<UInt8>,
        timeout: Duration = .seconds(10)
    ) async throws -> RemoteManager {
        try await connect(to: address, key: ManagerKey(key), timeout: timeout)
    }

    private static func connect(
        to socket: SocketAddress,
        _ address: ManagerAddress,
        _ key: ManagerKey,
        _ timeout: Duration
    ) async throws -> RemoteManager {
        // As a number, which the program's workers need not look up.
        let route = Route(address: ManagerAddress(socket) ?? address, key: key.bytes)
        let found = FoundServer()
        let connection = try NetworkWay.connect(by: route, to: nil, socket, within: timeout) { found.set($0) }
        do {
            // A call that no host gets: it ends with the proof, or why there was none.
            try await connection.waitForProof(timeout)
        } catch {
            connection.close()
            throw error
        }
        guard let id = found.address else {
            connection.close()
            throw ActorCallError.refused(.stranger)
        }
        let way = NetworkWay(route, to: id, connection)
        // For a server of this very process the connection is for asking only: its actors are called as they are.
        let host = WorkerActorSystem.shared.host(at: id, by: way) ?? RemoteHost(at: id, by: way)
        return RemoteManager(host, id, at: address)
    }
}

/// Which process a server turned out to be.
private final class FoundServer: Sendable {
    private let found = Mutex<ActorAddress?>(nil)

    var address: ActorAddress? { found.withLock { $0 } }

    func set(_ address: ActorAddress) {
        found.withLock { $0 = address }
    }
}

extension RemoteManager: CaptureAdvising {
    static var captureAdvice: String {
        "capture a reference to one of its objects, which is a value"
    }
}

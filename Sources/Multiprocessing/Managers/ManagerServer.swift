public import Distributed
import MultiprocessingSystem
import Synchronization

/// Lets other programs, here or on other machines, use distributed actors of this process.
///
/// ```swift
/// let key = try ManagerKey(contentsOf: "/etc/registry/key")
/// let server = try await ManagerServer(
///     at: .tcp(host: "127.0.0.1", port: 7000), key: key)
/// try await server.register("scores") {
///     ManagedDictionary<String, Int>(actorSystem: $0)
/// }
/// ```
///
/// In another program, which need not be the same build:
///
/// ```swift
/// let remote = try await Manager.connect(
///     to: .tcp(host: "127.0.0.1", port: 7000), key: key)
/// let scores = try await remote.object(
///     "scores", as: ManagedDictionary<String, Int>.self)
/// try await scores.set("ada", 1)
/// ```
///
/// The actors live in this process, and stay until they are registered no more and nobody has a reference to them.
/// Others can call what is registered, and what its methods return, by the methods that the actors' types declare; no
/// code travels, and no type is found by a name that came from outside.
///
/// Both ends prove to each other that they have the key before anything is decoded, and what follows cannot be changed on
/// its way; but it is not encrypted. Listen on loopback or a Unix socket, and let other machines in by a tunnel
/// (`ssh -N -L 7000:127.0.0.1:7000 host`). The end of a Unix socket also has to belong to this process's user, or root.
///
/// The server ends by ``shutDown()``, and when it is let go of.
public final class ManagerServer: Sendable {
    /// What a server takes at a time.
    public struct Limits: Sendable, Hashable {
        /// How many programs are connected at most; who comes then is turned away.
        public var connections = 1_000

        /// How many connections may be open whose other end has not proved itself yet; one more ends the oldest.
        public var unprovedConnections = 100

        /// How long the other end may take to prove itself.
        public var proofTimeout = Duration.seconds(10)

        /// Makes limits as they are where nothing else is said: 1,000 connections, 100 without a proof, 10 seconds.
        public init() {}
    }

    /// Where the server can be reached, with the port that it has.
    public let address: ManagerAddress

    /// How many connections are open, also of those who have not proved themselves yet.
    public var connectionCount: Int { gate.connectionCount }

    private let offers = ManagerOffers()
    private let gate: ManagerGate

    /// Begins to listen.
    ///
    /// Suspends while a host's name is looked up.
    ///
    /// - Parameters:
    ///   - address: A host of this machine and a port, 0 for a free one; or the path of a Unix socket, whose file is made,
    ///     readable by this process's user alone, and removed at the end. One left behind by a process that ended is replaced.
    ///   - key: What clients have to have too.
    ///   - limits: What is taken at a time.
    /// - Throws: ``PoolError/Code/invalidArgument`` for an address that cannot be used, for example because another process
    ///   listens there, and for limits below 1.
    public init(at address: ManagerAddress, key: ManagerKey, limits: Limits = Limits()) async throws {
        try limits.check()
        let resolved = try await BlockingCall.run { try address.resolve() }
        do {
            guard let first = resolved.first else { throw SystemError(.noSuchAddress, "it has no number") }
            gate = try ManagerGate(at: first, offers, key: key.bytes, limits)
        } catch let error as SystemError {
            throw PoolError(
                .invalidArgument,
                "no server can listen at \(address): \(error); is another one there, and is the host this machine?")
        }
        self.address = gate.address ?? address
    }

    /// Begins to listen, with a key of bytes.
    ///
    /// - Parameters:
    ///   - address: A host of this machine and a port, 0 for a free one; or the path of a Unix socket.
    ///   - key: At least 16 bytes, which clients have to have too.
    ///   - limits: What is taken at a time.
    /// - Throws: ``PoolError/Code/invalidArgument`` for fewer bytes, for an address that cannot be used, and for limits
    ///   below 1.
    public convenience init(
        at address: ManagerAddress,
        key: some Sequence<UInt8> & Sendable,
        limits: Limits = Limits()
    ) async throws {
        try await self.init(at: address, key: ManagerKey(key), limits: limits)
    }

    deinit {
        gate.close()
        withdraw(offers.removeAll())
    }

    // MARK: Objects

    /// Makes an actor in this process, and offers it under a name; all who ask for the name get this one.
    ///
    /// - Parameters:
    ///   - name: What clients ask for.
    ///   - make: Makes the actor with this process's actor system.
    /// - Throws: What `make` throws; ``PoolError/Code/invalidArgument`` for a name that is taken, for an actor that lives in
    ///   another process, and for a type that is private to its file.
    public func register<Act: DistributedActor>(
        _ name: String,
        _ make: (WorkerActorSystem) async throws -> Act
    ) async throws where Act.ActorSystem == WorkerActorSystem {
        try check(name)
        try offer(name, try await make(.shared))
    }

    /// Offers an actor of this process under a name.
    ///
    /// - Parameters:
    ///   - name: What clients ask for.
    ///   - actor: An actor that lives in this process.
    /// - Throws: ``PoolError/Code/invalidArgument`` for a name that is taken, for an actor that lives in another process,
    ///   and for a type that is private to its file.
    public func register<Act: DistributedActor>(
        _ name: String,
        _ actor: Act
    ) throws where Act.ActorSystem == WorkerActorSystem {
        try check(name)
        try offer(name, actor)
    }

    private func check(_ name: String) throws {
        if gate.isClosed {
            throw PoolError(.shutDown, "the server was shut down, and offers nothing; make another one")
        }
        guard !offers.contains(name) else {
            throw PoolError(
                .invalidArgument, "the server offers something under the name \(name) already; unregister it first")
        }
    }

    private func offer<Act: DistributedActor>(
        _ name: String,
        _ actor: Act
    ) throws where Act.ActorSystem == WorkerActorSystem {
        guard actor.id.host == nil else {
            throw PoolError(
                .invalidArgument,
                """
                the actor for \(name) lives in another process, which clients cannot reach; make it in this one, with \
                the actor system that the closure gets
                """)
        }
        let type = String(decoding: try NetworkNames.name(of: Act.self), as: UTF8.self)
        guard offers.add(name, actor, actor.id.number, type: type) else {
            try check(name)
            throw PoolError(.invalidArgument, "the server was offered something else under the name \(name) meanwhile")
        }
    }

    /// Offers nothing under a name any more; who has a reference keeps it.
    ///
    /// - Returns: Whether there was something.
    @discardableResult
    public func unregister(_ name: String) -> Bool { offers.remove(name) }

    // MARK: The end

    /// Ends the server: it listens no more, all connections end, and the actors are forgotten that nobody here has.
    ///
    /// Calls that are under way fail for their callers, in doubt, and their tasks are cancelled. Returns when the address is
    /// free.
    public func shutDown() async {
        gate.close()
        withdraw(offers.removeAll())
        await gate.waitUntilClosed()
    }

    private func withdraw(_ numbers: [UInt64]) {
        for number in numbers { WorkerActorSystem.shared.hosted.letGo(number) }
    }
}

extension ManagerServer.Limits {
    fileprivate func check() throws {
        for (name, value) in [("connections", connections), ("unprovedConnections", unprovedConnections)] {
            guard value >= 1 else {
                throw PoolError.invalidArgument(name, value, "a server takes at least 1 connection at a time")
            }
        }
        guard proofTimeout > .zero else {
            throw PoolError.invalidArgument(
                "proofTimeout", proofTimeout, "it takes a round trip at least; give it seconds")
        }
    }
}

extension ManagerServer: CaptureAdvising {
    static var captureAdvice: String {
        "capture a reference to one of its objects, which is a value"
    }
}

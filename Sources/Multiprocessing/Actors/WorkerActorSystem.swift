public import Distributed
import MultiprocessingCoding
import MultiprocessingRuntime
import Synchronization

/// The actor system of distributed actors that any process of this program can call.
///
/// ```swift
/// import Distributed
/// import Multiprocessing
///
/// distributed actor Counter {
///     typealias ActorSystem = WorkerActorSystem
///     private var count = 0
///     distributed func add(_ number: Int) -> Int {
///         count += number
///         return count
///     }
/// }
/// ```
///
/// An actor lives in the process that made it, and a reference to it is a value: it may be an input, an output, a
/// capture, an element of anything that is `Codable`, and an argument of a call to another actor. In whatever process
/// it arrives, a call reaches the actor where it lives, straight from there.
///
/// Arguments and results are `Codable`. What a method throws arrives as itself if it is `Codable`, and else as
/// ``PoolError/Code/remote``, as with a pool. What the library itself has to say of a call is an ``ActorCallError``.
///
/// Calls of one process reach an actor in the order in which they were made, and the actor runs them as any actor does.
/// A caller that is cancelled waits on, as for any actor: the task of the method in the host is cancelled, and what it
/// then returns or throws is the result. ``withCallTimeout(_:_:)`` limits the wait.
///
/// There is one system in each process, ``shared``.
public final class WorkerActorSystem: DistributedActorSystem, Sendable {
    /// Tells actors apart, and says where they live.
    public typealias ActorID = WorkerActorID
    /// What encodes calls.
    public typealias InvocationEncoder = ActorInvocationEncoder
    /// What decodes calls.
    public typealias InvocationDecoder = ActorInvocationDecoder
    /// What sends results.
    public typealias ResultHandler = ActorResultHandler
    /// What arguments and results have to be.
    public typealias SerializationRequirement = any Codable

    /// The system of this process.
    public static let shared = WorkerActorSystem(.random())

    /// Where this process can be reached, once it listens.
    var address: ActorAddress { hosted.address }

    let hosted: HostedActors

    private struct Known {
        weak var host: RemoteHost?
    }

    private let hosts = Mutex<[ActorAddress: Known]>([:])

    private init(_ address: ActorAddress) {
        hosted = HostedActors(at: address)
    }

    /// Has decoders of this process find the actors that bytes name; called before there are any.
    static func install() {
        _ = installed
    }

    private static let installed: Void = CommonUserInfo.set(WorkerActorSystem.shared, for: .actorSystemKey)

    /// The way to the process that has an address; `nil` for this one.
    ///
    /// - Parameter way: The way to it if it is a server.
    func host(at address: ActorAddress, by way: NetworkWay? = nil) -> RemoteHost? {
        if address == self.address { return nil }
        let (host, isKnown) = hosts.withLock { hosts in
            if let known = hosts[address]?.host { return (known, true) }
            if hosts.count > 64 { hosts = hosts.filter { $0.value.host != nil } }
            let made = RemoteHost(at: address, by: way)
            hosts[address] = Known(host: made)
            return (made, false)
        }
        if isKnown, let way { host.use(way) }
        return host
    }

    // MARK: Identity

    /// Finds an actor of this process; `nil` for one of another, of which a reference is made then.
    ///
    /// - Throws: ``ActorCallError/Code/noSuchActor``, and ``ActorCallError/Code/refused`` for an actor of another type.
    public func resolve<Act>(id: ActorID, as actorType: Act.Type) throws -> Act?
    where Act: DistributedActor, Act.ID == ActorID {
        guard id.host == nil else { return nil }
        guard let found = hosted.actor(id.number) else { throw ActorCallError.noSuchActor(id.number) }
        guard let actor = found as? Act else { throw ActorCallError.otherType(Act.self, type(of: found)) }
        return actor
    }

    /// Makes the id of a new actor of this process.
    public func assignID<Act>(_ actorType: Act.Type) -> ActorID where Act: DistributedActor, Act.ID == ActorID {
        ActorID(address: address, number: hosted.makeNumber(), lease: nil)
    }

    /// Lets others call an actor from now on.
    public func actorReady<Act>(_ actor: Act) where Act: DistributedActor, Act.ID == ActorID {
        hosted.add(actor, actor.id.number)
    }

    /// Forgets an actor that goes.
    public func resignID(_ id: ActorID) {
        hosted.remove(id.number)
    }

    // MARK: Calls

    /// Makes what a call is written to.
    public func makeInvocationEncoder() -> ActorInvocationEncoder {
        ActorInvocationEncoder(mayLeave: NetworkWay.isInUse.load(ordering: .relaxed))
    }

    /// Calls a method of an actor of another process; called by code that the compiler makes.
    ///
    /// - Throws: What the method throws, and ``ActorCallError``.
    public func remoteCall<Act, Err, Res>(
        on actor: Act,
        target: RemoteCallTarget,
        invocation: inout ActorInvocationEncoder,
        throwing: Err.Type,
        returning: Res.Type
    ) async throws -> Res where Act: DistributedActor, Act.ID == ActorID, Err: Error, Res: Codable {
        let codec = try Codec<Res>.resolve()
        return try await call(actor, target, invocation) { incoming in
            do {
                return try codec.decode(from: &incoming)
            } catch {
                throw PoolError.notDecodable(Res.self, as: "result", error)
            }
        }
    }

    /// Calls a method without a result; the compiler writes such calls.
    ///
    /// - Throws: What the method throws, and ``ActorCallError``.
    public func remoteCallVoid<Act, Err>(
        on actor: Act,
        target: RemoteCallTarget,
        invocation: inout ActorInvocationEncoder,
        throwing: Err.Type
    ) async throws where Act: DistributedActor, Act.ID == ActorID, Err: Error {
        try await call(actor, target, invocation) { _ in }
    }

    private func call<Act, Res>(
        _ actor: Act,
        _ target: RemoteCallTarget,
        _ invocation: ActorInvocationEncoder,
        _ decode: @escaping (inout Incoming) throws -> Res
    ) async throws -> Res where Act: DistributedActor, Act.ID == ActorID {
        // A reference to an actor of this process is the actor itself, and its calls do not come here.
        guard let host = actor.id.host else { throw ActorCallError.noSuchActor(actor.id.number) }
        try SealedTypeNames.checkGenerics(invocation.generics.count, of: Act.self, target)
        // The actor's id keeps the host while the call is under way.
        defer { withExtendedLifetime(actor) {} }
        return try await host.call(
            target.identifier, of: actor.id.number, Act.self, invocation, timeout: CallTimeout.current, decode)
    }
}

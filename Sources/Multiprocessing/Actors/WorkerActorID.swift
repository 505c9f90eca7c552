import MultiprocessingCoding

/// Tells a distributed actor of ``WorkerActorSystem`` from all others, and says where it lives.
///
/// It is what a reference to the actor is when it travels. It means something on this machine, for as long as the
/// actor's process lives.
public struct WorkerActorID: Sendable {
    let address: ActorAddress

    /// Tells the actors of one process apart; random.
    let number: UInt64

    /// Keeps the actor in its process; `nil` if it is this one.
    private let lease: ActorLease?

    /// The way to the process; `nil` if it is this one.
    var host: RemoteHost? { lease?.host }

    init(address: ActorAddress, number: UInt64, lease: ActorLease?) {
        self.address = address
        self.number = number
        self.lease = lease
    }
}

extension WorkerActorID: Hashable {
    /// Whether both are the same actor's.
    public static func == (left: WorkerActorID, right: WorkerActorID) -> Bool {
        left.number == right.number && left.address == right.address
    }

    /// Hashes what tells actors apart.
    public func hash(into hasher: inout Hasher) {
        hasher.combine(address)
        hasher.combine(number)
    }
}

extension WorkerActorID: Codable {
    /// Writes where the actor lives; an actor of this process can be called by others from then on.
    ///
    /// - Throws: ``ActorCallError/Code/unavailable`` when others cannot be let in, ``ActorCallError/Code/refused`` for an
    ///   actor that the receiver cannot reach, and what the encoder throws.
    public func encode(to encoder: any Encoder) throws {
        let peer = encoder.userObject(.otherBuild) as? any NetworkPeer
        if let peer {
            try peer.willSend(address, number)
        } else if host == nil {
            try WorkerActorSystem.shared.hosted.export(number)
        }
        var container = encoder.unkeyedContainer()
        try container.encode(address.high)
        try container.encode(address.low)
        try container.encode(number)
        // The key is for processes of this program alone.
        if peer == nil, encoder.collectedAttachments != nil, let route = host?.route { try container.encode(route) }
    }

    /// Reads where an actor lives.
    ///
    /// - Throws: ``ActorCallError/Code/refused`` for an actor that the sender has no business to name, and what the
    ///   decoder throws.
    public init(from decoder: any Decoder) throws {
        var container = try decoder.unkeyedContainer()
        let high = try container.decode(UInt64.self)
        let low = try container.decode(UInt64.self)
        let number = try container.decode(UInt64.self)
        let address = ActorAddress(high: high, low: low)
        var way: NetworkWay?
        if let peer = decoder.userObject(.otherBuild) as? any NetworkPeer {
            try peer.didReceive(address, number)
        } else if !container.isAtEnd {
            way = NetworkWay(try container.decode(Route.self), to: address)
        }
        let host = WorkerActorSystem.shared.host(at: address, by: way)
        self.init(address: address, number: number, lease: host?.lease(number))
    }
}

extension WorkerActorID: CustomStringConvertible {
    /// The actor's number, and its process if that is another.
    public var description: String {
        host == nil
            ? "actor \(String(number, radix: 16))"
            : "actor \(String(number, radix: 16)) of process \(String(address.high, radix: 16))"
    }
}

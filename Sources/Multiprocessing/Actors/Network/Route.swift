import MultiprocessingSystem

/// The way to a host of actors that is no process of this program's user on this machine: where its server is, and the key.
struct Route: Sendable, Hashable {
    let address: ManagerAddress
    let key: [UInt8]

    /// How long the other end may take to prove itself.
    static let limit = Duration.seconds(10)

    /// The largest message, in bytes.
    static let messageLimit = UInt64(64 << 20)

    /// What of it is for a message's own business, and not for values.
    private static let overhead = 1 << 16

    /// Checks that a message may be sent.
    ///
    /// - Throws: ``ActorCallError/Code/refused``.
    static func check(_ size: Int, for peer: (any NetworkPeer)?) throws {
        guard peer == nil || size <= Int(messageLimit) - overhead else {
            throw ActorCallError.tooLarge(UInt64(size), messageLimit)
        }
    }
}

extension Route: Codable {
    private enum CodingKeys: String, CodingKey { case address, key }
}

/// One end of a connection to another program, as values find it that are sent or received over it.
///
/// It is in the coders' `userInfo` under the key `otherBuild`.
protocol NetworkPeer: AnyObject, Sendable {
    /// An actor is about to be named to the peer.
    ///
    /// - Throws: For one that the peer cannot reach.
    func willSend(_ address: ActorAddress, _ number: UInt64) throws

    /// The peer has named an actor.
    ///
    /// - Throws: For one that it has no business to name.
    func didReceive(_ address: ActorAddress, _ number: UInt64) throws
}

import MultiprocessingSystem
import Synchronization

/// The connections of this process to hosts of actors, one for each.
///
/// One that was made stays until its host has ended, since its end tells the host that this process has died.
final class HostConnections: Sendable {
    static let shared = HostConnections()

    private let origin = ForkMark()
    private let connections = Mutex<[ActorAddress: HostConnection]>([:])

    /// The connection to a host, a new one if there is none that holds.
    ///
    /// - Throws: ``ActorCallError``, for calls that are not begun.
    func connection(to address: ActorAddress) throws -> HostConnection {
        if origin.isElsewhere { throw ActorCallError.inFork() }
        if let known = known(to: address) { return known }
        let made = try HostConnection(to: address)
        // Two threads may have made one; what was first is used by both.
        let (used, unused): (HostConnection, HostConnection?) = connections.withLock { connections in
            if let other = connections[address], !other.isOver { return (other, made) }
            if connections.count > 16 { connections = connections.filter { !$0.value.isOver } }
            connections[address] = made
            return (made, nil)
        }
        unused?.close()
        return used
    }

    /// The connection to a host, if there is one that holds.
    func known(to address: ActorAddress) -> HostConnection? {
        // Its sockets belong to the process that it was forked off.
        if origin.isElsewhere { return nil }
        let known = connections.withLock { $0[address] }
        return known?.isOver == false ? known : nil
    }
}

import MultiprocessingSystem

/// Where a ``ManagerServer`` can be reached.
public enum ManagerAddress: Hashable, Sendable, Codable {
    /// A host's name or number, and a port; for a server port 0 stands for a free one.
    case tcp(host: String, port: Int)
    /// The file of a Unix socket, which processes of the same user and of root can reach.
    case unix(String)
}

extension ManagerAddress: CustomStringConvertible {
    /// The address as it is usually written.
    public var description: String {
        switch self {
        case .tcp(let host, let port): host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
        case .unix(let path): path
        }
    }
}

extension ManagerAddress {
    init?(_ address: SocketAddress) {
        if let (host, port) = address.hostAndPort {
            self = .tcp(host: host, port: Int(port))
        } else if let path = address.path {
            self = .unix(path)
        } else {
            return nil
        }
    }

    /// The addresses of sockets that this stands for; blocks the calling thread while a name is looked up.
    ///
    /// - Parameter isNumber: Whether a host can only be a number, so that nothing is looked up.
    /// - Throws: ``PoolError/Code/invalidArgument``, ``ActorCallError/Code/unavailable``.
    func resolve(isNumber: Bool = false) throws -> [SocketAddress] {
        do {
            switch self {
            case .unix(let path):
                return [try SocketAddress(path: path)]
            case .tcp(let host, let port):
                guard let port = UInt16(exactly: port) else {
                    throw PoolError.invalidArgument("port", port, "a port is a number between 0 and 65535")
                }
                return try SocketAddress.resolving(host: host, port: port, isNumber: isNumber)
            }
        } catch let error as SystemError where error.errno == .noSuchAddress {
            // It says why by itself: the resolver's reasons are none of the kernel's.
            throw PoolError(.invalidArgument, "\(self) is no address that can be used: \(error.operation)")
        } catch let error as SystemError {
            throw PoolError(.invalidArgument, "\(self) is no address that can be used: \(error)")
        }
    }
}

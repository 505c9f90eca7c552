import Glibc

/// What a message costs there and back, without a library.
enum SocketPingPong {
    /// - Parameter socket: One whose other end sends back 64 bytes at a time.
    /// - Returns: Seconds for all of them.
    static func run(_ socket: Socket, _ count: Int) throws -> Double {
        var message = [UInt8](repeating: 1, count: 64)
        let watch = Stopwatch()
        try message.withUnsafeMutableBytes { bytes in
            for _ in 0..<count {
                try socket.send(UnsafeRawBufferPointer(bytes))
                guard try socket.receive(bytes) else { throw SystemFailure("the ping-pong", code: EPIPE) }
            }
        }
        return watch.seconds
    }
}

/// A socket that listens on loopback, for one who comes.
struct LoopbackListener {
    let port: Int
    private let descriptor: Int32

    init() throws(SystemFailure) {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw SystemFailure("making a socket") }
        var address = Self.address(0)
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let descriptor = descriptor
        let code = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                guard bind(descriptor, address, size) == 0, listen(descriptor, 1) == 0 else { return Int32(-1) }
                return getsockname(descriptor, address, &size)
            }
        }
        guard code == 0 else { throw SystemFailure("listening on loopback") }
        port = Int(UInt16(bigEndian: address.sin_port))
    }

    /// Waits for the one who comes, and listens no more.
    func accept() throws(SystemFailure) -> Socket {
        defer { Glibc.close(descriptor) }
        let made = Glibc.accept(descriptor, nil, nil)
        guard made >= 0 else { throw SystemFailure("accepting a connection") }
        Self.sendAtOnce(made)
        return Socket(descriptor: made)
    }

    static func connect(_ port: Int) throws(SystemFailure) -> Socket {
        let made = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        var address = address(port)
        let code = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Glibc.connect(made, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard made >= 0, code == 0 else { throw SystemFailure("connecting to loopback") }
        sendAtOnce(made)
        return Socket(descriptor: made)
    }

    private static func sendAtOnce(_ descriptor: Int32) {
        var isOn: Int32 = 1
        setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &isOn, socklen_t(MemoryLayout<Int32>.size))
    }

    private static func address(_ port: Int) -> sockaddr_in {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(port).bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        return address
    }
}

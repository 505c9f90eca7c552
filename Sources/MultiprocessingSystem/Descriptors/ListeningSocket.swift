internal import CMultiprocessing
internal import Glibc

/// A stream socket to which other processes connect.
package struct ListeningSocket: ~Copyable, Sendable {
    private let descriptor: FileDescriptor

    /// Takes a name of this machine that is no file's, and that no other socket may have.
    ///
    /// The name is in Linux's abstract namespace, and goes with the socket.
    ///
    /// - Parameter name: At most 100 bytes.
    package init(abstract name: String) throws(SystemError) {
        let descriptor = FileDescriptor(
            adopting: try systemCall("socket") {
                socket(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue), 0)
            })
        let raw = descriptor.number.rawValue
        try withAbstractAddress(name) { address, size throws(SystemError) in
            try systemCall("bind") { bind(raw, address, size) }
        }
        try systemCall("listen") { listen(raw, 4_096) }
        self.descriptor = descriptor
    }

    /// Takes an address.
    ///
    /// The file of a Unix socket is its owner's alone (0600). One that a process has left behind that ended is replaced.
    package init(at address: SocketAddress, backlog: Int32 = 1_024) throws(SystemError) {
        let descriptor = FileDescriptor(adopting: try Self.makeSocket(of: address))
        let raw = descriptor.number.rawValue
        if address.isTCP {
            // A server that is started again finds its port, though connections of the last one are not forgotten.
            var isOn: Int32 = 1
            try systemCall("setsockopt") {
                setsockopt(raw, SOL_SOCKET, SO_REUSEADDR, &isOn, socklen_t(MemoryLayout<Int32>.size))
            }
        }
        do throws(SystemError) {
            try Self.claim(address, for: raw)
        } catch {
            guard error.errno == .addressInUse, let path = address.path, Self.isLeftBehind(address) else { throw error }
            try systemCall("unlink \(path)") { unlink(path) }
            try Self.claim(address, for: raw)
        }
        // Nobody connects before it listens.
        if let path = address.path { try systemCall("chmod \(path)") { chmod(path, 0o600) } }
        try systemCall("listen") { listen(raw, backlog) }
        self.descriptor = descriptor
    }

    private static func makeSocket(of address: SocketAddress) throws(SystemError) -> Int32 {
        try systemCall("socket") {
            socket(
                address.family, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue), 0)
        }
    }

    private static func claim(_ address: SocketAddress, for raw: Int32) throws(SystemError) {
        try address.withSocketAddress { pointer, size throws(SystemError) in
            _ = try systemCall("bind \(address.path ?? "")") { bind(raw, pointer, size) }
        }
    }

    /// Whether a file is a Unix socket's at which nobody listens.
    private static func isLeftBehind(_ address: SocketAddress) -> Bool {
        var facts = stat()
        guard let path = address.path, lstat(path, &facts) == 0, facts.st_mode & S_IFMT == S_IFSOCK else {
            return false
        }
        for isLast in [false, true] {
            do throws(SystemError) {
                _ = try Socket.connecting(to: address)
                return false
            } catch {
                guard error.errno == .connectionRefused else { return false }
            }
            // One that starts at this moment has the name before it listens.
            if !isLast { usleep(50_000) }
        }
        return true
    }

    package var number: DescriptorNumber { descriptor.number }

    /// The address that the socket has, with the port that was chosen for it.
    package borrowing func localAddress() throws(SystemError) -> SocketAddress { try SocketAddress(of: number) }

    /// The next process that has connected; `nil` when there is none.
    ///
    /// Never blocks.
    package borrowing func accept() throws(SystemError) -> Socket? {
        let raw = number.rawValue
        do throws(SystemError) {
            return Socket(FileDescriptor(adopting: try systemCall("accept4") { mp_accept(raw) }))
        } catch {
            switch error.errno {
            // One that has gone while it was in the queue.
            case .wouldBlock, .connectionAborted: return nil
            default: throw error
            }
        }
    }
}

extension Socket {
    /// Connects to a ``ListeningSocket``; blocks while more connect than it takes, for ten seconds at most.
    package static func connecting(toAbstract name: String) throws(SystemError) -> Socket {
        let descriptor = FileDescriptor(
            adopting: try systemCall("socket") {
                socket(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
            })
        let raw = descriptor.number.rawValue
        var limit = timeval(tv_sec: 10, tv_usec: 0)
        try systemCall("setsockopt") {
            setsockopt(raw, SOL_SOCKET, SO_SNDTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        }
        try withAbstractAddress(name) { address, size throws(SystemError) in
            try systemCall("connect") { connect(raw, address, size) }
        }
        return Socket(descriptor)
    }

    /// Begins to connect; never blocks, and the socket is ready for writing when it is connected or has failed.
    package static func connecting(to address: SocketAddress) throws(SystemError) -> Socket {
        let descriptor = FileDescriptor(
            adopting: try systemCall("socket") {
                socket(
                    address.family, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue), 0)
            })
        let raw = descriptor.number.rawValue
        do throws(SystemError) {
            try address.withSocketAddress { pointer, size throws(SystemError) in
                _ = try systemCall("connect") { Glibc.connect(raw, pointer, size) }
            }
        } catch {
            guard error.errno == .alreadyInProgress else { throw error }
        }
        let made = Socket(descriptor)
        if address.isTCP { made.sendAtOnce() }
        return made
    }

    /// Has small messages go out at once, and has the kernel ask for a peer that has long said nothing.
    package borrowing func sendAtOnce() {
        let tcp = Int32(IPPROTO_TCP)
        // A peer that has vanished is noticed within a minute: asked after 30 silent seconds, 3 times, or when it has not
        // said for a minute that it has what it was sent.
        let options = [
            (tcp, TCP_NODELAY, 1), (SOL_SOCKET, SO_KEEPALIVE, 1), (tcp, TCP_KEEPIDLE, 30), (tcp, TCP_KEEPINTVL, 10),
            (tcp, TCP_KEEPCNT, 3), (tcp, TCP_USER_TIMEOUT, 60_000),
        ]
        for (level, option, value) in options {
            var value = Int32(value)
            // Refused by sockets that are not TCP's only, which do so anyway.
            _ = setsockopt(number.rawValue, level, option, &value, socklen_t(MemoryLayout<Int32>.size))
        }
    }

    /// Why the socket has failed, if it has; asked once.
    package borrowing func takeError() -> Errno? {
        var code: Int32 = 0
        var size = socklen_t(MemoryLayout<Int32>.size)
        guard getsockopt(number.rawValue, SOL_SOCKET, SO_ERROR, &code, &size) == 0, code != 0 else { return nil }
        return Errno(rawValue: code)
    }

    /// The user in whose name the peer's process runs, as it did when it connected or began to listen.
    package borrowing func peerUser() throws(SystemError) -> UInt32 {
        let raw = number.rawValue
        return UInt32(truncatingIfNeeded: try systemCall("getsockopt") { mp_peer_user(raw) })
    }

    /// Whether the peer's process runs in the name of this process's user, or of root.
    package borrowing func isOfThisUser() -> Bool {
        guard let user = try? peerUser() else { return false }
        return user == geteuid() || user == 0
    }
}

extension SocketAddress {
    /// The path of a Unix socket's file.
    package var path: String? {
        guard !isTCP else { return nil }
        let text = bytes.dropFirst(MemoryLayout<sa_family_t>.size).prefix { $0 != 0 }
        return text.isEmpty ? nil : String(decoding: text, as: UTF8.self)
    }

    /// Removes a Unix socket's file, if it is there.
    package func removeFile() {
        guard let path else { return }
        _ = unlink(path)
    }
}

/// Calls `body` with the address that a name of the abstract namespace is: a zero byte, and the name.
private func withAbstractAddress(
    _ name: String,
    _ body: (UnsafePointer<sockaddr>, socklen_t) throws(SystemError) -> Void
) throws(SystemError) {
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    let bytes = Array(name.utf8)
    guard bytes.count <= 100 else { throw SystemError(.invalidArgument, "an address of \(bytes.count) bytes") }
    withUnsafeMutableBytes(of: &address.sun_path) { path in
        for (index, byte) in bytes.enumerated() { path[index + 1] = byte }
    }
    let size = socklen_t(MemoryLayout<sa_family_t>.size + 1 + bytes.count)
    try withUnsafePointer(to: address) { pointer throws(SystemError) in
        // A `sockaddr_un` begins as every `sockaddr` does.
        try body(UnsafeRawPointer(pointer).assumingMemoryBound(to: sockaddr.self), size)
    }
}

internal import CMultiprocessing
internal import Glibc

/// A Unix socket with a name of this machine and no file, to which other processes connect.
///
/// The name is in Linux's abstract namespace, and goes with the socket.
package struct ListeningSocket: ~Copyable, Sendable {
    private let descriptor: FileDescriptor

    /// Takes the name, which no other socket may have.
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

    package var number: DescriptorNumber { descriptor.number }

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

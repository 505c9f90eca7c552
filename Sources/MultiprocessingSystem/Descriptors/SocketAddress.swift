internal import Glibc

/// Where a stream socket can be reached: by TCP, or by a file of this machine.
package struct SocketAddress: Hashable, Sendable {
    /// A `sockaddr` of the family's kind.
    let bytes: [UInt8]

    /// Calls `body` with the address as the socket functions take it.
    func withSocketAddress<R, E: Error>(_ body: (UnsafePointer<sockaddr>, socklen_t) throws(E) -> R) throws(E) -> R {
        let result = bytes.withUnsafeBytes { raw in
            Result { () throws(E) in
                // Every kind begins as a `sockaddr` does, and bytes on the heap are aligned for all of them.
                let address = raw.baseAddress!.assumingMemoryBound(to: sockaddr.self)
                return try body(address, socklen_t(raw.count))
            }
        }
        return try result.get()
    }

    private init<Address>(copying address: Address, size: Int = MemoryLayout<Address>.size) {
        bytes = withUnsafeBytes(of: address) { Array($0.prefix(size)) }
    }

    /// The address of a file.
    ///
    /// - Throws: `ENAMETOOLONG` for a path of more than 107 bytes.
    package init(path: String) throws(SystemError) {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let text = Array(path.utf8)
        guard !text.isEmpty, text.count < MemoryLayout.size(ofValue: address.sun_path), !text.contains(0) else {
            throw SystemError(
                .nameTooLong, "a Unix socket's path has between 1 and 107 bytes; this one has \(text.count)")
        }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: text) }
        self.init(copying: address)
    }

    /// The addresses that a name or a number stands for; blocks the calling thread while a name is looked up.
    ///
    /// - Parameter isNumber: Whether it can only be a number, which is not looked up.
    package static func resolving(
        host: String,
        port: UInt16,
        isNumber: Bool = false
    ) throws(SystemError) -> [SocketAddress] {
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        hints.ai_flags = AI_NUMERICSERV | (isNumber ? AI_NUMERICHOST : 0)
        var list: UnsafeMutablePointer<addrinfo>?
        let code = getaddrinfo(host, String(port), &hints, &list)
        guard code == 0 else {
            let text = code == EAI_SYSTEM ? "\(Errno.current)" : String(cString: gai_strerror(code))
            throw SystemError(.noSuchAddress, "the host \(host) is not found: \(text)")
        }
        defer { freeaddrinfo(list) }
        var found: [SocketAddress] = []
        var next = list
        while let entry = next?.pointee {
            if entry.ai_family == AF_INET || entry.ai_family == AF_INET6, let address = entry.ai_addr {
                found.append(SocketAddress(UnsafeRawBufferPointer(start: address, count: Int(entry.ai_addrlen))))
            }
            next = entry.ai_next
        }
        return found
    }

    private init(_ raw: UnsafeRawBufferPointer) {
        bytes = Array(raw)
    }

    /// The address that a socket has itself.
    init(of number: DescriptorNumber) throws(SystemError) {
        var storage = sockaddr_storage()
        var size = socklen_t(MemoryLayout<sockaddr_storage>.size)
        let raw = number.rawValue
        try withUnsafeMutablePointer(to: &storage) { pointer throws(SystemError) in
            _ = try systemCall("getsockname") {
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(raw, $0, &size) }
            }
        }
        self.init(copying: storage, size: Int(size))
    }

    var family: Int32 { withSocketAddress { address, _ in Int32(address.pointee.sa_family) } }

    package var isTCP: Bool { family != AF_UNIX }

    /// The host's number and the port; `nil` for a file.
    package var hostAndPort: (host: String, port: UInt16)? {
        guard isTCP else { return nil }
        var host = [CChar](repeating: 0, count: Int(NI_MAXHOST))
        var port = [CChar](repeating: 0, count: Int(NI_MAXSERV))
        let code = withSocketAddress { address, size in
            getnameinfo(
                address, size, &host, socklen_t(host.count), &port, socklen_t(port.count),
                NI_NUMERICHOST | NI_NUMERICSERV)
        }
        guard code == 0 else { return nil }
        return (Self.text(host), UInt16(Self.text(port)) ?? 0)
    }

    private static func text(_ characters: [CChar]) -> String {
        String(decoding: characters.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    }
}

import Glibc

/// One end of a connection between two processes, used with blocking calls.
struct Socket {
    let descriptor: Int32

    /// How much is sent or received with one call at most.
    private static let portion = 1 << 20

    /// How long nothing may come before the other backend counts as stuck.
    private static let patience = 180

    static func pair() throws(SystemFailure) -> (Socket, Socket) {
        var ends: [Int32] = [-1, -1]
        guard socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0, &ends) == 0 else {
            throw SystemFailure("making a socket pair")
        }
        var limit = timeval(tv_sec: patience, tv_usec: 0)
        setsockopt(ends[0], SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        return (Socket(descriptor: ends[0]), Socket(descriptor: ends[1]))
    }

    func send(_ bytes: UnsafeRawBufferPointer) throws(SystemFailure) {
        var sent = 0
        while sent < bytes.count {
            let count = Glibc.send(descriptor, bytes.baseAddress! + sent, min(bytes.count - sent, Self.portion), 0)
            guard count > 0 else { throw SystemFailure("sending to another process") }
            sent += count
        }
    }

    /// Fills the buffer; false if the other backend ended before.
    func receive(_ buffer: UnsafeMutableRawBufferPointer) throws(SystemFailure) -> Bool {
        var received = 0
        while received < buffer.count {
            let rest = min(buffer.count - received, Self.portion)
            let count = recv(descriptor, buffer.baseAddress! + received, rest, 0)
            guard count >= 0 else { throw SystemFailure("receiving from another process") }
            if count == 0 { return false }
            received += count
        }
        return true
    }

    func send(line: String) throws {
        var line = line + "\n"
        try line.withUTF8 { try send(UnsafeRawBufferPointer($0)) }
    }

    /// One line without its end; nil if the other backend ended.
    func receiveLine() throws -> String? {
        var line: [UInt8] = []
        var byte: [UInt8] = [0]
        while true {
            let isByte = try byte.withUnsafeMutableBytes { try receive($0) }
            if !isByte { return nil }
            if byte[0] == UInt8(ascii: "\n") { return String(decoding: line, as: UTF8.self) }
            line.append(byte[0])
        }
    }

    func close() {
        Glibc.close(descriptor)
    }
}

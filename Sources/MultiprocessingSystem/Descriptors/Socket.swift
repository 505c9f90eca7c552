internal import Glibc

/// One end of a connected stream socket.
///
/// A write to a peer that is gone is a result, never a SIGPIPE. May be used by several
/// threads at once; bytes of writes that overlap may interleave.
package struct Socket: ~Copyable, Sendable {
    package let descriptor: FileDescriptor

    package init(_ descriptor: consuming FileDescriptor) {
        self.descriptor = descriptor
    }

    package var number: DescriptorNumber { descriptor.number }

    /// The most buffers that one `send` passes to the kernel (IOV_MAX); more go with the next.
    package static var maximumBufferCount: Int { 1024 }

    /// Sends what fits into the socket's buffer and returns at once, whatever the descriptor's mode.
    package borrowing func send(_ buffers: UnsafeBufferPointer<SendBuffer>) throws(SystemError) -> SendResult {
        try send(buffers, flags: Int32(MSG_NOSIGNAL | MSG_DONTWAIT))
    }

    /// Sends what fits into the socket's buffer and returns at once, whatever the descriptor's mode.
    package borrowing func send(_ buffer: UnsafeRawBufferPointer) throws(SystemError) -> SendResult {
        let whole = SendBuffer(buffer)
        return try withUnsafePointer(to: whole) { pointer throws(SystemError) in
            try send(UnsafeBufferPointer(start: pointer, count: 1))
        }
    }

    /// Reads what is there and returns at once, whatever the descriptor's mode.
    ///
    /// - Parameter buffer: At least one byte.
    package borrowing func receive(into buffer: UnsafeMutableRawBufferPointer) throws(SystemError) -> ReceiveResult {
        try receive(into: buffer, flags: Int32(MSG_DONTWAIT))
    }

    /// Tells the peer that nothing more will come, and goes on reading.
    package borrowing func shutDownSending() {
        // The only error that can come here is that the peer is gone already.
        _ = Glibc.shutdown(number.rawValue, Int32(SHUT_WR))
    }

    /// Fails what every thread of this process is waiting for on the socket, and tells the peer.
    package borrowing func shutDown() {
        // As above.
        _ = Glibc.shutdown(number.rawValue, Int32(SHUT_RDWR))
    }

    borrowing func send(_ buffers: UnsafeBufferPointer<SendBuffer>, flags: Int32) throws(SystemError) -> SendResult {
        let raw = number.rawValue
        var message = msghdr()
        // The kernel only reads the vectors: the pointer is mutable because `recvmsg` shares the type.
        // A `SendBuffer` is a vector and nothing else, so the one binds as the other.
        message.msg_iov = UnsafeMutableRawPointer(mutating: buffers.baseAddress)?.assumingMemoryBound(to: iovec.self)
        message.msg_iovlen = min(buffers.count, Self.maximumBufferCount)
        do throws(SystemError) {
            return .sent(try systemCall("sendmsg") { sendmsg(raw, &message, flags) })
        } catch {
            switch error.errno {
            case .wouldBlock: return .wouldBlock
            case .brokenPipe, .connectionReset: return .peerGone
            default: throw error
            }
        }
    }

    borrowing func receive(
        into buffer: UnsafeMutableRawBufferPointer,
        flags: Int32
    ) throws(SystemError) -> ReceiveResult {
        // A read of nothing returns zero, which would pass for the end of the stream.
        precondition(!buffer.isEmpty, "reads at least one byte")
        let raw = number.rawValue
        return try ReceiveResult.catching { () throws(SystemError) in
            try systemCall("recv") { recv(raw, buffer.baseAddress, buffer.count, flags) }
        }
    }
}

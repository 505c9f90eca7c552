internal import Glibc

extension Socket {
    /// Sends every byte, however long the peer takes to read; blocks the calling thread.
    ///
    /// - Parameter buffers: Used up: their bases and lengths are changed as bytes go out.
    /// - Returns: False when the peer is gone.
    package borrowing func sendAll(_ buffers: UnsafeMutableBufferPointer<SendBuffer>) throws(SystemError) -> Bool {
        var index = buffers.startIndex
        while true {
            // Skipped first, so that neither empty buffers nor an empty list reach the kernel.
            while index < buffers.endIndex, buffers[index].count == 0 {
                index += 1
            }
            guard index < buffers.endIndex else {
                return true
            }
            let rest = UnsafeBufferPointer(rebasing: buffers[index...])
            switch try send(rest, flags: Int32(MSG_NOSIGNAL)) {
            case .peerGone:
                return false
            case .wouldBlock:
                try wait(for: POLLOUT)
            case .sent(var count):
                while count > 0 {
                    let part = min(count, buffers[index].count)
                    buffers[index].drop(part)
                    count -= part
                    if buffers[index].count == 0 {
                        index += 1
                    }
                }
            }
        }
    }

    /// Sends every byte, however long the peer takes to read; blocks the calling thread.
    ///
    /// - Returns: False when the peer is gone.
    package borrowing func sendAll(_ buffer: UnsafeRawBufferPointer) throws(SystemError) -> Bool {
        var whole = SendBuffer(buffer)
        return try withUnsafeMutablePointer(to: &whole) { pointer throws(SystemError) in
            try sendAll(UnsafeMutableBufferPointer(start: pointer, count: 1))
        }
    }

    /// Reads at least one byte; blocks the calling thread until there is one or the stream has ended.
    ///
    /// - Returns: The number of bytes read; zero at the end of the stream.
    package borrowing func receiveSome(into buffer: UnsafeMutableRawBufferPointer) throws(SystemError) -> Int {
        while true {
            switch try receive(into: buffer, flags: 0) {
            case .received(let count): return count
            case .endOfStream: return 0
            case .wouldBlock: try wait(for: POLLIN)
            }
        }
    }

    /// Fills the whole buffer; blocks the calling thread until it is full or the stream has ended.
    ///
    /// - Returns: The number of bytes read: fewer than the buffer holds only at the end of the stream.
    package borrowing func receiveAll(into buffer: UnsafeMutableRawBufferPointer) throws(SystemError) -> Int {
        var filled = 0
        while filled < buffer.count {
            let count = try receiveSome(into: UnsafeMutableRawBufferPointer(rebasing: buffer[filled...]))
            if count == 0 {
                break
            }
            filled += count
        }
        return filled
    }

    /// Blocks the calling thread until the socket may take something, or has failed.
    package borrowing func waitForRoom() throws(SystemError) {
        try wait(for: POLLOUT)
    }

    /// Blocks until the socket is ready, for an end whose descriptor was made non-blocking.
    private borrowing func wait(for events: Int32) throws(SystemError) {
        var entry = pollfd(fd: number.rawValue, events: Int16(events), revents: 0)
        try systemCall("poll") { poll(&entry, 1, -1) }
    }
}

import MultiprocessingCoding
package import MultiprocessingSystem

/// Reads one frame at a time from a socket that blocks: the worker's side.
///
/// A frame that fits into the buffer is used where it was read.
package final class FrameReader {
    private let socket: Socket
    private let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: Frame.largeSize, alignment: 16)
    private var start = 0
    private var end = 0

    package init(_ socket: consuming Socket) {
        self.socket = socket
    }

    deinit {
        buffer.deallocate()
    }

    var number: DescriptorNumber { socket.number }

    /// Whether a read from the socket is needed before the next frame can begin.
    var isEmpty: Bool { start == end }

    /// Whether the next frame is here as a whole, so that getting it does not wait.
    var hasFrame: Bool {
        guard end - start >= Frame.Header.size else { return false }
        var reader = ByteReader(UnsafeRawBufferPointer(rebasing: buffer[start..<end]))
        guard let header = try? Frame.Header.read(from: &reader) else { return false }
        return header.frameSize <= end - start
    }

    /// Reads what is there without waiting; returns whether a blocking read would not wait.
    func poll() -> Bool {
        guard start == end else { return true }
        start = 0
        end = 0
        switch try? socket.receive(into: buffer) {
        case .received(let count):
            end = count
            return true
        case .wouldBlock:
            return false
        case .endOfStream, nil:
            return true
        }
    }

    /// The next frame, or `nil` at the end of the stream.
    ///
    /// Blocks the calling thread.
    ///
    /// - Parameter land: Makes the memory of a large array.
    package func next(_ land: (Frame.Header) throws -> ArrivingArray) throws -> ReceivedFrame? {
        guard try fill(Frame.Header.size) else { return nil }
        var reader = ByteReader(UnsafeRawBufferPointer(rebasing: buffer[start..<start + Frame.Header.size]))
        let header = try Frame.Header.read(from: &reader)
        start += Frame.Header.size
        if header.isLarge { return try readLarge(header, land) }
        let length = Int(header.length)
        let padded = Frame.paddedLength(length)
        guard try fill(padded) else { return nil }
        defer { start += padded }
        let payload = UnsafeRawBufferPointer(rebasing: buffer[start..<start + length])
        return ReceivedFrame(header: header, payload: payload, landing: nil)
    }

    /// Makes sure that `count` bytes, which fit, are in the buffer.
    private func fill(_ count: Int) throws -> Bool {
        if end - start >= count { return true }
        if start > 0 {
            buffer.baseAddress!.copyMemory(from: buffer.baseAddress! + start, byteCount: end - start)
            end -= start
            start = 0
        }
        while end < count {
            let received = try socket.receiveSome(into: UnsafeMutableRawBufferPointer(rebasing: buffer[end...]))
            guard received > 0 else { return false }
            end += received
        }
        return true
    }

    /// Reads a payload that is larger than the buffer.
    private func readLarge(_ header: Frame.Header, _ land: (Frame.Header) throws -> ArrivingArray) throws
        -> ReceivedFrame?
    {
        let landing = try header.landing(land)
        var rest = UnsafeRawBufferPointer(rebasing: buffer[start..<end])
        landing.take(&rest)
        start = end - rest.count
        while !landing.room.isEmpty {
            let received = try socket.receiveSome(into: landing.room)
            guard received > 0 else { return nil }
            landing.advance(by: received)
        }
        let padding = Frame.paddedLength(landing.size) - landing.size
        guard try fill(padding) else { return nil }
        start += padding
        return ReceivedFrame(header: header, payload: landing.bytes, landing: landing)
    }
}

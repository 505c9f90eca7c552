import MultiprocessingCoding
import MultiprocessingSystem

/// Reads one frame at a time from a socket that blocks: the worker's side.
///
/// A frame that fits into the buffer is used where it was read.
final class FrameReader {
    private let socket: Socket
    private let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 256 << 10, alignment: 16)
    private var start = 0
    private var end = 0

    /// A payload that is larger than the buffer.
    private var large = ByteBuffer(capacity: 0)

    /// The most that memory grows ahead of the bytes that came.
    private static let step = 4 << 20

    init(_ socket: consuming Socket) {
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

    /// The next frame, or `nil` at the end of the stream; its bytes are good until the next call.
    ///
    /// Blocks the calling thread.
    func next() throws -> (Frame.Header, UnsafeRawBufferPointer)? {
        // A large input is let go before the wait for the next.
        if large.count > 0 { large = ByteBuffer(capacity: 0) }
        guard try fill(Frame.Header.size) else { return nil }
        var reader = ByteReader(UnsafeRawBufferPointer(rebasing: buffer[start..<start + Frame.Header.size]))
        let header = try Frame.Header.read(from: &reader)
        start += Frame.Header.size
        let length = Int(header.length)
        let padded = Frame.paddedLength(length)
        if padded > buffer.count {
            return try readLarge(padded).map { (header, UnsafeRawBufferPointer(rebasing: $0[..<length])) }
        }
        guard try fill(padded) else { return nil }
        defer { start += padded }
        return (header, UnsafeRawBufferPointer(rebasing: buffer[start..<start + length]))
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

    private func readLarge(_ length: Int) throws -> UnsafeRawBufferPointer? {
        large = ByteBuffer(capacity: min(length, Self.step))
        large.append(contentsOf: UnsafeRawBufferPointer(rebasing: buffer[start..<end]))
        start = 0
        end = 0
        while large.count < length {
            let count = min(Self.step, length - large.count)
            let place = large.append(uninitialized: count)
            let received = try socket.receiveAll(into: UnsafeMutableRawBufferPointer(start: place, count: count))
            guard received == count else { return nil }
        }
        return large.withUnsafeBytes { $0 }
    }
}

import MultiprocessingSystem

/// The thread that reads what a pool's workers send, and its buffer.
final class WorkerLoop: Sendable {
    let events: EventLoop

    /// What one read takes at most; frames that lie whole in it are decoded in place.
    ///
    /// Safe: used on the loop's thread only, by one handler at a time.
    nonisolated(unsafe) let buffer: UnsafeMutableRawBufferPointer

    init() throws(SystemError) {
        StandardStreams.fillClosed()
        events = try EventLoop()
        buffer = .allocate(byteCount: 256 << 10, alignment: 16)
    }

    deinit {
        buffer.deallocate()
    }
}

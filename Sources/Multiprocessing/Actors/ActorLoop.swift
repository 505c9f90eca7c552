import MultiprocessingSystem

/// The thread that reads what callers and hosts of actors send to this process, and its buffer.
final class ActorLoop: Sendable {
    let events: EventLoop

    /// What one read takes at most.
    ///
    /// Safe: used on the loop's thread only, by one handler at a time.
    nonisolated(unsafe) let buffer: UnsafeMutableRawBufferPointer

    private static let made = Result { try ActorLoop() }

    /// The loop of the process, which stays for as long as the process.
    ///
    /// - Throws: ``ActorCallError/Code/unavailable`` when there is no thread or descriptor to be had for it.
    static func shared() throws -> ActorLoop {
        do {
            return try made.get()
        } catch {
            throw ActorCallError.unavailable(error)
        }
    }

    private init() throws(SystemError) {
        StandardStreams.fillClosed()
        events = try EventLoop(name: "mp-actors")
        buffer = .allocate(byteCount: 256 << 10, alignment: 16)
    }

    deinit {
        buffer.deallocate()
    }
}

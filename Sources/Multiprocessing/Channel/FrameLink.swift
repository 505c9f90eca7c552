package import MultiprocessingSystem

/// One end of a connected stream socket that carries frames both ways: a socket pair's, or one to another machine.
///
/// It knows nothing of what frames are about, of processes or of shared memory. Sending and receiving never wait, but
/// for the two functions that say so. Each direction's state is a value of its owner, ``Unsent`` and a
/// ``FrameAssembler``, under whatever lock the owner has for it: so one thread may send while another reads. Descriptors
/// have a way of their own: see ``DescriptorLane``.
package struct FrameLink: ~Copyable, Sendable {
    private let socket: Socket

    package init(_ socket: consuming Socket) {
        self.socket = socket
    }

    package var number: DescriptorNumber { socket.number }

    /// Ends both directions, for both sides.
    package borrowing func shutDown() {
        socket.shutDown()
    }

    /// Why the socket has failed, if it has; asked once.
    package borrowing func takeError() -> Errno? { socket.takeError() }

    // MARK: Sending

    /// Bytes of frames in the order in which they go out.
    package struct Unsent: Sendable {
        private var segments = RingQueue<OwnedBytes>()

        /// The most segments that go out with one call.
        private static let groupSize = 16

        package init() {}

        package var isEmpty: Bool { segments.isEmpty }

        /// How many bytes have not gone out.
        package private(set) var byteCount = 0

        /// How many bytes were dropped in place of being sent.
        package private(set) var droppedCount = 0

        /// Adds bytes, which go out from where they lie.
        package mutating func append(_ bytes: OwnedBytes) {
            segments.append(bytes)
            byteCount += bytes.bytes.count
        }

        /// Adds what is to go out behind these.
        mutating func append(_ others: consuming Unsent) {
            while let segment = others.segments.popFirst() { segments.append(segment) }
            byteCount += others.byteCount
            droppedCount += others.droppedCount
        }

        /// Drops what has not gone out.
        package mutating func removeAll() {
            segments = RingQueue()
            droppedCount += byteCount
            byteCount = 0
        }

        /// The descriptors that are to be sent before any more bytes.
        package var announced: AnnouncedDescriptors? { segments.isEmpty ? nil : segments[0].announced }

        /// Lets the bytes go out that have waited for descriptors.
        package mutating func noteAnnounced() {
            guard var segment = segments.popFirst() else { return }
            segment.announced = nil
            segments.prepend(segment)
        }

        /// Calls `body` with the next bytes to send; `nil` when there are none.
        fileprivate func withNext<R>(_ body: (UnsafeBufferPointer<SendBuffer>) -> R) -> R? {
            guard !segments.isEmpty else { return nil }
            var count = min(segments.count, Self.groupSize)
            if let next = (1..<count).first(where: { segments[$0].announced != nil }) { count = next }
            return withUnsafeTemporaryAllocation(of: SendBuffer.self, capacity: count) { buffers in
                for index in 0..<count { buffers[index] = SendBuffer(segments[index].bytes) }
                return body(UnsafeBufferPointer(buffers))
            }
        }

        /// Calls `body` with the bytes of the first segment; there has to be one.
        fileprivate func withFirst<R>(_ body: (UnsafeRawBufferPointer) -> R) -> R { body(segments[0].bytes) }

        /// Removes the first `count` bytes, which were sent.
        fileprivate mutating func drop(_ count: Int) {
            var rest = count
            byteCount -= count
            while rest > 0, var segment = segments.popFirst() {
                if segment.bytes.count > rest {
                    segment.bytes = UnsafeRawBufferPointer(rebasing: segment.bytes[rest...])
                    segments.prepend(segment)
                    return
                }
                rest -= segment.bytes.count
            }
        }
    }

    /// What came of sending.
    package enum Sending {
        /// All has gone out.
        case sent
        /// The socket takes no more for now; the rest is kept.
        case mustWait
        /// The descriptors of ``Unsent/announced`` have to be on their way first; the rest is kept.
        case mustAnnounce
        /// There is nobody who could read it; the rest is dropped.
        case peerGone
        /// The socket has failed, perhaps within a frame, so that the peer can make no sense of what it has; the rest
        /// is dropped.
        case failed
    }

    /// Sends as much as the socket takes.
    package borrowing func send(_ unsent: inout Unsent) -> Sending {
        while !unsent.isEmpty {
            if unsent.announced != nil { return .mustAnnounce }
            guard let result = unsent.withNext({ try? socket.send($0) }) else { break }
            switch result {
            case .sent(let count)?:
                unsent.drop(count)
            case .wouldBlock?:
                return .mustWait
            case .peerGone?:
                unsent.removeAll()
                return .peerGone
            case nil:
                unsent.removeAll()
                return .failed
            }
        }
        return .sent
    }

    /// What came of sending descriptors with the bytes that they are announced for.
    package enum Announcing {
        /// They are on their way; the bytes may not all be.
        case sent
        case mustWait
        /// More descriptors are on their way in the whole system than may be; nothing tells when that ends.
        case mustRetry
        case peerGone
        case failed
    }

    /// Sends the descriptors of ``Unsent/announced`` with the first of the bytes that have waited for them.
    ///
    /// For a socket of this machine, whose other end reads with ``receive(_:into:descriptors:admit:land:_:)``.
    package borrowing func sendAnnounced(_ unsent: inout Unsent) -> Announcing {
        guard let announced = unsent.announced else { return .sent }
        // Their owners live as long as the segment, which is still there.
        let result = unsent.withFirst { bytes in
            Result { () throws(SystemError) in
                try socket.send(bytes, descriptors: announced.descriptors.map(\.number))
            }
        }
        switch result {
        case .success(.sent(let count)):
            unsent.noteAnnounced()
            unsent.drop(count)
            return .sent
        case .success(.wouldBlock): return .mustWait
        case .success(.peerGone):
            unsent.removeAll()
            return .peerGone
        case .failure(let error):
            if error.errno == .tooManyReferences || error.errno == .noMemory { return .mustRetry }
            unsent.removeAll()
            return .failed
        }
    }

    /// Blocks the calling thread until the socket may take more.
    ///
    /// - Returns: False if it never will.
    package borrowing func waitForRoom() -> Bool {
        (try? socket.waitForRoom()) != nil
    }

    // MARK: Reading

    /// Reads what is there, once, and hands on each frame that is complete; the rest waits in the assembler.
    ///
    /// - Parameter buffer: Where bytes are read to, but for those of a large frame.
    /// - Throws: For bytes that are no frame, and what the closures throw.
    package borrowing func receive(
        _ assembler: inout FrameAssembler,
        into buffer: UnsafeMutableRawBufferPointer,
        admit: FrameAssembler.Admit = { _ in },
        land: FrameAssembler.Land,
        _ deliver: FrameAssembler.Deliver
    ) throws -> ReceiveResult {
        let room = assembler.room
        let result = receive(to: room, or: buffer)
        if case .received(let count) = result {
            if room != nil {
                try assembler.takeRead(count, deliver)
            } else {
                let bytes = UnsafeRawBufferPointer(rebasing: buffer[..<count])
                try assembler.take(bytes, admit: admit, land: land, deliver)
            }
        }
        return result
    }

    /// Reads as the other does, with the descriptors that came with the bytes.
    ///
    /// - Parameter descriptors: Called before the bytes are handed on, with those that came: with the bytes of at most
    ///   one frame, which begins with them.
    package borrowing func receive(
        _ assembler: inout FrameAssembler,
        into buffer: UnsafeMutableRawBufferPointer,
        descriptors take: (consuming ReceivedDescriptors) -> Void,
        land: FrameAssembler.Land,
        _ deliver: FrameAssembler.Deliver
    ) throws -> ReceiveResult {
        var descriptors = ReceivedDescriptors()
        let room = assembler.room
        let target = room ?? buffer
        let result = (try? socket.receive(into: target, descriptors: &descriptors)) ?? .endOfStream
        guard case .received(let count) = result else { return result }
        if descriptors.count > 0 || descriptors.areIncomplete { take(descriptors) }
        if room != nil {
            try assembler.takeRead(count, deliver)
        } else {
            let bytes = UnsafeRawBufferPointer(rebasing: buffer[..<count])
            try assembler.take(bytes, admit: { _ in }, land: land, deliver)
        }
        return result
    }

    /// Reads what is there, once: to where a large frame's bytes are to lie, or else into `buffer`.
    ///
    /// A socket that has failed counts as its end.
    ///
    /// - Parameters:
    ///   - room: See ``FrameAssembler/room``.
    ///   - limit: The most bytes that are read to `room`.
    package borrowing func receive(
        to room: UnsafeMutableRawBufferPointer?,
        or buffer: UnsafeMutableRawBufferPointer,
        limit: Int = .max
    ) -> ReceiveResult {
        let target = room.map { UnsafeMutableRawBufferPointer(rebasing: $0.prefix(limit)) } ?? buffer
        return (try? socket.receive(into: target)) ?? .endOfStream
    }

    /// Reads what is there; blocks the calling thread until there is something.
    ///
    /// - Returns: How many bytes were read; zero at the end.
    package borrowing func receiveSome(into buffer: UnsafeMutableRawBufferPointer) -> Int {
        (try? socket.receiveSome(into: buffer)) ?? 0
    }
}

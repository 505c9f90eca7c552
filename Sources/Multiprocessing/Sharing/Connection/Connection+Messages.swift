import MultiprocessingSystem

/// Sending and receiving.
extension Connection {
    private static var sendWait: String { "the other end of the connection took no message" }
    private static var receiveWait: String { "no message came over the connection" }

    private var sending: QueueCoding<Sent> { ConnectionCodings.coding() }
    private var receiving: QueueCoding<Received> { ConnectionCodings.coding() }

    // MARK: Sending

    /// Sends a message; blocks the calling thread while the system takes no more.
    ///
    /// - Parameters:
    ///   - message: What the other end is to receive. Handles may be in it.
    ///   - timeout: How long to wait; `nil` without a limit. Zero or less sends only if there is room.
    /// - Throws: ``SharedStateError`` with the code ``SharedStateError/Code/closed`` when nobody is left at the other end,
    ///   or this end was closed here; ``SharedStateError/Code/timedOut``; ``SharedStateError/Code/invalidArgument`` when
    ///   there are too many handles in it. What its `encode(to:)` throws. In a task that was cancelled,
    ///   `CancellationError`. Then nothing was sent.
    public func send(_ message: Sent, timeout: Duration? = nil) throws {
        try sending.encode(message) { body, attachments in
            let packet = try ConnectionPacket(body, attachments)
            try end.block(.write, timeout: timeout, Self.sendWait) { try end.trySend(packet, body) }
        }
    }

    /// Sends a message; suspends while the system takes no more.
    ///
    /// - Parameters:
    ///   - message: What the other end is to receive. Handles may be in it.
    ///   - timeout: How long to wait; `nil` without a limit. Zero or less sends only if there is room.
    /// - Throws: As the blocking one; `CancellationError` when the task was cancelled while it waited. Then nothing was
    ///   sent.
    nonisolated(nonsending) public func send(_ message: Sent, timeout: Duration? = nil) async throws {
        // The encoder is another's while this waits.
        let copy: [UInt8]? = try sending.encode(message) { body, attachments in
            let packet = try ConnectionPacket(body, attachments)
            if case .done = try end.trySend(packet, body) { return nil }
            return Array(body)
        }
        guard copy != nil else { return }
        let waiting = try sending.encode(message) { body, attachments in
            WaitingPacket(try ConnectionPacket(body, attachments), body)
        }
        try await end.suspend(.write, timeout: timeout, Self.sendWait) { try waiting.trySend(over: end) }
    }

    // MARK: Receiving

    /// Takes the next message; blocks the calling thread until there is one.
    ///
    /// - Parameter timeout: How long to wait; `nil` without a limit. Zero or less takes what is there.
    /// - Throws: ``SharedStateError`` with the code ``SharedStateError/Code/closed`` when nobody is left at the other end
    ///   and all was received, or this end was closed here; ``SharedStateError/Code/timedOut``;
    ///   ``SharedStateError/Code/outOfDescriptors`` when this process had no room for handles of the message, which is
    ///   lost then; ``SharedStateError/Code/damaged``. What its `init(from:)` throws. In a task that was cancelled,
    ///   `CancellationError`.
    public func receive(timeout: Duration? = nil) throws -> Received {
        try decode(try end.block(.read, timeout: timeout, Self.receiveWait) { try end.tryReceive() })
    }

    /// Takes the next message; suspends until there is one.
    ///
    /// - Parameter timeout: How long to wait; `nil` without a limit. Zero or less takes what is there.
    /// - Throws: As the blocking one; `CancellationError` when the task was cancelled while it waited. No message is lost
    ///   by that.
    nonisolated(nonsending) public func receive(timeout: Duration? = nil) async throws -> Received {
        try decode(try await end.suspend(.read, timeout: timeout, Self.receiveWait) { try end.tryReceive() })
    }

    /// Takes the next message if there is one; does not wait.
    ///
    /// - Returns: `nil` if nothing is there yet.
    /// - Throws: What `receive(timeout:)` throws.
    public func tryReceive() throws -> Received? {
        guard case .done(let packet) = try end.tryReceive() else { return nil }
        return try decode(packet)
    }

    private func decode(_ packet: ReceivedPacket) throws -> Received {
        defer { end.recycle(packet) }
        do {
            return try packet.read { bytes, attachments in
                let coding = receiving
                guard coding.canBe(bytes.count) else { throw SharedStateError.damagedMessage }
                return try coding.decode(bytes, attachments)
            }
        } catch {
            throw SharedStateError.undecodable(error)
        }
    }
}

/// Receiving in a loop, which ends when nobody is left at the other end, or this end is closed here.
extension Connection: AsyncSequence {
    /// Receives message after message.
    public struct AsyncIterator: AsyncIteratorProtocol {
        fileprivate let connection: Connection

        /// Takes the next message, as `receive(timeout:)`; `nil` when there will be none.
        public mutating func next() async throws -> Received? {
            try await next(isolation: #isolation)
        }

        /// Takes the next message, as `receive(timeout:)`; `nil` when there will be none.
        public mutating func next(isolation actor: isolated (any Actor)?) async throws -> Received? {
            do {
                return try await connection.receive()
            } catch let error as SharedStateError where error.code == .closed {
                return nil
            }
        }
    }

    /// Begins to receive; what is received here nobody else receives.
    public func makeAsyncIterator() -> AsyncIterator { AsyncIterator(connection: self) }
}

/// A packet that waits for room, with a body of its own.
private final class WaitingPacket: Sendable {
    private let packet: ConnectionPacket
    private let body: [UInt8]

    init(_ packet: consuming ConnectionPacket, _ body: UnsafeRawBufferPointer) {
        self.body = packet.hasBody ? Array(body) : []
        self.packet = packet
    }

    func trySend(over end: ConnectionEnd) throws -> ConnectionEnd.Attempt<Void> {
        try body.withUnsafeBytes { try end.trySend(packet, $0) }
    }
}

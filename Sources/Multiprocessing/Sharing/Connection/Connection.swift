import MultiprocessingRuntime
import MultiprocessingSystem
import Synchronization

/// One end of a way for messages between two processes or threads, in both directions.
///
/// ``pair()`` makes both ends. Each travels like any value: captured by a closure, as an input or an output, inside
/// another `Codable` value, or in a message of another connection. What is sent at one end comes out at the other,
/// whole and in order.
///
/// ```swift
/// let (mine, theirs) = try Connection<String, Int>.pair()
/// let child = try ChildProcess(.processes, theirs) { connection in
///     for try await text in connection {
///         try await connection.send(text.count)
///     }
/// }
/// try await mine.send("hello")
/// print(try await mine.receive())
/// mine.close()
/// try await child.wait()
/// ```
///
/// Any number of tasks, threads and processes may send and receive at the same end at once: each message comes whole, to
/// one of them. A sender waits while the other end has so much to read that the system takes no more. Messages are
/// encoded values of any size; other handles may be in them, some 250 a message.
///
/// The end of file comes when the other end is gone everywhere: every process that had it has closed it, let go of it or
/// died. Then what was sent can still be received; after that `receive(timeout:)` throws
/// ``SharedStateError/Code/closed`` and a loop over the connection ends. A process that has sent an end along with work
/// has it until that work has ended. On threads an end that was sent is the same end, not one more.
public struct Connection<Sent: Codable & Sendable, Received: Codable & Sendable>: Portable, Hashable {
    // Two fields, because a closure whose only capture is a reference has nothing that says what it captures.
    private let handle: ConnectionHandle
    let end: ConnectionEnd

    private init(_ handle: ConnectionHandle, _ end: ConnectionEnd) {
        self.handle = handle
        self.end = end
    }

    /// Makes the two ends of a connection.
    ///
    /// - Returns: An end that sends `Sent` and receives `Received`, and one for which it is the other way round.
    /// - Throws: ``SharedStateError`` if the system has no descriptors left.
    public static func pair() throws -> (Connection<Sent, Received>, Connection<Received, Sent>) {
        let sockets: SocketPair
        do throws(SystemError) {
            StandardStreams.fillClosed()
            sockets = try SocketPair(.messages)
        } catch {
            throw SharedStateError.system(error)
        }
        let (first, second) = sockets.takeDescriptors()
        return (try Connection(first), try Connection<Received, Sent>(second))
    }

    fileprivate init(_ socket: OpenDescriptor) throws {
        let object = try SharedObject.make(
            .connection, pages: nil, descriptors: [socket], details: Self.messageNames)
        self.init(ConnectionHandle(object), object.contents.local { _ in ConnectionEnd(socket) })
    }

    /// What the messages are called, so that nobody takes them for something else.
    private static var messageNames: [UInt8] {
        Array("\(readableName(of: Sent.self)), \(readableName(of: Received.self))".utf8.prefix(4_096))
    }

    // MARK: Being sent

    /// Takes an end that was sent.
    public init(from decoder: any Decoder) throws {
        let object = try decoder.sharedObject(.connection, for: Self.self)
        guard object.details == Self.messageNames else {
            let names = String(decoding: object.details, as: UTF8.self)
            throw DecodingError.typeMismatch(
                Self.self,
                .init(
                    codingPath: decoder.codingPath,
                    debugDescription: "what was sent is a Connection<\(names)>; decode it as what it was encoded"))
        }
        let end = try object.contents.local { contents in
            guard let socket = contents.descriptors.first else { throw PortableFailure.unexpectedAttachment }
            return ConnectionEnd(socket)
        }
        self.init(ConnectionHandle(object), end)
    }

    /// Sends this end to another process of the tree, which has it too then.
    public func encode(to encoder: any Encoder) throws {
        guard let object = handle.object, !end.isClosed else { throw SharedStateError.connectionClosedHere }
        try encoder.encode(shared: object, for: self)
    }

    /// Whether the two are the same end.
    public static func == (first: Connection, second: Connection) -> Bool { first.handle.id == second.handle.id }

    /// Hashes which end it is.
    public func hash(into hasher: inout Hasher) { hasher.combine(handle.id) }

    // MARK: The end

    /// Closes this end in this process; returns at once.
    ///
    /// Who waits here to send or receive gets an error with the code ``SharedStateError/Code/closed``. Other processes
    /// that have this end keep it. Calling it again does nothing. An end that nobody in the process has any more is
    /// closed too, so there is no need for it where that is so.
    public func close() {
        end.close()
        handle.release()
    }

    /// Whether this end was closed in this process.
    public var isClosed: Bool { end.isClosed }
}

extension Connection: CustomStringConvertible {
    /// What it sends and receives, and whether it was closed.
    public var description: String {
        "Connection<\(Sent.self), \(Received.self)>(\(isClosed ? "closed" : "open"))"
    }
}

/// What keeps an end open in this process, and sends it to others, until it is closed.
///
/// Apart from ``ConnectionEnd``, which the shared object keeps and which must not keep that.
final class ConnectionHandle: Sendable {
    let id: SharedID
    private let state: Mutex<SharedObject?>

    init(_ object: SharedObject) {
        id = object.id
        state = Mutex(object)
    }

    var object: SharedObject? { state.withLock { $0 } }

    func release() {
        // Let go of outside of the lock.
        let object = state.withLock { $0.take() }
        _ = consume object
    }
}

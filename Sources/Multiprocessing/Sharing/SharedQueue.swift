import MultiprocessingCoding
import MultiprocessingRuntime
import MultiprocessingSystem

/// A queue of values between any number of processes and threads.
///
/// It travels like any value: captured by a closure, as an input or an output, or inside another `Codable` value, to
/// workers and from them, at any time. A copy is the same queue. On threads it works as well.
///
/// ```swift
/// let lines = try SharedQueue<String>(capacity: 1_000)
/// async let count = pool.run {
///     var count = 0
///     for try await line in lines where line.contains("error") { count += 1 }
///     return count
/// }
/// for line in log { try await lines.send(line) }
/// lines.close()
/// ```
///
/// Items come out in the order in which they went in, each once. A process may die at any moment, in the middle of
/// sending or receiving too: no item is ever half there, there twice, or out of order, and nobody waits for the dead. An
/// item that a process has received is that process's, and is lost if it dies; `lease(timeout:)` is for items that
/// are to be delivered again then.
///
/// The queue is memory that all who have it share. Sending copies the value's bytes into it, receiving copies them
/// out; nothing goes through the parent of the workers. It takes memory as it fills, up to its `byteLimit`, and lives as
/// long as anybody has it.
public struct SharedQueue<Element: Codable & Sendable>: Portable, Hashable {
    // Two fields, because a closure whose only capture is a reference has nothing that says what it captures.
    private let object: SharedObject
    @usableFromInline let store: QueueStore<Element>

    /// Makes an empty queue.
    ///
    /// - Parameters:
    ///   - capacity: The most items at a time, from 1; senders wait for room. `nil` for as many as fit.
    ///   - byteLimit: How many bytes the items may take together, each with 16 more, rounded up to 16: what is shared
    ///     in memory, and only as far as it is used. One item may have half of it. At least 256 KiB are there.
    /// - Throws: ``SharedStateError`` with the code ``SharedStateError/Code/invalidArgument`` for a capacity or limit
    ///   below 1 or above 16,777,215 items; or if the system has no memory or descriptors left.
    public init(capacity: Int? = nil, byteLimit: Int = 1 << 30) throws {
        if let capacity, !(1...QueueCursor.itemLimit).contains(capacity) {
            throw SharedStateError(
                .invalidArgument,
                "a queue for \(capacity) items cannot be made; give it a capacity from 1 to \(QueueCursor.itemLimit), or none"
            )
        }
        guard byteLimit > 0 else {
            throw SharedStateError(
                .invalidArgument, "a queue of \(byteLimit) bytes cannot be made; give it a byteLimit above 0")
        }
        do throws(SystemError) {
            // Locks need a number.
            _ = try LifePage.current
            let memory = try QueueMemory(QueueShape(capacity: capacity, byteLimit: byteLimit))
            store = QueueStore(QueueRing(memory))
        } catch {
            throw SharedStateError.system(error)
        }
        object = try SharedObject.make(
            .queue, pages: nil, descriptors: store.ring.memory.descriptors, details: Self.elementName)
        let made = store
        _ = object.contents.local { _ in made }
    }

    /// What the elements are called, so that nobody takes them for something else.
    private static var elementName: [UInt8] { Array(readableName(of: Element.self).utf8.prefix(4_096)) }

    /// Takes a queue that was sent.
    public init(from decoder: any Decoder) throws {
        object = try decoder.sharedObject(.queue, for: Self.self)
        guard object.details == Self.elementName else {
            let name = String(decoding: object.details, as: UTF8.self)
            throw DecodingError.typeMismatch(
                Self.self,
                .init(
                    codingPath: decoder.codingPath,
                    debugDescription: "what was sent is a SharedQueue<\(name)>; decode it as what it was encoded"))
        }
        store = try object.contents.local { contents in
            guard contents.descriptors.count == 2 else { throw PortableFailure.unexpectedAttachment }
            do {
                return QueueStore(
                    QueueRing(
                        try QueueMemory(mapping: contents.descriptors[0], DescriptorStore(contents.descriptors[1]))))
            } catch let error as SystemError {
                throw SharedStateError.system(error)
            }
        }
    }

    /// Sends the queue itself, not its items; only to other processes of the tree.
    public func encode(to encoder: any Encoder) throws {
        try encoder.encode(shared: object, for: self)
    }

    /// Whether the two are the same queue.
    public static func == (first: SharedQueue, second: SharedQueue) -> Bool { first.object == second.object }

    /// Hashes which queue it is.
    public func hash(into hasher: inout Hasher) { hasher.combine(object) }

    // MARK: What is in it

    /// How many items are in the queue now: those sent and not received.
    public var count: Int {
        let memory = store.ring.memory
        // The head first: seen later it could have passed the tail.
        let head = memory.head
        return memory.tail.items(since: head)
    }

    /// Whether nothing is in the queue now.
    public var isEmpty: Bool { count == 0 }

    /// Whether ``close()`` was called, in whatever process.
    public var isClosed: Bool { store.ring.memory.tail.isClosed }

    /// Ends sending, for all processes; what is in the queue can still be received.
    ///
    /// Who sends from now on, or waits to send, gets an error with the code ``SharedStateError/Code/closed``. Who
    /// receives gets that when the queue is empty, and loops over the queue end. Does not block; calling it again does
    /// nothing.
    public func close() {
        let memory = store.ring.memory
        memory.close()
        memory.items.ringForAll()
        memory.room.ringForAll()
    }
}

/// What this process has of a queue: the way to its memory, and the way of its elements.
@usableFromInline
final class QueueStore<Element: Codable & Sendable>: Sendable {
    @usableFromInline let ring: QueueRing
    let coding = QueueCoding<Element>.make()
    /// How many bytes every element takes, if they are its bits.
    let bitSize: Int?
    /// Whether they are; code of the caller's module reads this, where the type is known.
    @usableFromInline let isBits: Bool
    let isPlain: Bool

    init(_ ring: QueueRing) {
        self.ring = ring
        bitSize = coding.bitSize
        isBits = bitSize != nil
        isPlain = coding.isPlain
    }
}

import MultiprocessingCoding
import MultiprocessingSystem

extension SharedQueue {
    /// Takes the first value; blocks the calling thread while the queue is empty.
    ///
    /// - Parameter timeout: How long to wait; `nil` without a limit. Zero or less takes only what is there.
    /// - Throws: ``SharedStateError`` with the code ``SharedStateError/Code/timedOut``,
    ///   ``SharedStateError/Code/closed`` when the queue is closed and empty, or ``SharedStateError/Code/damaged``;
    ///   what the value's `init(from:)` throws: it is not in the queue any more then; `CancellationError` on a task that
    ///   is cancelled while it waits.
    @inlinable
    public func receive(timeout: Duration? = nil) throws -> Element {
        if let element = receiveSimply() { return element }
        return try blockToReceive(timeout)
    }

    /// Takes the first value if it is its bits and nothing is out of the ordinary.
    @inlinable
    @inline(__always)
    func receiveSimply() -> Element? {
        guard store.isBits else { return nil }
        return withUnsafeTemporaryAllocation(of: Element.self, capacity: 1) { room in
            let place = UnsafeMutableRawBufferPointer(
                start: room.baseAddress, count: MemoryLayout<Element>.size)
            return store.ring.takeSimply(into: place) ? room.baseAddress.unsafelyUnwrapped.move() : nil
        }
    }

    @usableFromInline
    func blockToReceive(_ timeout: Duration?) throws -> Element {
        let limit = QueueLimit(timeout)
        if store.bitSize != nil {
            return try store.receiveBits { place in
                _ = try store.ring.block(for: .items, limit) { try store.takeBits(to: place, $0) }
            }
        }
        return try store.ring.block(for: .items, limit) { try store.takeOne($0) }.element(store)
    }

    /// Takes the first value; suspends while the queue is empty.
    ///
    /// - Parameter timeout: How long to wait; `nil` without a limit. Zero or less takes only what is there.
    /// - Throws: ``SharedStateError`` with the code ``SharedStateError/Code/timedOut``,
    ///   ``SharedStateError/Code/closed`` when the queue is closed and empty, or ``SharedStateError/Code/damaged``;
    ///   what the value's `init(from:)` throws: it is not in the queue any more then; `CancellationError` if the task is
    ///   cancelled while it waits.
    @inlinable
    nonisolated(nonsending) public func receive(timeout: Duration? = nil) async throws -> Element {
        if let element = receiveSimply() { return element }
        return try await suspendToReceive(timeout)
    }

    @usableFromInline
    nonisolated(nonsending) func suspendToReceive(_ timeout: Duration?) async throws -> Element {
        if let element = try receiveNow() { return element }
        let store = store
        return try await store.ring.suspend(for: .items, QueueLimit(timeout)) { try store.takeOne($0) }.element(store)
    }

    /// Takes the first value if there is one; takes some microseconds at most.
    ///
    /// - Returns: `nil` if the queue is empty.
    /// - Throws: What `receive(timeout:)` throws, apart from running out of time.
    @inlinable
    public func tryReceive() throws -> Element? {
        if let element = receiveSimply() { return element }
        return try receiveNow()
    }

    @usableFromInline
    func receiveNow() throws -> Element? {
        if store.bitSize != nil {
            return try store.receiveBitsNow()
        }
        return try store.ring.tryNow(for: .items) { try store.takeOne($0) }?.element(store)
    }

    /// Takes the first values, at least one; blocks the calling thread while the queue is empty.
    ///
    /// - Parameters:
    ///   - count: The most to take, from 1. No more than are there are waited for, and 1 MiB and the value that goes
    ///     beyond it are taken at most.
    ///   - timeout: How long to wait; `nil` without a limit.
    /// - Throws: What `receive(timeout:)` throws, and ``SharedStateError/Code/invalidArgument`` for a count below 1.
    ///   If one of the values cannot be decoded, none of them is in the queue any more.
    public func receive(atMost count: Int, timeout: Duration? = nil) throws -> [Element] {
        try Self.check(count)
        return try store.ring.block(for: .items, QueueLimit(timeout)) { try store.take(count, $0) }.elements(store)
    }

    /// Takes the first values, at least one; suspends while the queue is empty.
    ///
    /// - Parameters:
    ///   - count: The most to take, from 1. No more than are there are waited for, and 1 MiB and the value that goes
    ///     beyond it are taken at most.
    ///   - timeout: How long to wait; `nil` without a limit.
    /// - Throws: What `receive(timeout:)` throws, and ``SharedStateError/Code/invalidArgument`` for a count below 1.
    ///   If one of the values cannot be decoded, none of them is in the queue any more.
    nonisolated(nonsending) public func receive(atMost count: Int, timeout: Duration? = nil) async throws -> [Element] {
        try Self.check(count)
        let store = store
        return try await store.ring.suspend(for: .items, QueueLimit(timeout)) { try store.take(count, $0) }
            .elements(store)
    }

    private static func check(_ count: Int) throws {
        guard count > 0 else {
            throw SharedStateError(
                .invalidArgument, "at most \(count) items cannot be received; ask for 1 or more, or tryReceive()")
        }
    }
}

extension SharedQueue: AsyncSequence {
    /// Takes values until the queue is closed and empty.
    public struct AsyncIterator: AsyncIteratorProtocol {
        @usableFromInline let queue: SharedQueue

        @usableFromInline
        init(_ queue: SharedQueue) { self.queue = queue }

        /// The first value of the queue, once there is one; `nil` when the queue is closed and empty.
        ///
        /// - Throws: What `receive(timeout:)` throws, apart from the end.
        @inlinable
        public mutating func next() async throws -> Element? {
            do {
                return try await queue.receive()
            } catch let error as SharedStateError where error.code == .closed {
                return nil
            }
        }

        /// The first value of the queue, once there is one; `nil` when the queue is closed and empty.
        ///
        /// - Throws: What `receive(timeout:)` throws, apart from the end.
        @inlinable
        public mutating func next(isolation actor: isolated (any Actor)?) async throws -> Element? {
            do {
                return try await queue.receive()
            } catch let error as SharedStateError where error.code == .closed {
                return nil
            }
        }
    }

    /// Begins a loop that takes values; several loops share them.
    @inlinable
    public func makeAsyncIterator() -> AsyncIterator { AsyncIterator(self) }
}

/// What was taken out of a queue: elements already, or bytes that code of a user's makes elements of.
enum QueueTaken<Element: Codable & Sendable> {
    case element(Element)
    case elements([Element])
    case bytes(QueueBytes)

    func element(_ store: QueueStore<Element>) throws -> Element {
        switch self {
        case .element(let element): return element
        case .elements(let elements): return elements[0]
        case .bytes(let bytes): return try bytes.decode(0, store.coding)
        }
    }

    func elements(_ store: QueueStore<Element>) throws -> [Element] {
        switch self {
        case .element(let element): return [element]
        case .elements(let elements): return elements
        case .bytes(let bytes): return try (0..<bytes.count).map { try bytes.decode($0, store.coding) }
        }
    }
}

/// The bytes of items that were taken, one behind another, and what came beside the one that had something.
struct QueueBytes {
    private let buffer: ByteBuffer
    private var ends: [Int] = []
    private var attachments: ReceivedAttachments?

    init(capacity: Int) { buffer = ByteBuffer(capacity: capacity) }

    var count: Int { ends.count }
    var size: Int { buffer.count }

    mutating func append(_ bytes: UnsafeRawBufferPointer) {
        buffer.append(contentsOf: bytes)
        ends.append(buffer.count)
    }

    /// Appends an item with what travels beside it.
    mutating func append(_ bytes: UnsafeRawBufferPointer, _ hasObjects: Bool, _ ring: QueueRing) throws {
        guard hasObjects else { return append(bytes) }
        let (item, attachments) = try ring.receiveObjects(bytes)
        append(item)
        self.attachments = attachments
    }

    func decode<Element>(_ index: Int, _ coding: QueueCoding<Element>) throws -> Element {
        try buffer.withUnsafeBytes { bytes in
            let start = index == 0 ? 0 : ends[index - 1]
            return try coding.decode(UnsafeRawBufferPointer(rebasing: bytes[start..<ends[index]]), attachments)
        }
    }
}

extension QueueStore {
    private static var turnSize: Int { 1 << 20 }

    // MARK: One

    /// Takes one element whose bits are its value; `place` has room for them.
    func takeBits(to place: UnsafeMutableRawPointer, _ hasSlept: Bool) throws -> QueueRing.Turn<Int> {
        let size = bitSize.unsafelyUnwrapped
        let turn = try ring.takeBits(1, size: size, to: place, hasSlept: hasSlept)
        if ring.memory.head.segment > QueueShape.keptSegment { try ring.giveBackMemory(lastItem: size) }
        return turn
    }

    /// Calls `body` to fill in an element's bits.
    @inline(__always)
    func receiveBits(_ body: (UnsafeMutableRawPointer) throws -> Void) throws -> Element {
        try withUnsafeTemporaryAllocation(of: Element.self, capacity: 1) { room in
            let place = room.baseAddress.unsafelyUnwrapped
            try body(UnsafeMutableRawPointer(place))
            return place.move()
        }
    }

    func receiveBitsNow() throws -> Element? {
        try withUnsafeTemporaryAllocation(of: Element.self, capacity: 1) { room in
            let place = room.baseAddress.unsafelyUnwrapped
            guard try ring.tryNow(for: .items, { try takeBits(to: UnsafeMutableRawPointer(place), $0) }) != nil else {
                return nil
            }
            return place.move()
        }
    }

    /// Takes one item.
    func takeOne(_ hasSlept: Bool) throws -> QueueRing.Turn<QueueTaken<Element>> {
        var taken: QueueTaken<Element>?
        var size = 0
        let turn = try ring.take(1, hasSlept: hasSlept) { bytes, hasObjects in
            size = bytes.count
            if isPlain {
                taken = .element(try coding.decode(bytes))
            } else {
                var copy = QueueBytes(capacity: bytes.count)
                try copy.append(bytes, hasObjects, ring)
                taken = .bytes(copy)
            }
            return true
        }
        return try finish(turn, taken, lastItem: size)
    }

    private func finish(
        _ turn: QueueRing.Turn<Int>, _ taken: QueueTaken<Element>?, lastItem: Int
    ) throws -> QueueRing.Turn<QueueTaken<Element>> {
        guard case .done = turn, let taken else { return .wait }
        if ring.memory.head.segment > QueueShape.keptSegment { try ring.giveBackMemory(lastItem: lastItem) }
        return .done(taken)
    }

    // MARK: Several

    func take(_ most: Int, _ hasSlept: Bool) throws -> QueueRing.Turn<QueueTaken<Element>> {
        if let bitSize { return try takeBits(most, size: bitSize, hasSlept) }
        var elements: [Element] = []
        var copies = QueueBytes(capacity: 0)
        var size = 0
        var last = 0
        let turn = try ring.take(most, hasSlept: hasSlept) { bytes, hasObjects in
            // One that refers to something comes alone.
            guard size < Self.turnSize, !hasObjects || size == 0 else { return false }
            last = bytes.count
            size += bytes.count + 1
            if isPlain {
                elements.append(try coding.decode(bytes))
            } else {
                try copies.append(bytes, hasObjects, ring)
                if hasObjects { size = Self.turnSize }
            }
            return true
        }
        return try finish(turn, isPlain ? .elements(elements) : .bytes(copies), lastItem: last)
    }

    private func takeBits(_ most: Int, size: Int, _ hasSlept: Bool) throws -> QueueRing.Turn<QueueTaken<Element>> {
        let there = max(ring.memory.tail.items(since: ring.memory.head), 1)
        let limit = min(most, there, Self.turnSize / size)
        var turn = QueueRing.Turn<Int>.wait
        let elements = try [Element](unsafeUninitializedCapacity: limit) { room, count in
            let place = UnsafeMutableRawPointer(room.baseAddress.unsafelyUnwrapped)
            turn = try ring.takeBits(limit, size: size, to: place, hasSlept: hasSlept)
            // Bits need no destroying when the call has thrown.
            if case .done(let taken) = turn { count = taken }
        }
        return try finish(turn, .elements(elements), lastItem: size)
    }
}

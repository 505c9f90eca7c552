import MultiprocessingCoding
import MultiprocessingSystem

extension SharedQueue {
    /// Sends a value; blocks the calling thread while the queue is full.
    ///
    /// - Parameters:
    ///   - element: What is sent.
    ///   - timeout: How long to wait for room; `nil` without a limit. Zero or less sends only if there is room.
    /// - Throws: ``SharedStateError`` with the code ``SharedStateError/Code/timedOut``,
    ///   ``SharedStateError/Code/closed``, or ``SharedStateError/Code/invalidArgument`` for a value that is larger than
    ///   the queue allows; what the value's `encode(to:)` throws; `CancellationError` on a task that is cancelled while
    ///   it waits. Nothing was sent then.
    @inlinable
    public func send(_ element: Element, timeout: Duration? = nil) throws {
        if !sendSimply(element) { try blockToSend(element, timeout) }
    }

    /// Sends bits if that needs nothing out of the ordinary.
    @inlinable
    @inline(__always)
    func sendSimply(_ element: Element) -> Bool {
        store.isBits && withUnsafeBytes(of: element) { store.ring.putSimply($0) }
    }

    @usableFromInline
    func blockToSend(_ element: Element, _ timeout: Duration?) throws {
        let ring = store.ring
        if store.bitSize != nil {
            return try withUnsafeBytes(of: element) { try ring.blockToSend(QueuePayloads($0), QueueLimit(timeout)) }
        }
        try store.coding.encode(element) { bytes, attachments in
            try ring.withPayload(bytes, attachments) { try ring.blockToSend($0, QueueLimit(timeout)) }
        }
    }

    /// Sends a value; suspends while the queue is full.
    ///
    /// - Parameters:
    ///   - element: What is sent.
    ///   - timeout: How long to wait for room; `nil` without a limit. Zero or less sends only if there is room.
    /// - Throws: ``SharedStateError`` with the code ``SharedStateError/Code/timedOut``,
    ///   ``SharedStateError/Code/closed``, or ``SharedStateError/Code/invalidArgument`` for a value that is larger than
    ///   the queue allows; what the value's `encode(to:)` throws; `CancellationError` if the task is cancelled while it
    ///   waits. Nothing was sent then.
    @inlinable
    nonisolated(nonsending) public func send(_ element: Element, timeout: Duration? = nil) async throws {
        if !sendSimply(element) { try await suspendToSend(element, timeout) }
    }

    @usableFromInline
    nonisolated(nonsending) func suspendToSend(_ element: Element, _ timeout: Duration?) async throws {
        let ring = store.ring
        let limit = QueueLimit(timeout)
        let waiting = try store.coding.encode(element) { bytes, attachments -> WaitingItem? in
            try ring.withPayload(bytes, attachments) { try ring.sendNow($0) ? nil : WaitingItem($0[0], attachments) }
        }
        guard let waiting else { return }
        try await ring.suspendToSend(waiting, limit)
    }

    /// Sends a value if that needs no waiting, which takes some microseconds at most.
    ///
    /// - Returns: Whether it was sent.
    /// - Throws: What `send(_:timeout:)` throws, apart from running out of time.
    @inlinable
    public func trySend(_ element: Element) throws -> Bool {
        if sendSimply(element) { return true }
        return try sendNow(element)
    }

    @usableFromInline
    func sendNow(_ element: Element) throws -> Bool {
        let ring = store.ring
        return try store.coding.encode(element) { bytes, attachments in
            try ring.withPayload(bytes, attachments) { try ring.sendNow($0) }
        }
    }

    /// Sends values in order, many at a time; blocks the calling thread while the queue is full.
    ///
    /// Those of other senders may come in between.
    ///
    /// - Parameters:
    ///   - elements: What is sent.
    ///   - timeout: How long to wait in all; `nil` without a limit.
    /// - Throws: What `send(_:timeout:)` throws; the values at the front may have been sent then.
    @inlinable
    public func send(contentsOf elements: some Sequence<Element>, timeout: Duration? = nil) throws {
        try blockToSend(all: Array(elements), timeout)
    }

    @usableFromInline
    func blockToSend(all elements: [Element], _ timeout: Duration?) throws {
        let ring = store.ring
        let limit = QueueLimit(timeout)
        if let size = store.bitSize {
            guard !elements.isEmpty else { return }
            return try elements.withUnsafeBytes { try ring.blockToSend(QueuePayloads($0, size: size), limit) }
        }
        var batch = QueueBatch(store.coding, elements)
        while let part = try batch.next(ring) {
            try part.withPayloads { try ring.blockToSend($0, limit) }
        }
    }

    /// Sends values in order, many at a time; suspends while the queue is full.
    ///
    /// Those of other senders may come in between.
    ///
    /// - Parameters:
    ///   - elements: What is sent.
    ///   - timeout: How long to wait in all; `nil` without a limit.
    /// - Throws: What `send(_:timeout:)` throws; the values at the front may have been sent then.
    @inlinable
    nonisolated(nonsending) public func send(
        contentsOf elements: some Sequence<Element>, timeout: Duration? = nil
    ) async throws {
        try await suspendToSend(all: Array(elements), timeout)
    }

    @usableFromInline
    nonisolated(nonsending) func suspendToSend(all elements: [Element], _ timeout: Duration?) async throws {
        let ring = store.ring
        let limit = QueueLimit(timeout)
        if let size = store.bitSize {
            guard !elements.isEmpty else { return }
            var next = 0
            return try await ring.suspend(for: .room(units: QueueShape.units(for: size)), limit) { hasSlept in
                try elements.withUnsafeBytes {
                    try ring.put(QueuePayloads($0, size: size), from: &next, hasSlept: hasSlept)
                }
            }
        }
        var batch = QueueBatch(store.coding, elements)
        while let part = try batch.next(ring) { try await ring.suspendToSend(part, limit) }
    }
}

/// The bytes of items while their sender is suspended.
final class WaitingItem: @unchecked Sendable {
    // Sendable: one task has it.
    private let buffer: ByteBuffer
    private let ends: [Int]
    private let attachments: [Attachment]
    let largest: Int

    init(_ bytes: UnsafeRawBufferPointer, _ attachments: [Attachment]) {
        buffer = ByteBuffer(capacity: bytes.count)
        buffer.append(contentsOf: bytes)
        ends = [bytes.count]
        largest = bytes.count
        self.attachments = attachments
    }

    /// - Parameter buffer: Not to be changed before the items are sent.
    init(_ buffer: ByteBuffer, ends: [Int], largest: Int, _ attachments: [Attachment]) {
        self.buffer = buffer
        self.ends = ends
        self.largest = largest
        self.attachments = attachments
    }

    func withPayloads<Result>(_ body: (QueuePayloads) throws -> Result) throws -> Result {
        try buffer.withUnsafeBytes { bytes in
            try ends.withUnsafeBufferPointer { ends in
                try body(QueuePayloads(bytes, ends: ends, largest: largest, attachments))
            }
        }
    }
}

/// Values on their way into a queue, encoded as many at a time as is worth a turn of the lock.
private struct QueueBatch<Element: Codable & Sendable>: ~Copyable {
    private static var turnSize: Int { 1 << 18 }

    private let coding: QueueCoding<Element>
    private let elements: [Element]
    private let encoder: QueueEncoder
    private var position = 0

    init(_ coding: QueueCoding<Element>, _ elements: [Element]) {
        self.coding = coding
        self.elements = elements
        encoder = coding.takeEncoder()
    }

    deinit { coding.keep(encoder) }

    /// The next items; the ones before must have been sent.
    mutating func next(_ ring: QueueRing) throws -> WaitingItem? {
        encoder.removeAll()
        var ends: [Int] = []
        var largest = 0
        while position < elements.count, encoder.buffer.count < Self.turnSize {
            let start = encoder.buffer.count
            do {
                try coding.append(elements[position], to: encoder)
                try ring.checkSize(encoder.buffer.count - start)
            } catch  where !ends.isEmpty {
                // Those before it first; it fails again then.
                encoder.buffer.truncate(to: start)
                break
            }
            guard ends.isEmpty || encoder.attachments.isEmpty else {
                encoder.buffer.truncate(to: start)
                break
            }
            position += 1
            ends.append(encoder.buffer.count)
            largest = max(largest, encoder.buffer.count - start)
            if !encoder.attachments.isEmpty { break }
        }
        let attachments = encoder.attachments
        guard !attachments.isEmpty else {
            return ends.isEmpty ? nil : WaitingItem(encoder.buffer, ends: ends, largest: largest, [])
        }
        return try encoder.buffer.withUnsafeBytes { bytes in
            try ring.withPayload(bytes, attachments) { WaitingItem($0[0], attachments) }
        }
    }
}

extension QueueRing {
    func checkSize(_ size: Int) throws {
        guard size <= memory.shape.largestItem else {
            throw SharedStateError.tooLarge(size, limit: memory.shape.largestItem)
        }
    }

    /// Calls `body` with one item and what it refers to.
    func withPayload<Result>(
        _ bytes: UnsafeRawBufferPointer, _ attachments: [Attachment], _ body: (QueuePayloads) throws -> Result
    ) throws -> Result {
        guard !attachments.isEmpty else {
            try checkSize(bytes.count)
            return try body(QueuePayloads(bytes))
        }
        let all = try QueueObjects.bytes(bytes, attachments)
        try checkSize(all.count)
        return try all.withUnsafeBytes { try body(QueuePayloads($0, attachments)) }
    }

    func blockToSend(_ payloads: QueuePayloads, _ limit: QueueLimit) throws {
        var next = 0
        try block(for: .room(units: payloads.largestUnits), limit) {
            try put(payloads, from: &next, hasSlept: $0)
        }
    }

    func sendNow(_ payloads: QueuePayloads) throws -> Bool {
        var next = 0
        return try tryNow(for: .room(units: payloads.largestUnits)) {
            try put(payloads, from: &next, hasSlept: $0)
        } != nil
    }

    nonisolated(nonsending) func suspendToSend(_ item: WaitingItem, _ limit: QueueLimit) async throws {
        var next = 0
        try await suspend(for: .room(units: QueueShape.units(for: item.largest)), limit) { hasSlept in
            try item.withPayloads { try put($0, from: &next, hasSlept: hasSlept) }
        }
    }
}

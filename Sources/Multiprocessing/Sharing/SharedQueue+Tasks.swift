import MultiprocessingCoding
import MultiprocessingSystem

extension SharedQueue {
    /// Says that this process is done with one of the items that it has received.
    ///
    /// Only for `join(timeout:)`; who does not call that need not call this. To be called in the process that has
    /// received the item.
    ///
    /// - Throws: ``SharedStateError`` with the code ``SharedStateError/Code/notHeld`` if it is called more often than
    ///   this process has received items.
    public func taskDone() throws { try store.ring.finishTask() }

    /// Waits until all items were received and are done; blocks the calling thread.
    ///
    /// Done are items for which ``taskDone()`` was called, leases that were completed, and what was received by
    /// processes that have died.
    ///
    /// - Parameter timeout: How long to wait; `nil` without a limit.
    /// - Throws: ``SharedStateError`` with the code ``SharedStateError/Code/timedOut``; `CancellationError` on a task
    ///   that is cancelled while it waits.
    public func join(timeout: Duration? = nil) throws { try store.ring.join(QueueLimit(timeout)) }

    /// Waits until all items were received and are done; suspends.
    ///
    /// Done are items for which ``taskDone()`` was called, leases that were completed, and what was received by
    /// processes that have died.
    ///
    /// - Parameter timeout: How long to wait; `nil` without a limit.
    /// - Throws: ``SharedStateError`` with the code ``SharedStateError/Code/timedOut``; `CancellationError` if the task
    ///   is cancelled while it waits.
    nonisolated(nonsending) public func join(timeout: Duration? = nil) async throws {
        try await store.ring.join(QueueLimit(timeout))
    }

    /// Takes the first value for as long as it is worked on; blocks the calling thread while the queue is empty.
    ///
    /// When the process dies before it has called ``SharedQueueLease/complete()``, the value is delivered again, to
    /// whoever receives or borrows next, ahead of what is in the queue; at most three times in all. A value that holds
    /// handles cannot be lent, and at most 64 are at a time.
    ///
    /// - Parameter timeout: How long to wait; `nil` without a limit.
    /// - Throws: What `receive(timeout:)` throws; ``SharedStateError`` with the code
    ///   ``SharedStateError/Code/unavailable`` if too many are lent, or ``SharedStateError/Code/notPortable`` for a
    ///   value that cannot be.
    public func lease(timeout: Duration? = nil) throws -> SharedQueueLease<Element> {
        try store.ring.block(for: .items, QueueLimit(timeout)) { try store.lend($0) }.lease(store)
    }

    /// Takes the first value for as long as it is worked on; suspends while the queue is empty.
    ///
    /// When the process dies before it has called ``SharedQueueLease/complete()``, the value is delivered again, to
    /// whoever receives or borrows next, ahead of what is in the queue; at most three times in all. A value that holds
    /// handles cannot be lent, and at most 64 are at a time.
    ///
    /// - Parameter timeout: How long to wait; `nil` without a limit.
    /// - Throws: What `receive(timeout:)` throws; ``SharedStateError`` with the code
    ///   ``SharedStateError/Code/unavailable`` if too many are lent, or ``SharedStateError/Code/notPortable`` for a
    ///   value that cannot be.
    nonisolated(nonsending) public func lease(timeout: Duration? = nil) async throws -> SharedQueueLease<Element> {
        let store = store
        return try await store.ring.suspend(for: .items, QueueLimit(timeout)) { try store.lend($0) }.lease(store)
    }
}

/// A value of a queue that is lent to this process until it says that it is done with it.
///
/// ```swift
/// let lease = try await queue.lease()
/// try await store(lease.value)
/// try lease.complete()
/// ```
///
/// When the last reference goes before that, the value is delivered again.
public final class SharedQueueLease<Element: Codable & Sendable>: Sendable {
    /// The value.
    public let value: Element

    /// How often the value has been lent, from 1.
    public let attempt: Int

    /// Whether it was lent before, to a process that has died or given it back: what it stands for may be half done.
    public var isRedelivered: Bool { attempt > 1 }

    private let ring: QueueRing
    private let ticket: QueueLeaseTicket

    init(_ value: Element, _ ticket: QueueLeaseTicket, _ ring: QueueRing) {
        self.value = value
        self.ticket = ticket
        self.ring = ring
        attempt = ticket.attempt
    }

    deinit { ring.giveBack(ticket, counts: false) }

    /// Says that the value is done with, so that it is not delivered again.
    ///
    /// - Throws: ``SharedStateError`` with the code ``SharedStateError/Code/notHeld`` if that was said before.
    public func complete() throws {
        guard ring.complete(ticket) else { throw SharedStateError.notHeld("the lease") }
    }
}

/// A lease whose bytes are no value yet.
struct QueueLent {
    let ticket: QueueLeaseTicket
    let bytes: QueueBytes

    func lease<Element>(_ store: QueueStore<Element>) throws -> SharedQueueLease<Element> {
        do {
            return SharedQueueLease(try bytes.decode(0, store.coding), ticket, store.ring)
        } catch {
            store.ring.giveBack(ticket, counts: true)
            throw error
        }
    }
}

extension QueueStore {
    func lend(_ hasSlept: Bool) throws -> QueueRing.Turn<QueueLent> {
        var copy = QueueBytes(capacity: 0)
        switch try ring.lend(hasSlept: hasSlept, { copy.append($0) }) {
        case .done(let ticket): return .done(QueueLent(ticket: ticket, bytes: copy))
        case .wait: return .wait
        case .retry: return .retry
        }
    }
}

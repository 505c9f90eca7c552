import MultiprocessingSystem

/// What happens in a pool from when ``Pool/events`` was read, as an asynchronous sequence.
///
/// ```swift
/// Task { [events = pool.events] in
///     for await event in events { print(event) }
/// }
/// ```
///
/// Any number of readers read at the same time, each at its pace. A reader may be 8,192 events behind; to one that
/// is slower the oldest are lost, and it gets a ``PoolEvent/Kind/missed(_:)`` in their place. It never slows the pool.
/// The sequence ends when the pool has ended, and when the reading task is cancelled. It does not keep the pool alive.
public struct PoolEvents: AsyncSequence, Sendable {
    /// What the sequence consists of.
    public typealias Element = PoolEvent
    /// Reading never fails.
    public typealias Failure = Never

    private let subscription: Subscription

    init(_ log: EventLog, capacity: Int = EventLog.capacity) {
        subscription = Subscription(log, capacity: capacity)
    }

    /// The place of the first event.
    var start: UInt64 { subscription.start }

    /// Begins with the first event behind the moment at which the sequence was made.
    public func makeAsyncIterator() -> AsyncIterator {
        AsyncIterator(subscription)
    }

    /// Keeps the log being written while somebody can read it.
    fileprivate final class Subscription: Sendable {
        let log: EventLog
        let start: UInt64

        init(_ log: EventLog, capacity: Int) {
            self.log = log
            start = log.addReader(capacity: capacity)
        }

        deinit {
            log.removeReader()
        }
    }

    /// One reader.
    public struct AsyncIterator: AsyncIteratorProtocol {
        private static let pageSize = 256

        private let subscription: Subscription
        private var place: UInt64
        private var page = EventLog.Page()
        private var index = 0

        fileprivate init(_ subscription: Subscription) {
            self.subscription = subscription
            place = subscription.start
        }

        /// The next event; `nil` when the pool has ended, or the task was cancelled.
        public mutating func next() async -> PoolEvent? {
            await next(isolation: #isolation)
        }

        /// The next event; `nil` when the pool has ended, or the task was cancelled.
        public mutating func next(isolation actor: isolated (any Actor)?) async -> PoolEvent? {
            while true {
                if index < page.events.count {
                    defer { index += 1 }
                    return page.events[index]
                }
                guard !page.isFinished, !Task.isCancelled else { return nil }
                page = subscription.log.read(from: &place, limit: Self.pageSize)
                index = 0
                if page.missed > 0, let first = page.events.first {
                    return first.replacing(.missed(Int(clamping: page.missed)))
                }
                if page.events.isEmpty, !page.isFinished {
                    await subscription.log.wait(behind: place, isolation: actor)
                }
            }
        }
    }
}

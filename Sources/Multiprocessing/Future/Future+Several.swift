import Synchronization

/// Waiting for several futures.
extension Future {
    /// Waits for the first of several futures to end, with a value or an error.
    ///
    /// Cancelling the waiting task cancels none of the items.
    ///
    /// ```swift
    /// let futures = mirrors.map { pool.submit($0) { try fetch($0) } }
    /// let fastest = try await Future.first(of: futures)
    /// ```
    ///
    /// - Returns: A future that is finished; `nil` when there are no futures.
    /// - Throws: `CancellationError` when the waiting task is cancelled.
    nonisolated(nonsending) public static func first(
        of futures: some Sequence<Future<Output>>
    ) async throws -> Future<Output>? {
        for await future in asCompleted(of: futures) { return future }
        try Task.checkCancellation()
        return nil
    }

    /// Waits for all of several futures and returns their values in order.
    ///
    /// A failure leaves the other items running. Cancelling the waiting task cancels the item
    /// that it waits for at that moment, as for ``value``.
    ///
    /// - Throws: The error of the first future in order that failed, `CancellationError`, or ``PoolError``.
    nonisolated(nonsending) public static func all(
        of futures: some Sequence<Future<Output>>
    ) async throws -> [Output] {
        var values: [Output] = []
        for future in futures { values.append(try await future.value) }
        return values
    }

    /// The futures, each once, in the order in which they end.
    ///
    /// Those that have ended already come first. The sequence ends after the last future, or
    /// when the iterating task is cancelled, which cancels none of the items.
    ///
    /// - Parameter futures: Taken at once; a future that is in there twice comes once.
    public static func asCompleted(
        of futures: some Sequence<Future<Output>>
    ) -> some AsyncSequence<Future<Output>, Never> & Sendable {
        var seen: Set<ObjectIdentifier> = []
        let unique = futures.filter { seen.insert(ObjectIdentifier($0.state)).inserted }
        return CompletedFutures(unique)
    }
}

/// Futures in the order in which they end; keeps those that have not come yet.
private struct CompletedFutures<Output: Sendable>: AsyncSequence, Sendable {
    private let futures: [Future<Output>]
    private let stream: AsyncStream<ObjectIdentifier>

    init(_ futures: [Future<Output>]) {
        self.futures = futures
        // Unbounded, but it never holds more than one element for each future.
        let (stream, continuation) = AsyncStream.makeStream(of: ObjectIdentifier.self)
        self.stream = stream
        let remaining = Countdown(futures.count) { continuation.finish() }
        // A wake-up must not keep its future, nor stay with it when nobody iterates any more.
        let wakeUps = futures.compactMap { future -> (PendingItem, Int)? in
            let id = ObjectIdentifier(future)
            let wakeUp = future.state.onSettled {
                continuation.yield(id)
                remaining.countDown()
            }
            return wakeUp.map { (future.state, $0) }
        }
        continuation.onTermination = { _ in
            for (state, wakeUp) in wakeUps { state.removeWakeUp(wakeUp) }
        }
    }

    struct AsyncIterator: AsyncIteratorProtocol {
        fileprivate let futures: [ObjectIdentifier: Future<Output>]
        fileprivate var base: AsyncStream<ObjectIdentifier>.Iterator

        mutating func next() async -> Future<Output>? {
            await next(isolation: #isolation)
        }

        mutating func next(isolation actor: isolated (any Actor)?) async -> Future<Output>? {
            await base.next(isolation: actor).flatMap { futures[$0] }
        }
    }

    func makeAsyncIterator() -> AsyncIterator {
        AsyncIterator(
            futures: Dictionary(uniqueKeysWithValues: futures.map { (ObjectIdentifier($0), $0) }),
            base: stream.makeAsyncIterator())
    }
}

/// Calls a closure once a number of things have happened.
private final class Countdown: Sendable {
    private let remaining: Atomic<Int>
    private let body: @Sendable () -> Void

    init(_ count: Int, _ body: @escaping @Sendable () -> Void) {
        remaining = Atomic(count)
        self.body = body
        if count == 0 { body() }
    }

    func countDown() {
        if remaining.wrappingSubtract(1, ordering: .acquiringAndReleasing).newValue == 0 { body() }
    }
}

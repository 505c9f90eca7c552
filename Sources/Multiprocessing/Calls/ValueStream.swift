/// The values of a stream, which throws at the first failure; what `stream` of a ``Pool`` gives.
///
/// Each iterator is a stream of its own, whose work starts when its first value is asked for.
public struct ValueStream<Output: Sendable>: AsyncSequence {
    /// What an iteration gives.
    public typealias Element = Output
    /// What an iteration throws.
    public typealias Failure = any Error

    @usableFromInline let makeEngine: () -> StreamEngine<Output>

    init(_ makeEngine: @escaping () throws -> StreamEngine<Output>) {
        self.makeEngine = { StreamEngine.made(makeEngine) }
    }

    /// Gives the values of one reading of a stream; when it goes, what is on its way is cancelled.
    ///
    /// `next()` waits for as long as it takes, and ``next(timeout:)`` for no longer than it is told:
    ///
    /// ```swift
    /// var values = pool.stream(pages) { render($0) }.makeAsyncIterator()
    /// let first = try await values.next(timeout: .seconds(2))
    /// ```
    public struct Iterator: AsyncIteratorProtocol {
        @usableFromInline let engine: StreamEngine<Output>
        /// What is there, the next value last, how much was handed out, and when the engine is to be told of that.
        @usableFromInline var run = StreamRun<Output>()
        @usableFromInline var position = 0
        @usableFromInline var limit = 0

        @usableFromInline
        init(_ engine: StreamEngine<Output>) {
            self.engine = engine
        }

        /// Suspends until there is a next value; `nil` at the end.
        ///
        /// - Throws: What the item threw, ``PoolError``, or `CancellationError` when the task was cancelled; then the stream is
        ///   over.
        @inlinable
        public mutating func next() async throws -> Output? {
            try await next(isolation: #isolation)
        }

        /// Suspends, on the caller's actor, until there is a next value; `nil` at the end.
        ///
        /// - Throws: As ``next()``.
        @inlinable
        public mutating func next(isolation actor: isolated (any Actor)?) async throws(any Error) -> Output? {
            while true {
                if !run.values.isEmpty, !Task.isCancelled {
                    if position >= limit { limit = engine.makeRoom(given: position) }
                    position += 1
                    return run.values.popLast()
                }
                if run.values.isEmpty || !Task.isCancelled, let failure = run.failure {
                    run = StreamRun()
                    position = 0
                    await engine.stop()
                    throw failure
                }
                position = 0
                limit = 0
                run = StreamRun()
                guard let next = await engine.nextRun(within: nil) else { return nil }
                run = next
                // Each is to be gone from here when it is given out.
                run.values.reverse()
            }
        }

        /// Suspends until there is a next value, and no longer than a timeout; `nil` at the end.
        ///
        /// A value that comes later is not lost: the next call gives it. Zero or less gives what is there, and does not wait.
        ///
        /// - Throws: ``PoolError/Code/timedOut`` when the timeout has passed, which leaves the stream as it is and its items
        ///   running; otherwise as ``next()``.
        public nonisolated(nonsending) mutating func next(timeout: Duration) async throws -> Output? {
            if try await engine.fill(&run, within: timeout) {
                position = 0
                limit = 0
            }
            // There is something now, or nothing will come.
            return try await next(isolation: #isolation)
        }
    }

    /// Begins a reading, of which nothing starts before its first result is asked for.
    @inlinable
    public func makeAsyncIterator() -> Iterator {
        Iterator(makeEngine())
    }
}

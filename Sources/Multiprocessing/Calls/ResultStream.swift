/// The results of a stream, values and errors, one for each input; what `results` of a ``Pool`` gives.
///
/// Each iterator is a stream of its own, whose work starts when its first result is asked for.
public struct ResultStream<Output: Sendable>: AsyncSequence {
    /// What an iteration gives.
    public typealias Element = Result<Output, any Error>
    /// What an iteration throws.
    public typealias Failure = Never

    @usableFromInline let makeEngine: () -> StreamEngine<Output>

    init(_ makeEngine: @escaping () throws -> StreamEngine<Output>) {
        self.makeEngine = { StreamEngine.made(makeEngine) }
    }

    /// Gives the results of one reading of a stream; when it goes, what is on its way is cancelled.
    ///
    /// `next()` waits for as long as it takes, and ``next(timeout:)`` for no longer than it is told.
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

        /// Suspends until there is a next result; `nil` at the end, and when the task was cancelled.
        @inlinable
        public mutating func next() async -> Result<Output, any Error>? {
            await next(isolation: #isolation)
        }

        /// Suspends, on the caller's actor, until there is a next result; `nil` at the end, and when the task was cancelled.
        @inlinable
        public mutating func next(isolation actor: isolated (any Actor)?) async -> Result<Output, any Error>? {
            while true {
                if !Task.isCancelled {
                    if !run.values.isEmpty {
                        if position >= limit { limit = engine.makeRoom(given: position) }
                        position += 1
                        return run.values.popLast().map { .success($0) }
                    }
                    if let failure = run.failure {
                        if position >= limit { limit = engine.makeRoom(given: position) }
                        run.failure = nil
                        return .failure(failure)
                    }
                }
                position = 0
                limit = 0
                run = StreamRun()
                guard let next = await engine.nextRun(within: nil) else { return nil }
                // The consumer was cancelled, and reads on until it is told that this is the end.
                if next.values.isEmpty, next.failure is CancellationError, Task.isCancelled { return nil }
                run = next
                // Each is to be gone from here when it is given out.
                run.values.reverse()
            }
        }

        /// Suspends until there is a next result, and no longer than a timeout; `nil` at the end, and when the task was cancelled.
        ///
        /// A result that comes later is not lost: the next call gives it. Zero or less gives what is there, and does not wait.
        ///
        /// - Throws: ``PoolError/Code/timedOut`` when the timeout has passed, which leaves the stream as it is and its items
        ///   running; nothing else.
        public nonisolated(nonsending) mutating func next(
            timeout: Duration
        ) async throws -> Result<Output, any Error>? {
            if try await engine.fill(&run, within: timeout) {
                position = 0
                limit = 0
            }
            // There is something now, or nothing will come.
            return await next(isolation: #isolation)
        }
    }

    /// Begins a reading, of which nothing starts before its first result is asked for.
    @inlinable
    public func makeAsyncIterator() -> Iterator {
        Iterator(makeEngine())
    }
}

/// The values of a stream; throws at the first failure.
@usableFromInline
struct ValueStream<Output: Sendable>: AsyncSequence {
    @usableFromInline typealias Element = Output
    @usableFromInline typealias Failure = any Error

    @usableFromInline let makeEngine: () -> StreamEngine<Output>

    init(_ makeEngine: @escaping () throws -> StreamEngine<Output>) {
        self.makeEngine = { StreamEngine.made(makeEngine) }
    }

    @usableFromInline
    struct Iterator: AsyncIteratorProtocol {
        @usableFromInline let engine: StreamEngine<Output>
        /// What is there, the next value last, how much was handed out, and when the engine is to be told of that.
        @usableFromInline var run = StreamRun<Output>()
        @usableFromInline var position = 0
        @usableFromInline var limit = 0

        @usableFromInline
        init(_ engine: StreamEngine<Output>) {
            self.engine = engine
        }

        @inlinable
        mutating func next() async throws -> Output? {
            try await next(isolation: #isolation)
        }

        @inlinable
        mutating func next(isolation actor: isolated (any Actor)?) async throws(any Error) -> Output? {
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
                guard let next = await engine.nextRun() else { return nil }
                run = next
                // Each is to be gone from here when it is given out.
                run.values.reverse()
            }
        }
    }

    @inlinable
    func makeAsyncIterator() -> Iterator {
        Iterator(makeEngine())
    }
}

/// The results of a stream, values and errors, one for each input.
@usableFromInline
struct ResultStream<Output: Sendable>: AsyncSequence {
    @usableFromInline typealias Element = Result<Output, any Error>
    @usableFromInline typealias Failure = Never

    @usableFromInline let makeEngine: () -> StreamEngine<Output>

    init(_ makeEngine: @escaping () throws -> StreamEngine<Output>) {
        self.makeEngine = { StreamEngine.made(makeEngine) }
    }

    @usableFromInline
    struct Iterator: AsyncIteratorProtocol {
        @usableFromInline let engine: StreamEngine<Output>
        /// What is there, the next value last, how much was handed out, and when the engine is to be told of that.
        @usableFromInline var run = StreamRun<Output>()
        @usableFromInline var position = 0
        @usableFromInline var limit = 0

        @usableFromInline
        init(_ engine: StreamEngine<Output>) {
            self.engine = engine
        }

        @inlinable
        mutating func next() async -> Result<Output, any Error>? {
            await next(isolation: #isolation)
        }

        @inlinable
        mutating func next(isolation actor: isolated (any Actor)?) async -> Result<Output, any Error>? {
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
                guard let next = await engine.nextRun() else { return nil }
                // The consumer was cancelled, and reads on until it is told that this is the end.
                if next.values.isEmpty, next.failure is CancellationError, Task.isCancelled { return nil }
                run = next
                // Each is to be gone from here when it is given out.
                run.values.reverse()
            }
        }
    }

    @inlinable
    func makeAsyncIterator() -> Iterator {
        Iterator(makeEngine())
    }
}

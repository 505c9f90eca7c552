/// The values of a stream; throws at the first failure.
struct ValueStream<Engine: StreamEngine>: AsyncSequence {
    typealias Element = Engine.Output
    typealias Failure = any Error

    let makeEngine: () -> Engine

    struct Iterator: AsyncIteratorProtocol {
        var engine: Engine

        mutating func next() async throws -> Element? {
            try await next(isolation: #isolation)
        }

        mutating func next(isolation actor: isolated (any Actor)?) async throws(any Error) -> Element? {
            switch await engine.next() {
            case nil:
                return nil
            case .success(let value):
                return value
            case .failure(let error):
                let ended = engine
                engine.stop()
                await ended.endProgress()
                throw error
            }
        }
    }

    func makeAsyncIterator() -> Iterator {
        Iterator(engine: makeEngine())
    }
}

/// The results of a stream, values and errors, one for each input.
struct ResultStream<Engine: StreamEngine>: AsyncSequence {
    typealias Element = Result<Engine.Output, any Error>
    typealias Failure = Never

    let makeEngine: () -> Engine

    struct Iterator: AsyncIteratorProtocol {
        var engine: Engine

        mutating func next() async -> Element? {
            await next(isolation: #isolation)
        }

        mutating func next(isolation actor: isolated (any Actor)?) async -> Element? {
            let result = await engine.next()
            // The consumer was cancelled, and reads on until it is told that this is the end.
            if case .failure(is CancellationError) = result, Task.isCancelled { return nil }
            return result
        }
    }

    func makeAsyncIterator() -> Iterator {
        Iterator(engine: makeEngine())
    }
}

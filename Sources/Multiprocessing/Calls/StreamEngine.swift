/// Gives the results of a stream and feeds it meanwhile: what a stream's iterator, which is compiled in the module that
/// reads it, knows of the pool.
///
/// The iterator has the results that are there, and hands them out itself. It comes here when it has none left, and when
/// there is room for inputs again. For one consumer.
@usableFromInline
class StreamEngine<Output: Sendable> {
    init() {}

    /// The next results, at least one, when all before were handed out; `nil` at the end.
    ///
    /// A cancelled consumer gets one `CancellationError`.
    ///
    /// - Parameter limit: How long to wait; then there are no results, and the end has not come. `nil` waits for ever.
    @usableFromInline
    nonisolated(nonsending) func nextRun(within limit: Duration?) async -> StreamRun<Output>? { nil }

    /// Takes the news that another result is about to be handed out.
    ///
    /// - Parameter given: How many results of the run were handed out before.
    /// - Returns: How many have to have been when it wants to be told again.
    @usableFromInline
    func makeRoom(given: Int) -> Int { .max }

    /// Stops: nothing more is taken from the input, and what runs is cancelled; returns when the last report of progress
    /// has been made.
    @usableFromInline
    nonisolated(nonsending) func stop() async {}
}

/// The reason why a stream cannot be, which is its only result.
final class RefusedEngine<Output: Sendable>: StreamEngine<Output> {
    private var error: (any Error)?

    init(_ error: any Error) {
        self.error = error
    }

    override nonisolated(nonsending) func nextRun(within limit: Duration?) async -> StreamRun<Output>? {
        error.take().map { StreamRun(failure: $0) }
    }
}

extension StreamEngine {
    /// Sees to it that there is a result in an iterator's run, unless the stream has ended; returns whether the run is another.
    ///
    /// - Throws: ``PoolError/Code/timedOut`` when none has come within the limit.
    nonisolated(nonsending) func fill(
        _ run: inout StreamRun<Output>, within limit: Duration
    ) async throws(PoolError) -> Bool {
        guard run.count == 0, let next = await nextRun(within: limit) else { return false }
        guard next.count > 0 else { throw .resultTimedOut(limit) }
        run = next
        // Each is to be gone from here when it is given out.
        run.values.reverse()
        return true
    }

    /// An engine, or what gives the reason why there is none.
    static func made(_ make: () throws -> StreamEngine) -> StreamEngine {
        do {
            return try make()
        } catch {
            return RefusedEngine(error)
        }
    }
}

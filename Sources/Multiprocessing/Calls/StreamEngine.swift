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
    @usableFromInline
    nonisolated(nonsending) func nextRun() async -> StreamRun<Output>? { nil }

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

    override nonisolated(nonsending) func nextRun() async -> StreamRun<Output>? {
        error.take().map { StreamRun(failure: $0) }
    }
}

extension StreamEngine {
    /// An engine, or what gives the reason why there is none.
    static func made(_ make: () throws -> StreamEngine) -> StreamEngine {
        do {
            return try make()
        } catch {
            return RefusedEngine(error)
        }
    }
}

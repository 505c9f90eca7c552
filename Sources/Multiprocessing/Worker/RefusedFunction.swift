import MultiprocessingCoding
import MultiprocessingRuntime

/// A function that this process cannot run, though its parent can; each item fails with the reason.
final class RefusedFunction: WorkerFunction {
    private let error: PoolError

    init(_ reason: NotPortable) {
        error = .notFound(reason)
    }

    nonisolated(nonsending) func run(
        _ chunk: WorkerChunk,
        _ items: inout ByteReader,
        _ array: Landing?,
        _ context: WorkerContext?,
        _ variables: [UInt32],
        _ session: WorkerSession
    ) async {
        session.fail(chunk, error)
    }

    func landing(size: UInt64) throws -> Landing {
        // Any type does: what comes is not looked at.
        try Landing(size: size, of: UInt8.self)
    }
}

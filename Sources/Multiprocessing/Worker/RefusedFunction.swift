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
        _ items: inout Incoming,
        _ array: ArrivingArray?,
        _ context: Attachment?,
        _ variables: [UInt32],
        _ session: WorkerSession
    ) async {
        session.fail(chunk, error)
    }

    func landing(size: UInt64) throws -> ArrivingArray {
        // Any type does: what comes is not looked at.
        try ArrivingArray(size: size, of: UInt8.self)
    }
}

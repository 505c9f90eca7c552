/// What a pool runs in each of its workers first, made ready to be sent once.
struct SetUpWork: Sendable {
    private let work: ItemFunction<Void, Void>
    private let portable: PortableChunk?

    /// - Throws: ``PoolError/Code/notPortable`` when it has to be sent, and cannot be.
    init(_ work: ItemFunction<Void, Void>, isPortable: Bool) throws {
        self.work = work
        portable = isPortable ? try work.portableChunk(of: ()) : nil
    }

    /// Makes what one worker runs.
    func makeChunk() -> SetUpChunk { SetUpChunk(work, portable) }
}

/// The set-up of one worker, as it runs it: the scheduler knows the worker, and nobody waits for the chunk.
final class SetUpChunk: Chunk, @unchecked Sendable {
    // Sendable: as every chunk.
    private let work: ItemFunction<Void, Void>
    private let portableChunk: PortableChunk?

    /// What it threw; of use when it has ended.
    private(set) var failure: (any Error)?

    fileprivate init(_ work: ItemFunction<Void, Void>, _ portable: PortableChunk?) {
        self.work = work
        portableChunk = portable
        super.init(count: 1)
        label = "set-up"
    }

    override var portable: PortableChunk? { portableChunk }

    override func run() async {
        guard !isCancelled else { return }
        do {
            switch work.body {
            case .synchronous(let body): try body(())
            case .asynchronous(let body): try await body(())
            }
            finishedCount = 1
        } catch {
            receiveFailure(PoolError.thrown(error))
        }
    }

    override func receiveValues(_ count: Int, from incoming: inout Incoming) throws {
        guard count == 1, finishedCount == 0 else { throw PortableFailure.unexpectedResult }
        _ = try work.decodeOutput(from: &incoming)
        finishedCount = 1
    }

    override func landing(size: UInt64) throws -> ArrivingArray { throw PortableFailure.unexpectedResult }

    override func receiveArray(_ landing: ArrivingArray) throws { throw PortableFailure.unexpectedResult }

    override func receiveFailure(_ error: any Error) {
        failure = error
        finishedCount = 1
    }

    override func end(failing error: any Error, nanoseconds: UInt64) {
        if finishedCount == 0 { receiveFailure(error) }
    }

    override func abandon(_ error: any Error) {}
}

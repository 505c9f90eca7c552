import MultiprocessingCoding

/// A chunk of one item, together with the future's state.
final class ItemChunk<Input: Sendable, Output: Sendable>: FutureState<Output>, @unchecked Sendable {
    // The owner's: see Chunk.
    private var input: Input?
    private var work: Work<Input, Output>?
    private var portableChunk: PortableChunk?

    /// Encodes the input when the pool's workers are other processes.
    ///
    /// - Throws: ``PoolError`` when the input or the work cannot be sent.
    init(core: PoolCore, input: Input, work: Work<Input, Output>) throws {
        self.work = work
        if core.needsPortableWork {
            portableChunk = try work.portableChunk([input][...])
        } else {
            self.input = input
        }
        super.init(core: core)
    }

    override var portable: PortableChunk? { portableChunk }

    override func run() async {
        guard !isCancelled, let input = input.take(), let work = work.take() else { return }
        let outcome: Outcome
        do {
            switch work.body {
            case .synchronous(let body): outcome = .success(try body(input))
            case .asynchronous(let body): outcome = .success(try await body(input))
            }
        } catch {
            outcome = .failure(PoolError.thrown(error))
        }
        settle(outcome)
    }

    override func receiveValues(_ count: Int, from reader: inout ByteReader, keys: ReceivedKeys) throws {
        guard count == 1, finishedCount == 0, let work else { throw PortableFailure.unexpectedResult }
        settle(try work.decodeOutput(from: &reader, keys: keys))
    }

    override func end(failing error: any Error, nanoseconds: UInt64) {
        super.end(failing: error, nanoseconds: nanoseconds)
        // A caller may keep the future; what the item worked on goes now.
        input = nil
        work = nil
        portableChunk = nil
    }

}

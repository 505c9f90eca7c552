import Distributed
import MultiprocessingCoding

/// A chunk of one item, together with the future's state.
final class SingleChunk<Input: Sendable, Output: Sendable>: PendingValue<Output>, @unchecked Sendable {
    // The owner's: see Chunk.
    @exclusivity(unchecked) private var input = ValueSlot()
    @exclusivity(unchecked) private var work: ItemFunction<Input, Output>?
    @exclusivity(unchecked) private var portableChunk: PortableChunk?

    /// Encodes the input when the pool's workers are other processes.
    ///
    /// - Throws: ``PoolError`` when the input or the work cannot be sent.
    init(core: PoolCore, input: Input, work: ItemFunction<Input, Output>, options: CallOptions) throws {
        self.work = work
        if core.needsPortableWork {
            portableChunk = try work.portableChunk(of: input)
        } else {
            self.input.put(input)
        }
        super.init(core: core)
        limits = options.limits
        label = options.label
        inputSize = portableChunk?.size ?? 0
    }

    /// Makes the chunk of one attempt.
    ///
    /// - Parameters:
    ///   - input: The input on threads.
    ///   - portable: The input on processes.
    init(
        core: PoolCore, input: Input?, portable: PortableChunk?, work: ItemFunction<Input, Output>,
        caller: CallerContext, options: CallOptions
    ) {
        self.work = work
        portableChunk = portable
        if let input { self.input.put(input) }
        super.init(core: core, caller: caller)
        limits = options.limits
        label = options.label
        inputSize = portableChunk?.size ?? 0
    }

    deinit {
        input.clear(Input.self)
    }

    override var portable: PortableChunk? { portableChunk }

    override func run() async {
        guard !isCancelled, !input.isEmpty, let work else { return }
        if limits.timeout != nil { return await runGuarded(input.value(), work.body) }
        do {
            switch work.body {
            case .synchronous(let body): settle(try body(input.value()))
            case .asynchronous(let body): settle(try await body(input.value()))
            }
        } catch {
            settle(failing: PoolError.thrown(error))
        }
        input.clear(Input.self)
    }

    /// Runs the item, which can be taken: nothing of the chunk is touched then.
    private func runGuarded(_ value: Input, _ body: ItemBody<Input, Output>) async {
        let run = beginGuarded(0)
        let outcome: Outcome
        do {
            switch body {
            case .synchronous(let body): outcome = .success(try body(value))
            case .asynchronous(let body): outcome = .success(try await body(value))
            }
        } catch {
            outcome = .failure(PoolError.thrown(error))
        }
        guard run.settle(0) else { return }
        switch outcome {
        case .success(let output): settle(output)
        case .failure(let error): settle(failing: error)
        }
        input.clear(Input.self)
        run.end()
    }

    override func receiveValues(_ count: Int, from incoming: inout Incoming) throws {
        let start = incoming.reader.offset
        defer { receivedSize += incoming.reader.offset - start }
        guard count == 1, finishedCount == 0, let work else { throw PortableFailure.unexpectedResult }
        switch try work.decodeOutput(from: &incoming) {
        case .success(let value):
            if placement != nil { noteActor(value) }
            settle(value)
        case .failure(let error): settle(failing: error)
        }
    }

    /// Notes which actor was made in the worker.
    private func noteActor(_ value: Output) {
        guard let id = (value as? any DistributedActor)?.id as? WorkerActorID, id.host != nil else { return }
        placement?.actor = id.number
    }

    override func landing(size: UInt64) throws -> ArrivingArray {
        guard let function = work?.function else { throw PortableFailure.unexpectedResult }
        return try function.landing(size: size)
    }

    override func receiveArray(_ landing: ArrivingArray) throws {
        receivedSize += landing.size
        guard finishedCount == 0, let function = work?.function else { throw PortableFailure.unexpectedResult }
        settle(try function.output(in: landing))
    }

    override func end(failing error: any Error, nanoseconds: UInt64) {
        super.end(failing: error, nanoseconds: nanoseconds)
        // A caller may keep the future; what the item worked on goes now.
        input.clear(Input.self)
        work = nil
        portableChunk = nil
    }
}

import MultiprocessingCoding

/// A chunk of several items of one call, whose results go to that call's pipeline.
final class BatchChunk<Input: Sendable, Output: Sendable>: Chunk, @unchecked Sendable {
    /// The chunk's number in its call.
    let index: Int

    /// The size of the encoded inputs in bytes; zero on threads.
    let encodedSize: Int

    private let pipeline: Pipeline<Output>

    // The owner's: see Chunk.
    private var inputs: [Input]
    private var work: Work<Input, Output>?
    private var portableChunk: PortableChunk?
    private var result = ChunkResult<Output>()

    /// Encodes the inputs when the pool's workers are other processes.
    ///
    /// - Throws: ``PoolError`` when the work or an input cannot be sent.
    init(index: Int, inputs: [Input], work: Work<Input, Output>, pipeline: Pipeline<Output>) throws {
        self.index = index
        self.work = work
        self.pipeline = pipeline
        if pipeline.core.needsPortableWork {
            let chunk = try work.portableChunk(inputs)
            portableChunk = chunk
            encodedSize = chunk.size
            self.inputs = []
        } else {
            self.inputs = inputs
            encodedSize = 0
        }
        super.init(count: inputs.count)
    }

    override var stopsAtFailure: Bool { pipeline.stopsAtFailure }

    override var portable: PortableChunk? { portableChunk }

    override var wantsToRun: Bool {
        super.wantsToRun && !(stopsAtFailure && !result.failures.isEmpty)
    }

    override func run() async {
        guard let work else { return }
        let inputs = inputs
        result.outputs.reserveCapacity(inputs.count)
        switch work.body {
        case .synchronous(let body): runSynchronously(inputs, body)
        case .asynchronous(let body): await runAsynchronously(inputs, body)
        }
    }

    private func runSynchronously(_ inputs: [Input], _ body: (Input) throws -> Output) {
        for input in inputs {
            guard !isCancelled else { return }
            do {
                result.outputs.append(try body(input))
                finishedCount += 1
            } catch {
                receiveFailure(PoolError.thrown(error))
                if stopsAtFailure { return }
            }
        }
    }

    private func runAsynchronously(_ inputs: [Input], _ body: (Input) async throws -> Output) async {
        for input in inputs {
            guard !isCancelled else { return }
            do {
                result.outputs.append(try await body(input))
                finishedCount += 1
            } catch {
                receiveFailure(PoolError.thrown(error))
                if stopsAtFailure { return }
            }
        }
    }

    override func receiveValues(_ count: Int, from reader: inout ByteReader, keys: ReceivedKeys) throws {
        guard let work, count <= self.count - finishedCount else { throw PortableFailure.unexpectedResult }
        if let function = work.function, function.hasBitwiseOutput {
            try function.decodeOutputs(count, from: &reader, keys: keys, into: &result.outputs)
            finishedCount += count
            return
        }
        for _ in 0..<count {
            switch try work.decodeOutput(from: &reader, keys: keys) {
            case .success(let value):
                result.outputs.append(value)
                finishedCount += 1
            case .failure(let error):
                receiveFailure(error)
            }
        }
    }

    override func receiveFailure(_ error: any Error) {
        result.failures.append((finishedCount, error))
        finishedCount += 1
    }

    override func end(failing error: any Error, nanoseconds: UInt64) {
        while finishedCount < count { receiveFailure(error) }
        result.count = count
        result.nanoseconds = nanoseconds
        inputs = []
        work = nil
        portableChunk = nil
        let result = result
        self.result = ChunkResult()
        pipeline.receive(result, of: index)
    }

    override func abandon(_ error: any Error) {
        var lost = ChunkResult<Output>()
        lost.count = count
        lost.failures = (0..<count).map { ($0, error) }
        pipeline.receive(lost, of: index)
    }
}

import MultiprocessingCoding

/// A function as a worker process runs it, over encoded inputs.
protocol WorkerFunction: AnyObject {
    /// Runs a chunk's items and stages their results.
    ///
    /// - Parameters:
    ///   - items: The encoded inputs.
    ///   - array: The only input, if that is a large array.
    ///   - context: What the call's items share, if they share anything.
    ///   - variables: The variables of main.swift that the function can reach.
    nonisolated(nonsending) func run(
        _ chunk: WorkerChunk,
        _ items: inout Incoming,
        _ array: ArrivingArray?,
        _ context: Attachment?,
        _ variables: [UInt32],
        _ session: WorkerSession
    ) async

    /// Makes the memory of an input that is a large array; see ``Codec``.
    func landing(size: UInt64) throws -> ArrivingArray
}

/// A function with its types.
final class TypedWorkerFunction<Input: Sendable, Output: Sendable>: WorkerFunction {
    /// Makes the function of what the call shares, which is empty for most calls.
    typealias Prepare = (inout Incoming) throws -> ItemBody<Input, Output>

    private let inputs: Codec<Input>
    private let outputs: Codec<Output>
    private let prepare: Prepare

    /// The function when nothing is shared.
    private var plain: ItemBody<Input, Output>?

    /// The function with what a call shares, made by the first chunk that needs it.
    // Sendable is unchecked because it is made and used on the main thread only.
    private final class Prepared: @unchecked Sendable {
        let body: ItemBody<Input, Output>
        /// The caller's task-local values, if some came with the call.
        let carried: CarriedValues?

        init(_ body: ItemBody<Input, Output>, _ carried: CarriedValues?) {
            self.body = body
            self.carried = carried
        }
    }

    init(_ prepare: @escaping Prepare) throws {
        inputs = try Codec<Input>.resolve()
        outputs = try Codec<Output>.resolve()
        self.prepare = prepare
    }

    nonisolated(nonsending) func run(
        _ chunk: WorkerChunk,
        _ items: inout Incoming,
        _ array: ArrivingArray?,
        _ context: Attachment?,
        _ variables: [UInt32],
        _ session: WorkerSession
    ) async {
        let body: ItemBody<Input, Output>
        let carried: CarriedValues?
        do {
            try ReceivedVariables.shared.check(variables)
            (body, carried) = try prepared(context, session.sender)
        } catch {
            return session.fail(chunk, error)
        }
        guard let carried else { return await run(body, chunk, &items, array, session) }
        await carried.bind { await run(body, chunk, &items, array, session) }
    }

    nonisolated(nonsending) private func run(
        _ body: ItemBody<Input, Output>,
        _ chunk: WorkerChunk,
        _ items: inout Incoming,
        _ array: ArrivingArray?,
        _ session: WorkerSession
    ) async {
        var stride: Range<Int>? = chunk.firstStride
        switch body {
        case .synchronous(let body) where inputs.isBitwise && outputs.isBitwise:
            guard let inputs = bitwiseInputs(chunk, &items) else { return session.fail(PortableFailure.unknownFrame) }
            while let items = stride {
                runBitwise(items, inputs, chunk, body, session)
                stride = session.nextStride(of: chunk, behind: items.upperBound)
            }
        case .synchronous(let body):
            while let strideItems = stride {
                for item in strideItems where !chunk.isCancelled && chunk.begin(item) {
                    do {
                        let output = try body(try decodeInput(&items, array))
                        try RecordedIssues.check()
                        stage(output, chunk, session)
                    } catch {
                        fail(error, chunk, session)
                    }
                }
                stride = session.nextStride(of: chunk, behind: strideItems.upperBound)
            }
        case .asynchronous(let body):
            while let strideItems = stride {
                for item in strideItems where !chunk.isCancelled && chunk.begin(item) {
                    do {
                        let output = try await body(try decodeInput(&items, array))
                        try RecordedIssues.check()
                        stage(output, chunk, session)
                    } catch {
                        fail(error, chunk, session)
                    }
                }
                stride = session.nextStride(of: chunk, behind: strideItems.upperBound)
            }
        }
    }

    /// The inputs where they lie.
    private func bitwiseInputs(_ chunk: WorkerChunk, _ items: inout Incoming) -> UnsafePointer<Input>? {
        // The payload of a frame lies on a multiple of 16 bytes, which is the strictest alignment of a number.
        guard let bytes = try? items.reader.readBytes(chunk.count * MemoryLayout<Input>.size),
            let start = bytes.baseAddress, Int(bitPattern: start) % MemoryLayout<Input>.alignment == 0
        else { return nil }
        return start.assumingMemoryBound(to: Input.self)
    }

    /// Runs items whose inputs are read, and whose outputs are made, where they lie.
    private func runBitwise(
        _ items: Range<Int>,
        _ inputs: UnsafePointer<Input>,
        _ chunk: WorkerChunk,
        _ body: (Input) throws -> Output,
        _ session: WorkerSession
    ) {
        var next = items.lowerBound
        while next < items.upperBound, !chunk.isCancelled {
            var failure: (any Error)?
            session.stage.appendValues(ofSize: MemoryLayout<Output>.size) { place, room, counter in
                let outputs = place.assumingMemoryBound(to: Output.self)
                let count = min(room, items.upperBound - next)
                var made = 0
                do {
                    try Self.runInPlace(inputs, next, outputs, count, &made, chunk, counter, body)
                } catch {
                    failure = error
                }
                next += made
                return made
            }
            if let failure {
                fail(failure, chunk, session)
                next += 1
            }
        }
    }

    /// Puts the values of inputs, from the one numbered `first` on, where `outputs` points until all are there, the chunk is cancelled or one throws.
    ///
    /// What the types are is known only at run time, when each copy of a value would be a call. So the loop is
    /// written for types that cannot be copied.
    private static func runInPlace<In: ~Copyable, Out: ~Copyable>(
        _ inputs: UnsafePointer<In>,
        _ first: Int,
        _ outputs: UnsafeMutablePointer<Out>,
        _ count: Int,
        _ made: inout Int,
        _ chunk: WorkerChunk,
        _ counter: RunCounter,
        _ body: (borrowing In) throws -> Out
    ) throws {
        while made < count, !chunk.isCancelled, chunk.begin(first + made) {
            (outputs + made).initialize(to: try body(inputs[first + made]))
            try RecordedIssues.check()
            made += 1
            counter.note(made)
        }
    }

    /// The function, and the task-local values to call it with.
    private func prepared(
        _ context: Attachment?,
        _ sender: Sender
    ) throws -> (ItemBody<Input, Output>, CarriedValues?) {
        guard let context else {
            if let plain { return (plain, nil) }
            var nothing = Incoming(UnsafeRawBufferPointer(start: nil, count: 0), from: sender)
            let body = try prepare(&nothing)
            plain = body
            return (body, nil)
        }
        let prepared: Prepared = try context.object { bytes in
            try bytes.withUnsafeBytes { bytes in
                var incoming = Incoming(bytes, from: sender)
                // Behind what the function needs lies what the call carries.
                return Prepared(try prepare(&incoming), try CarriedValues(from: &incoming))
            }
        }
        return (prepared.body, prepared.carried)
    }

    func landing(size: UInt64) throws -> ArrivingArray {
        try inputs.landing(size: size)
    }

    private func decodeInput(_ items: inout Incoming, _ array: ArrivingArray?) throws -> Input {
        if let array { return try inputs.value(in: array) }
        if inputs.fixedSize != nil { return try inputs.decode(from: &items) }
        return try items.withItem { item in
            do {
                return try inputs.decode(from: &item)
            } catch {
                throw PoolError.notDecodable(Input.self, as: "input", error)
            }
        }
    }

    private func fail(_ error: any Error, _ chunk: WorkerChunk, _ session: WorkerSession) {
        // What was recorded says more than the error that followed it.
        session.fail(RecordedIssues.take() ?? error)
        chunk.noteFailure()
    }

    private func stage(_ output: Output, _ chunk: WorkerChunk, _ session: WorkerSession) {
        if let array = outputs.largeMemory(of: output) { return session.stage.append(array) }
        session.message.removeAll()
        do {
            try outputs.encode(output, into: &session.message)
            session.sendAttachments()
            session.stage.append(session.message.bytes, isSized: outputs.fixedSize == nil)
        } catch {
            fail(PoolError.notEncodable(Output.self, as: "result", error), chunk, session)
        }
    }
}

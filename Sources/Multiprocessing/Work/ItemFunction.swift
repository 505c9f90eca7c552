import MultiprocessingCoding

/// What a call runs for each of its items.
///
/// A class, because to copy a structure of such parts their types have to be looked up at run time.
@usableFromInline
final class ItemFunction<Input: Sendable, Output: Sendable>: PortableWork, @unchecked Sendable {
    // Sendable: as the superclass; nothing in it changes.

    /// The code, as this process calls it.
    let body: ItemBody<Input, Output>

    /// The code for many inputs, if the caller's module has it.
    let loop: ItemLoop<Input, Output>?

    /// The code, as a worker process finds it; `nil` when the pool's workers are threads.
    let function: PortableFunction<Input, Output>?

    init(
        _ body: ItemBody<Input, Output>,
        _ function: PortableFunction<Input, Output>?,
        context: SharedInput? = nil,
        variables: [SentVariable.Value] = [],
        loop: ItemLoop<Input, Output>? = nil
    ) {
        self.body = body
        self.loop = loop
        self.function = function
        super.init(context: context, variables: variables)
    }

    /// The same work, with a loop for it.
    func with(_ loop: ItemLoop<Input, Output>) -> ItemFunction {
        ItemFunction(body, function, context: context, variables: variables, loop: loop)
    }

    /// The same work, with those values of the calling task that its pool carries to worker processes.
    func carrying(_ carrier: TaskLocalCarrier?) throws -> ItemFunction {
        guard let carrier else { return self }
        return ItemFunction(
            body, function, context: try carrier.context(behind: context), variables: variables, loop: loop)
    }

    /// Encodes a single input.
    func portableChunk(of input: Input) throws -> PortableChunk {
        guard let function else { throw PortableFailure.notPrepared }
        return try function.chunk(of: input, self)
    }

    /// Encodes a chunk's inputs.
    func portableChunk(_ inputs: ArraySlice<Input>) throws -> PortableChunk {
        guard let function else { throw PortableFailure.notPrepared }
        return try function.chunk(inputs, self)
    }

    /// Reads one item's value, as ``PortableFunction/decodeOutput(from:)`` does.
    func decodeOutput(from incoming: inout Incoming) throws -> Result<Output, any Error> {
        guard let function else { throw PortableFailure.notPrepared }
        return try function.decodeOutput(from: &incoming)
    }
}

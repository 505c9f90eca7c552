import MultiprocessingCoding
import MultiprocessingRuntime
import Synchronization

/// A function that worker processes can find, with the codecs of its input and output.
///
/// Made once for a function and kept: there are as many as the program's text has.
final class PortableFunction<Input: Sendable, Output: Sendable>: Sendable {
    let definition: FunctionDefinition
    /// The variables of main.swift that it can reach.
    private let variables: [SentVariable]
    private let inputCodec: Codec<Input>
    private let outputCodec: Codec<Output>

    private init(_ definition: FunctionDefinition, _ variables: [SentVariable]) throws {
        self.definition = definition
        self.variables = variables
        inputCodec = try Codec<Input>.resolve()
        outputCodec = try Codec<Output>.resolve()
    }

    /// Finds or makes the portable form of a function.
    ///
    /// - Parameters:
    ///   - type: The type of the box or job.
    ///   - types: The types in it that the caller chose.
    /// - Throws: ``PoolError/Code/notPortable`` when it has none.
    static func resolve(
        _ role: FunctionRole,
        _ function: FunctionDefinition.Identity,
        _ type: Any.Type,
        types: @autoclosure () -> [Any.Type],
        _ closure: () throws -> ClosureShape? = { nil }
    ) throws -> PortableFunction {
        let key = FunctionDefinition.Key(role: role, function: function, type: ObjectIdentifier(type))
        if let known = PortableFunctions.shared[key] {
            // Filed under a key that holds both types.
            return unsafeDowncast(known, to: PortableFunction.self)
        }
        do {
            let (code, types) = (try closure(), types())
            // By itself, so that a type without a name is refused as what the caller wrote and not as a part of a box.
            for type in types { _ = try TypeReference(type) }
            let variables = try TopLevelVariables.reached(by: code, types: types).map(SentVariable.resolve)
            let made = try PortableFunction(
                FunctionDefinition(role, code, type, variables: variables), variables)
            PortableFunctions.shared[key] = made
            return made
        } catch let error as NotPortable {
            throw PoolError.notNamed(error)
        }
    }

    /// The values that variables of main.swift have now, as far as the function can reach them.
    ///
    /// - Throws: ``PoolError/Code/notPortable`` when one has no value yet, or one that cannot be encoded.
    func variableValues() throws -> [SentVariable.Value] {
        if variables.isEmpty { return [] }
        return try variables.map { try $0.value() }
    }

    // MARK: Inputs

    /// Encodes the input of a chunk of one item.
    func chunk(of input: Input, _ work: PortableWork) throws -> PortableChunk {
        if let array = inputCodec.largeMemory(of: input) {
            return PortableChunk(
                definition: definition, work: work, inputs: ByteBuffer(capacity: 0), array: array, itemSize: 0)
        }
        var message = Outgoing(ByteBuffer(capacity: inputCodec.fixedSize ?? 40))
        if inputCodec.fixedSize != nil {
            try inputCodec.encode(input, into: &message)
        } else {
            try encodeSized(input, into: &message)
        }
        return PortableChunk(
            definition: definition, work: work, inputs: message.bytes, attachments: message.attachments,
            itemSize: inputCodec.fixedSize)
    }

    /// Encodes the inputs of a chunk.
    func chunk(_ inputs: ArraySlice<Input>, _ work: PortableWork) throws -> PortableChunk {
        if inputs.count == 1, let input = inputs.first { return try chunk(of: input, work) }
        var message = Outgoing(ByteBuffer(capacity: inputs.count * (inputCodec.fixedSize ?? 24) + 16))
        if inputCodec.fixedSize != nil {
            try inputCodec.encode(contentsOf: inputs, into: &message)
        } else {
            for input in inputs { try encodeSized(input, into: &message) }
        }
        return PortableChunk(
            definition: definition, work: work, inputs: message.bytes, attachments: message.attachments,
            itemSize: inputCodec.fixedSize)
    }

    /// Encodes an input behind its size.
    private func encodeSized(_ input: Input, into message: inout Outgoing) throws {
        let buffer = message.bytes
        let start = buffer.count
        buffer.append(UInt64(0))
        do {
            try inputCodec.encode(input, into: &message)
        } catch let error as PoolError {
            throw error
        } catch {
            throw PoolError.notEncodable(Input.self, as: "input", error)
        }
        buffer.overwrite(at: start, with: UInt64(buffer.count - start - 8))
    }

    // MARK: Outputs

    /// Whether values can be read many at a time, because nothing can be wrong with one of them.
    var hasBitwiseOutput: Bool { outputCodec.isBitwise }

    /// Reads values of which any bytes are one.
    func decodeOutputs(_ count: Int, from incoming: inout Incoming, into values: inout [Output]) throws {
        try outputCodec.decode(count, from: &incoming, into: &values)
    }

    /// Reads values of which any bytes are one to where they belong.
    func decodeOutputs(_ count: Int, from incoming: inout Incoming, to places: UnsafeMutablePointer<Output>) throws {
        let bytes = try incoming.reader.readBytes(count * MemoryLayout<Output>.size)
        UnsafeMutableRawBufferPointer(start: places, count: bytes.count).copyMemory(from: bytes)
    }

    /// Makes the memory of a value that a worker sends as a large array.
    func landing(size: UInt64) throws -> ArrivingArray {
        try outputCodec.landing(size: size)
    }

    /// The value whose memory is complete.
    func output(in landing: ArrivingArray) throws -> Output {
        try outputCodec.value(in: landing)
    }

    /// Reads one value as a worker sent it.
    ///
    /// What is wrong with the value is the item's failure; what is wrong with the frame is thrown.
    func decodeOutput(from incoming: inout Incoming) throws -> Result<Output, any Error> {
        if outputCodec.fixedSize != nil {
            return .success(try outputCodec.decode(from: &incoming))
        }
        return try incoming.withItem { item in
            do {
                return .success(try outputCodec.decode(from: &item))
            } catch {
                return .failure(PoolError.notDecodable(Output.self, as: "result", error))
            }
        }
    }
}

/// The portable functions in use.
private final class PortableFunctions: Sendable {
    static let shared = PortableFunctions()

    private let functions = Mutex<[FunctionDefinition.Key: any AnyObject & Sendable]>([:])

    subscript(key: FunctionDefinition.Key) -> (any AnyObject & Sendable)? {
        get { functions.withLock { $0[key] } }
        set { functions.withLock { $0[key] = newValue } }
    }
}

import MultiprocessingRuntime
import Synchronization

/// What a worker process needs to find a function: sent to each worker once.
struct FunctionDefinition: Sendable {
    /// The number by which chunks name the function.
    let id: UInt32
    let bytes: [UInt8]

    /// Which code is run.
    enum Identity: Hashable {
        /// A job's own.
        case job
        /// A function without captures, which is nothing but its code.
        case code(UInt)
        /// A closure, by its code and the types of its captures.
        case closure(ClosureShape)
    }

    /// What makes two functions the same one.
    struct Key: Hashable {
        let role: FunctionRole
        let function: Identity
        /// The type of the box or job, which tells apart functions of the same code by the types they are used with.
        let type: ObjectIdentifier
    }

    private static let count = Atomic<UInt32>(0)

    /// - Throws: ``NotPortable`` when the code or a type has no name in another process.
    init(_ role: FunctionRole, _ code: ClosureShape?, _ type: Any.Type, variables: [SentVariable]) throws {
        var bytes: [UInt8] = [role.rawValue]
        code?.encode(into: &bytes)
        try TypeReference(type).encode(into: &bytes)
        bytes.append(number: UInt(variables.count))
        for variable in variables { bytes.append(number: UInt(variable.id)) }
        bytes.seal()
        self.bytes = bytes
        id = Self.count.wrappingAdd(1, ordering: .relaxed).newValue
    }

    /// What a definition says.
    struct Contents {
        let role: FunctionRole
        let code: ClosureShape?
        /// The type of the box or job.
        let type: Any.Type
        /// The numbers of the variables of main.swift that the function can reach.
        let variables: [UInt32]
    }

    /// Reads what ``init(_:_:_:variables:)`` wrote.
    static func decode(_ bytes: [UInt8]) throws -> Contents {
        var reader = try ReferenceReader(sealed: bytes)
        guard let role = FunctionRole(rawValue: try reader.readByte()) else { throw PortableFailure.unknownFunction }
        let code = role.hasCode ? try ClosureShape(decoding: &reader) : nil
        let type = try TypeReference(decoding: &reader).resolve()
        let variables = try (0..<(try reader.readCount())).map { _ in
            UInt32(truncatingIfNeeded: try reader.readNumber())
        }
        guard reader.isAtEnd else { throw PortableFailure.unknownFunction }
        return Contents(role: role, code: code, type: type, variables: variables)
    }
}

import MultiprocessingCoding
import MultiprocessingRuntime

/// A change that is made where the value lives: a closure that travels as an argument.
///
/// What the closure returns is no generic parameter. A method of a generic actor cannot have one: see
/// ``ActorCallError``.
struct PortableUpdate<Value: Sendable>: Sendable {
    /// Changes the value.
    let body: @Sendable (inout Value) throws -> UpdateResult

    /// How it is sent; nothing for one that came.
    private let box: (any UpdateBoxing<Value>)?

    init<Result: Sendable>(_ body: @escaping @Sendable (inout Value) throws -> Result) {
        let box = UpdateBox(body: body)
        self.body = box.erased
        self.box = box
    }
}

/// A closure that changes a value, of whatever result.
protocol UpdateBoxing<Value>: Sendable {
    associatedtype Value: Sendable
    /// The types that the caller chose.
    static var types: [any Any.Type] { get }
    static func body(_ words: FunctionWords) -> @Sendable (inout Value) throws -> UpdateResult
    var words: FunctionWords { get }
}

/// The closure in its most general representation; see ``FunctionBoxing``.
struct UpdateBox<Value: Sendable, Result: Sendable>: FunctionBoxing, UpdateBoxing {
    static var isAsync: Bool { false }
    static var types: [any Any.Type] { [Value.self, Result.self] }
    let body: @Sendable (inout Value) throws -> Result

    var words: FunctionWords { FunctionWords(of: self) }
    var erased: @Sendable (inout Value) throws -> UpdateResult { { [body] in .made(try body(&$0)) } }

    static func body(_ words: FunctionWords) -> @Sendable (inout Value) throws -> UpdateResult {
        words.box(as: Self.self).erased
    }
}

extension PortableUpdate: Codable {
    private struct Parts: Codable {
        /// The sealed name of the box's type.
        var type: [UInt8]
        /// The sealed ``ClosureShape``.
        var shape: [UInt8]
        var captures: [UInt8]
    }

    func encode(to encoder: any Encoder) throws {
        if encoder.userObject(.otherBuild) != nil { throw PoolError.updateForOtherProgram() }
        guard let box else { throw PoolError.closureNotPortable(NotPortable("it has come from another process")) }
        do {
            let closure = try CapturedClosure(box.words)
            let shape = closure.reference
            if let use = try TopLevelVariables.reached(by: shape, types: type(of: box).types).first {
                throw PoolError.variableInUpdate(use)
            }
            var name: [UInt8] = []
            shape.encode(into: &name)
            name.seal()
            var message = Outgoing()
            try closure.encodeCaptures(into: &message)
            // What they refer to is sent with the call's other arguments, or refused with them.
            for attachment in message.attachments { _ = try encoder.attach(attachment, for: self) }
            let captures = message.bytes.withUnsafeBytes { Array($0) }
            try Parts(type: try SealedTypeNames.name(of: type(of: box)), shape: name, captures: captures)
                .encode(to: encoder)
        } catch let error as NotPortable {
            throw PoolError.closureNotPortable(error)
        }
    }

    init(from decoder: any Decoder) throws {
        if decoder.userObject(.otherBuild) != nil { throw PoolError.updateForOtherProgram() }
        let parts = try Parts(from: decoder)
        guard let received = decoder.userInfo[.incoming] as? ReceivedAttachments,
            let type = try SealedTypeNames.type(named: parts.type) as? any UpdateBoxing<Value>.Type
        else { throw PortableFailure.unknownFunction }
        var reader = try ReferenceReader(sealed: parts.shape)
        let shape = try ClosureShape(decoding: &reader)
        let words = try received.read(ByteBuffer(parts.captures)) { try shape.rebuild(from: &$0) }
        guard !words.isAsync else { throw PortableFailure.unknownFunction }
        body = type.body(words)
        box = nil
    }
}

/// What a change returned, of a type that only its caller knows.
enum UpdateResult: Sendable {
    case made(any Sendable)
    /// As it came, and from whom.
    case received([UInt8], ReceivedAttachments)

    func value<Value: Sendable>(as type: Value.Type = Value.self) throws -> Value {
        switch self {
        case .made(let value):
            guard let value = value as? Value else { throw PortableFailure.unexpectedResult }
            return value
        case .received(let bytes, let sender):
            let codec = try Codec<Value>.resolve()
            return try sender.read(ByteBuffer(bytes)) { try codec.decode(from: &$0) }
        }
    }
}

extension UpdateResult: Codable {
    func encode(to encoder: any Encoder) throws {
        guard case .made(let value) = self else { throw PortableFailure.unexpectedResult }
        var message = Outgoing()
        func encode<Value>(_ value: Value) throws { try Codec<Value>.resolve().encode(value, into: &message) }
        try encode(value)
        for attachment in message.attachments { _ = try encoder.attach(attachment, for: self) }
        var container = encoder.singleValueContainer()
        try container.encode(message.bytes.withUnsafeBytes { Array($0) })
    }

    init(from decoder: any Decoder) throws {
        guard let sender = decoder.userInfo[.incoming] as? ReceivedAttachments else {
            throw PortableFailure.unexpectedResult
        }
        self = .received(try decoder.singleValueContainer().decode([UInt8].self), sender)
    }
}

extension ByteBuffer {
    fileprivate convenience init(_ bytes: [UInt8]) {
        self.init(capacity: bytes.count)
        bytes.withUnsafeBytes { append(contentsOf: $0) }
    }
}

extension PoolError {
    fileprivate static func updateForOtherProgram() -> PoolError {
        PoolError(
            .notPortable,
            """
            a closure cannot be sent to another program, where no code of this one runs; get the value and set another, \
            under a lock if others do so too, or write a distributed actor with a method for the change
            """)
    }

    fileprivate static func variableInUpdate(_ use: TopLevelVariables.Use) -> PoolError {
        PoolError(
            .notPortable,
            """
            the change cannot be sent to the object's process, because it uses \(use.variable.name), a variable of \
            main.swift that has no value there; copy it into a constant of a function, and capture that
            """)
    }
}

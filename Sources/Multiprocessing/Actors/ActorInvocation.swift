public import Distributed
import MultiprocessingCoding
import MultiprocessingRuntime

/// Writes the arguments of a call to a distributed actor; used by code that the compiler makes.
public struct ActorInvocationEncoder: DistributedTargetInvocationEncoder {
    /// What arguments have to be.
    public typealias SerializationRequirement = any Codable

    private(set) var generics: [any Any.Type] = []

    /// The types of the parameters, and of the result.
    private(set) var parameters: [any Any.Type] = []
    private(set) var result: any Any.Type = Void.self

    /// Made for the first argument.
    private var arguments: Outgoing?

    /// Encode the arguments once it is known for whom; nothing if that makes no difference.
    private var later: [(inout Outgoing) throws -> Void]?

    /// - Parameter mayLeave: Whether the call may be one to another program.
    init(mayLeave: Bool) {
        later = mayLeave ? [] : nil
    }

    /// Notes the type that a generic parameter stands for.
    public mutating func recordGenericSubstitution<T>(_ type: T.Type) throws {
        generics.append(type)
    }

    /// Writes an argument.
    ///
    /// - Throws: ``PoolError/Code/notPortable`` when it cannot be encoded.
    public mutating func recordArgument<Value: Codable>(_ argument: RemoteCallArgument<Value>) throws {
        parameters.append(Value.self)
        let role = { "argument \(argument.effectiveLabel)" }
        if later != nil {
            later?.append { try encode(argument.value, as: role(), into: &$0) }
            return
        }
        var message = arguments ?? Outgoing()
        try encode(argument.value, as: role(), into: &message)
        arguments = message
    }

    /// Does nothing: the host knows what the method throws.
    public mutating func recordErrorType<E: Error>(_ type: E.Type) throws {}

    /// Notes what the method returns.
    public mutating func recordReturnType<R: Codable>(_ type: R.Type) throws {
        result = type
    }

    /// Does nothing: a call is complete when it is sent.
    public mutating func doneRecording() throws {}

    /// The arguments, encoded; `nil` if there are none.
    ///
    /// - Parameter peer: The program that they are for, if it is another one.
    func finish(for peer: (any NetworkPeer)?) throws -> Outgoing? {
        guard let later else { return arguments }
        var message = Outgoing(for: peer)
        for encode in later { try encode(&message) }
        return message
    }
}

extension Outgoing {
    /// - Parameter peer: Who gets the message, if it is another program.
    fileprivate init(for peer: (any NetworkPeer)?) {
        if let peer { self.init(userInfo: [.otherBuild: peer]) } else { self.init() }
    }
}

/// Encodes an argument or a result by the rules of a pool.
///
/// - Throws: ``PoolError/Code/notPortable``.
private func encode<Value: Codable>(_ value: Value, as role: @autoclosure () -> String, into message: inout Outgoing)
    throws
{
    do {
        try Codec<Value>.resolve().encode(value, into: &message)
        guard !message.isForOtherBuild || message.attachments.isEmpty else {
            throw EncodingError.invalidValue(
                value,
                .init(
                    codingPath: [],
                    debugDescription: """
                        it refers to a lock, queue or other shared state, which is memory of one machine and does not \
                        travel to a server or its clients; share it within each program, or have an actor of the \
                        server hold the state
                        """))
        }
    } catch let error as PoolError where error.code == .notPortable {
        throw error
    } catch {
        throw PoolError.notEncodable(Value.self, as: role(), error)
    }
}

/// Reads the arguments of a call to a distributed actor; used by code that the compiler makes.
///
/// `Sendable` is unchecked for the pointer into `bytes`, which do not change and are kept.
public struct ActorInvocationDecoder: DistributedTargetInvocationDecoder, @unchecked Sendable {
    /// What arguments have to be.
    public typealias SerializationRequirement = any Codable

    /// The types that generic parameters stand for.
    enum Generics {
        /// By sealed names.
        case named([[UInt8]])
        case known([any Any.Type])
    }

    private let generics: Generics
    /// Keeps what `arguments` reads.
    private let bytes: ByteBuffer
    private var arguments: Incoming

    /// - Parameter bytes: The arguments, which do not change any more.
    init(generics: Generics, _ bytes: ByteBuffer, from sender: Sender) {
        self.generics = generics
        self.bytes = bytes
        // Safe outside of the closure: the buffer stays where it is while it is kept.
        arguments = bytes.withUnsafeBytes { Incoming($0, from: sender) }
    }

    /// How many bytes the arguments have.
    var size: Int { bytes.count }

    /// Finds the types that the generic parameters stand for.
    ///
    /// - Throws: When this process has no such types.
    public mutating func decodeGenericSubstitutions() throws -> [any Any.Type] {
        switch generics {
        case .named(let names): try names.map { try SealedTypeNames.type(named: $0) }
        case .known(let types): types
        }
    }

    /// Reads the next argument.
    ///
    /// - Throws: ``PoolError/Code/notPortable`` when it cannot be decoded.
    public mutating func decodeNextArgument<Argument: Codable>() throws -> Argument {
        do {
            return try Codec<Argument>.resolve().decode(from: &arguments)
        } catch {
            throw PoolError.notDecodable(Argument.self, as: "argument", error)
        }
    }

    /// Nothing: the method says what it throws.
    public mutating func decodeErrorType() throws -> (any Any.Type)? { nil }

    /// Nothing: the method says what it returns.
    public mutating func decodeReturnType() throws -> (any Any.Type)? { nil }
}

/// Sends what a method of a distributed actor returned or threw; used by code that the compiler makes.
public struct ActorResultHandler: DistributedTargetInvocationResultHandler, Sendable {
    /// What results have to be.
    public typealias SerializationRequirement = any Codable

    private let number: UInt64
    private let link: ActorLink
    /// The caller's program, if it is another one.
    private let peer: (any NetworkPeer)?

    init(of number: UInt64, to link: ActorLink, _ peer: (any NetworkPeer)? = nil) {
        self.number = number
        self.link = link
        self.peer = peer
    }

    /// Sends what the method returned; its caller gets an error instead when that cannot be encoded.
    public func onReturn<Success: Codable>(value: Success) async throws {
        var message = Outgoing(for: peer)
        do {
            try encode(value, as: "result", into: &message)
            try Route.check(message.bytes.count, for: peer)
        } catch {
            return fail(error)
        }
        send(.returned, message)
    }

    /// Tells that the method has ended.
    public func onReturnVoid() async throws {
        link.send(ActorFrame.make(.returned, number))
    }

    /// Sends what the method threw.
    public func onThrow<Err: Error>(error: Err) async throws {
        fail(error)
    }

    /// Tells that the method was not begun.
    func refuse(_ error: any Error) {
        var message = Outgoing(for: peer)
        ErrorCoding.encode(error, into: &message)
        send(.refused, message)
    }

    func fail(_ error: any Error) {
        var message = Outgoing(for: peer)
        ErrorCoding.encode(error, into: &message)
        send(.threw, message)
    }

    private func send(_ kind: Frame.Kind, _ message: Outgoing) {
        link.send(
            ActorFrame.make(kind, number) { buffer in
                message.bytes.withUnsafeBytes { buffer.append(contentsOf: $0) }
            }, message.attachments)
    }
}

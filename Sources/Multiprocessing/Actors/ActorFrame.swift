import MultiprocessingCoding
import MultiprocessingRuntime

/// The frames between who calls actors and their host.
enum ActorFrame {
    /// What a call's frame says ahead of the arguments.
    struct Call {
        /// Counts the calls of one connection, from 1.
        var number: UInt64
        var actor: UInt64
        /// What the caller takes the actor for: a sealed name of the type.
        var type: [UInt8]
        /// What the compiler calls the method.
        var target: String
        /// The types that the generic parameters stand for: sealed names.
        var generics: [[UInt8]]

        func append(to buffer: ByteBuffer) {
            buffer.append(number)
            buffer.append(actor)
            ActorFrame.append(type, to: buffer)
            var target = target
            target.withUTF8 { bytes in
                buffer.append(varint: UInt64(bytes.count))
                buffer.append(contentsOf: UnsafeRawBufferPointer(bytes))
            }
            buffer.append(varint: UInt64(generics.count))
            for name in generics { ActorFrame.append(name, to: buffer) }
        }

        static func read(from reader: inout ByteReader) throws -> Call {
            let number: UInt64 = try reader.read()
            let actor: UInt64 = try reader.read()
            let type = try readBytes(from: &reader)
            let target = try reader.readText(try reader.readCount())
            var generics: [[UInt8]] = []
            for _ in 0..<(try reader.readCount()) { generics.append(try readBytes(from: &reader)) }
            return Call(number: number, actor: actor, type: type, target: target, generics: generics)
        }
    }

    /// What a frame says of a method that later calls name by number.
    struct Method {
        /// A sealed name of the actor's type.
        var actor: [UInt8]
        /// What the compiler calls the method.
        var target: String
        /// Sealed names of the types of the parameters.
        var parameters: [[UInt8]]
        /// That of what it returns.
        var result: [UInt8]

        func append(to buffer: ByteBuffer) {
            ActorFrame.append(actor, to: buffer)
            ActorFrame.append(Array(target.utf8), to: buffer)
            buffer.append(varint: UInt64(parameters.count))
            for name in parameters { ActorFrame.append(name, to: buffer) }
            ActorFrame.append(result, to: buffer)
        }

        static func read(from reader: inout ByteReader) throws -> Method {
            let actor = try readBytes(from: &reader)
            let target = try reader.readText(try reader.readCount())
            var parameters: [[UInt8]] = []
            for _ in 0..<(try reader.readCount()) { parameters.append(try readBytes(from: &reader)) }
            return Method(actor: actor, target: target, parameters: parameters, result: try readBytes(from: &reader))
        }

        /// Finds the method in this program, which is the sender's too.
        func resolve() throws -> DistributedMethod {
            let method = DistributedMethod(
                target, of: try SealedTypeNames.type(named: actor),
                parameters: try parameters.map(SealedTypeNames.type),
                result: try SealedTypeNames.type(named: result))
            guard let method else { throw PortableFailure.unknownFrame }
            return method
        }
    }

    /// A call of a method by its number.
    static func make(_ method: UInt32, of actor: UInt64, call: UInt64, arguments: ByteBuffer?) -> ByteBuffer {
        let buffer = ByteBuffer(capacity: 48 + (arguments?.count ?? 0))
        Frame.append(.call, number: method, to: buffer) { buffer in
            buffer.append(call)
            buffer.append(actor)
            arguments?.withUnsafeBytes { buffer.append(contentsOf: $0) }
        }
        return buffer
    }

    /// A frame that is about one call or actor, and what follows the number.
    static func make(_ kind: Frame.Kind, _ number: UInt64, _ body: (ByteBuffer) -> Void = { _ in }) -> ByteBuffer {
        let buffer = ByteBuffer(capacity: 64)
        Frame.append(kind, to: buffer) { buffer in
            buffer.append(number)
            body(buffer)
        }
        return buffer
    }

    static func make(_ call: Call, arguments: ByteBuffer?) -> ByteBuffer {
        let buffer = ByteBuffer(capacity: 256 + (arguments?.count ?? 0))
        Frame.append(.call, to: buffer) { buffer in
            call.append(to: buffer)
            arguments?.withUnsafeBytes { buffer.append(contentsOf: $0) }
        }
        return buffer
    }

    static func append(_ bytes: [UInt8], to buffer: ByteBuffer) {
        buffer.append(varint: UInt64(bytes.count))
        bytes.withUnsafeBytes { buffer.append(contentsOf: $0) }
    }

    fileprivate static func readBytes(from reader: inout ByteReader) throws -> [UInt8] {
        Array(try reader.readBytes(try reader.readCount()))
    }
}

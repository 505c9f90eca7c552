import MultiprocessingCoding

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

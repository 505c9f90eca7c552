import MultiprocessingCoding
import MultiprocessingRuntime

/// How an error that an item threw gets to the caller.
///
/// One whose type is `Codable` arrives as what it was. The name and the description of the
/// others, and of one that fails to encode or decode, arrive in ``PoolError/Code/remote``.
enum ErrorCoding {
    private enum Kind: UInt8 {
        case cancellation
        case described
        case codable
        /// As `codable`, under the name that the type has in every build.
        case named
    }

    static func encode(_ error: any Error, into message: inout Outgoing) {
        // What a worker does not find is for the caller to read, and no error of the item's.
        if let error = error as? NotPortable { return encode(PoolError.notFound(error), into: &message) }
        let buffer = message.bytes
        if error is CancellationError {
            buffer.append(Kind.cancellation.rawValue)
            return
        }
        let start = buffer.count
        var note = ""
        if let codable = error as? any Error & Codable {
            do {
                buffer.append((message.isForOtherBuild ? Kind.named : .codable).rawValue)
                appendDescription(of: error, to: buffer)
                append(try typeName(of: error, isForOtherBuild: message.isForOtherBuild), to: buffer)
                try message.encode(codable)
                return
            } catch let failure {
                buffer.truncate(to: start)
                note = "it is Codable, but could not be encoded: \(describe(failure))"
            }
        }
        buffer.append(Kind.described.rawValue)
        appendDescription(of: error, to: buffer)
        append(Array(note.utf8), to: buffer)
    }

    /// Makes the error that the bytes hold, which come from a process that may have been damaged.
    ///
    /// They can name no type but an error that is `Codable`, which is checked before anything of the type's
    /// runs here; then its `init(from:)` is given bytes that are not trusted, as that of every output is.
    ///
    /// - Throws: When the bytes are no error at all.
    static func decode(from incoming: inout Incoming) throws -> any Error {
        guard let kind = Kind(rawValue: try incoming.reader.read()) else { throw PortableFailure.unknownFrame }
        if kind == .cancellation { return CancellationError() }
        let typeName = try readString(from: &incoming.reader)
        let description = try readString(from: &incoming.reader)
        guard kind != .described else {
            let note = try readString(from: &incoming.reader)
            return note.isEmpty
                ? PoolError.remote(typeName: typeName, description: description)
                : PoolError.remote(typeName: typeName, description: description, note: note)
        }
        let name = try readBytes(from: &incoming.reader)
        do {
            // By its place only from this very build.
            guard (kind == .named) == incoming.sender.isOfOtherBuild,
                let type = try findType(named: name, kind) as? any (Error & Codable).Type
            else { throw PortableFailure.unknownFrame }
            return try incoming.decode(type)
        } catch {
            // Better a description than nothing.
            return PoolError.remote(
                typeName: typeName, description: description,
                note: "it is Codable, but could not be decoded: \(describe(error))")
        }
    }

    private static func typeName(of error: any Error, isForOtherBuild: Bool) throws -> [UInt8] {
        if isForOtherBuild { return Array((_mangledTypeName(type(of: error)) ?? "").utf8) }
        var name: [UInt8] = []
        try TypeReference(type(of: error)).encode(into: &name)
        name.seal()
        return name
    }

    private static func findType(named name: [UInt8], _ kind: Kind) throws -> Any.Type? {
        if kind == .named {
            // A byte that is no text would be taken for an address.
            guard name.allSatisfy({ $0 > 32 && $0 < 127 }) else { return nil }
            return _typeByName(String(decoding: name, as: UTF8.self))
        }
        var names = try ReferenceReader(sealed: name)
        return try TypeReference(decoding: &names).resolve()
    }

    private static func appendDescription(of error: any Error, to buffer: ByteBuffer) {
        append(Array(readableName(of: type(of: error)).utf8), to: buffer)
        append(Array(describe(error).utf8), to: buffer)
    }

    private static func append(_ bytes: [UInt8], to buffer: ByteBuffer) {
        buffer.append(varint: UInt64(bytes.count))
        bytes.withUnsafeBytes { buffer.append(contentsOf: $0) }
    }

    private static func readBytes(from reader: inout ByteReader) throws -> [UInt8] {
        Array(try reader.readBytes(try reader.readCount()))
    }

    private static func readString(from reader: inout ByteReader) throws -> String {
        String(decoding: try readBytes(from: &reader), as: UTF8.self)
    }
}

/// Turns bytes from the other side back into values.
///
/// The bytes are not trusted: damage of any kind is a thrown error. Nothing is set aside
/// for more than the bytes that are really there could hold, and values nest no deeper than
/// 512 levels and the stack of the thread allow.
package struct BinaryDecoder: Sendable {
    /// What `init(from:)` finds in its decoder's `userInfo`, besides what the keys' connection has there.
    package var userInfo: [CodingUserInfoKey: any Sendable]

    private let keys: ReceivedKeys?

    /// Makes a decoder for bytes of one sender.
    ///
    /// - Parameter keys: The sender's keys, or nil if the bytes were encoded in this process.
    package init(keys: ReceivedKeys? = nil, userInfo: [CodingUserInfoKey: any Sendable] = [:]) {
        self.keys = keys
        self.userInfo = userInfo
    }

    /// Reads one value and moves the reader behind it.
    ///
    /// - Throws: What a value's `init(from:)` throws, unchanged, or `DecodingError`. One that
    ///   stems from damage has a ``CodingFailure`` as its underlying error. The reader then
    ///   has not moved.
    package func decode<T: Decodable>(_ type: T.Type = T.self, from reader: inout ByteReader) throws -> T {
        let root = begin(BorrowedBytes(reader.all))
        let storage = root.storage
        defer {
            storage.close()
            if !storage.mayBeKept { keys?.keep(IdleDecoder(root: root)) }
        }
        let head = try root.head(at: reader.offset, limit: reader.all.count, .none)
        let value = try root.read(type, head, .none)
        if let damage = storage.damage { throw damage }
        reader.move(to: head.end)
        return value
    }

    /// The decoder for a call: one that an earlier call with the same keys has left, if there is one.
    private func begin(_ bytes: BorrowedBytes) -> ValueDecoder {
        let (map, idle) = keys?.take() ?? (nil, nil)
        if let idle {
            idle.root.storage.open(bytes: bytes, keys: map, userInfo: userInfo)
            return idle.root
        }
        return ValueDecoder(storage: DecodingStorage(bytes: bytes, keys: map, userInfo: userInfo, of: keys))
    }

    /// Reads the value that the bytes hold from the first to the last.
    ///
    /// - Throws: As ``decode(_:from:)`` does, and if bytes are left over.
    package func decode<T: Decodable>(_ type: T.Type = T.self, from bytes: UnsafeRawBufferPointer) throws -> T {
        var reader = ByteReader(bytes)
        let value = try decode(type, from: &reader)
        guard reader.isAtEnd else {
            let failure = CodingFailure(.trailingBytes, offset: reader.offset)
            throw DecodingError.dataCorrupted(
                .init(codingPath: [], debugDescription: failure.description, underlyingError: failure))
        }
        return value
    }
}

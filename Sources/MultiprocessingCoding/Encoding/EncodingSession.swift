/// Encodes many values into one buffer, with encoders that are made once.
package final class EncodingSession {
    package let buffer: ByteBuffer
    private let storage: EncodingStorage
    private let root: ValueEncoder

    /// - Parameter userInfo: What `encode(to:)` finds in its encoder's `userInfo`.
    package init(into buffer: ByteBuffer, userInfo: [CodingUserInfoKey: any Sendable] = [:]) {
        self.buffer = buffer
        storage = EncodingStorage(userInfo: userInfo)
        root = ValueEncoder(storage: storage, buffer: buffer)
    }

    deinit {
        storage.close()
    }

    /// Appends one value; as ``BinaryEncoder/encode(_:into:)``.
    package func encode<T: Encodable>(_ value: T) throws {
        let start = buffer.count
        storage.begin()
        do {
            try root.write(value)
        } catch {
            buffer.truncate(to: start)
            throw error
        }
    }
}

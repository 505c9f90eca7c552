/// Encodes many values into one buffer, with encoders that are made once.
package final class EncodingSession {
    package let buffer: ByteBuffer
    private let storage: EncodingStorage
    private let root: ValueEncoder

    /// - Parameter userInfo: What `encode(to:)` finds in its encoder's `userInfo`.
    package convenience init(into buffer: ByteBuffer, userInfo: [CodingUserInfoKey: any Sendable] = [:]) {
        self.init(into: buffer, EncodingStorage(userInfo: userInfo, making: nil))
    }

    /// - Parameter making: Makes what `encode(to:)` finds in its encoder's `userInfo`, when a value first asks.
    package convenience init(into buffer: ByteBuffer, making: @escaping () -> [CodingUserInfoKey: any Sendable]) {
        self.init(into: buffer, EncodingStorage(userInfo: nil, making: making))
    }

    private init(into buffer: ByteBuffer, _ storage: EncodingStorage) {
        self.buffer = buffer
        self.storage = storage
        root = ValueEncoder(storage: storage, buffer: buffer)
    }

    /// What values have found in their encoders' `userInfo`; `nil` when it is made on demand and none has asked.
    package var knownUserInfo: [CodingUserInfoKey: any Sendable]? { storage.knownUserInfo }

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

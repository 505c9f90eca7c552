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

    /// For messages that each name their keys themselves, to be read by who has received nothing before.
    ///
    /// - Parameter making: As for the others.
    package convenience init(
        ofWholeMessagesInto buffer: ByteBuffer, making: @escaping () -> [CodingUserInfoKey: any Sendable]
    ) {
        self.init(into: buffer, EncodingStorage(userInfo: nil, making: making, ownKeys: MessageKeys()))
    }

    private init(into buffer: ByteBuffer, _ storage: EncodingStorage) {
        self.buffer = buffer
        self.storage = storage
        root = ValueEncoder(storage: storage, buffer: buffer)
    }

    /// What values have found in their encoders' `userInfo`; `nil` when it is made on demand and none has asked.
    package var knownUserInfo: [CodingUserInfoKey: any Sendable]? { storage.knownUserInfo }

    /// Appends the keys of the values since the last call, for ``ReceivedKeys/append(from:)``; nothing if there are none.
    ///
    /// Only for whole messages, of which this is the end.
    package func appendKeys() {
        storage.ownKeys?.takeEntries(into: buffer)
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

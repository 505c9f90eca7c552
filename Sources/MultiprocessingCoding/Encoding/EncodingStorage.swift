/// What all encoders of one call share.
final class EncodingStorage {
    let userInfo: [CodingUserInfoKey: any Sendable]

    /// Encoders of nested containers that are done and can be used again.
    private var idle: [ValueEncoder] = []

    init(userInfo: [CodingUserInfoKey: any Sendable]) {
        self.userInfo = userInfo
    }

    /// An encoder with a buffer of its own.
    func makeDetachedEncoder() -> ValueEncoder {
        if var encoder = idle.popLast(), isKnownUniquelyReferenced(&encoder) { return encoder }
        return ValueEncoder(storage: self, buffer: ByteBuffer(capacity: 128))
    }

    func recycle(_ encoder: ValueEncoder) {
        guard idle.count < 16 else { return }
        encoder.buffer.removeAll(keepingCapacity: true)
        idle.append(encoder)
    }

    /// Breaks the cycle between idle encoders and this object.
    func close() {
        idle = []
    }
}

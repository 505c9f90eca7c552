internal import CMultiprocessing

/// What all encoders of one call share.
final class EncodingStorage {
    let userInfo: [CodingUserInfoKey: any Sendable]

    /// Where the stack of the thread that encodes is too short to go on.
    // Exclusivity is unchecked because it changes only between calls.
    @exclusivity(unchecked)
    private var stackLimit: UInt = 0

    /// Encoders of nested containers that are done and can be used again.
    private var idle: [ValueEncoder] = []

    init(userInfo: [CodingUserInfoKey: any Sendable]) {
        self.userInfo = userInfo
    }

    /// Begins a call on this thread.
    func begin() {
        stackLimit = mp_stack_limit()
    }

    /// Whether another level of nesting fits on the stack.
    @inline(__always)
    var hasStack: Bool { mp_stack_position() > stackLimit }

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

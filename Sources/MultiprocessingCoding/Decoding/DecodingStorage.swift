/// What all decoders of one call share.
final class DecodingStorage {
    /// The bytes; none once the call has returned, in case a decoder outlives it.
    // Exclusivity is unchecked because it changes only when the call is over.
    @exclusivity(unchecked)
    private(set) var bytes: BorrowedBytes

    /// The keys of the other side, or nil if the bytes are this process's own.
    let keys: KeyMap?

    let userInfo: [CodingUserInfoKey: any Sendable]

    /// The first damage that was found where nothing can be thrown; the call throws it at its end.
    private(set) var damage: (any Error)?

    init(bytes: BorrowedBytes, keys: KeyMap?, userInfo: [CodingUserInfoKey: any Sendable]) {
        self.bytes = bytes
        self.keys = keys
        self.userInfo = userInfo
    }

    func note(_ error: any Error) {
        damage = damage ?? error
    }

    func close() {
        bytes = BorrowedBytes(UnsafeRawBufferPointer(start: nil, count: 0))
    }
}

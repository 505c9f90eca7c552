/// Turns values into bytes in the format that ``Tag`` describes.
package struct BinaryEncoder: Sendable {
    /// What `encode(to:)` finds in its encoder's `userInfo`.
    package var userInfo: [CodingUserInfoKey: any Sendable]

    package init(userInfo: [CodingUserInfoKey: any Sendable] = [:]) {
        self.userInfo = userInfo
    }

    /// Appends one value, with nothing before or behind it.
    ///
    /// The bytes may use keys that were added to ``KeyTable/shared`` meanwhile; the other
    /// side needs those before the bytes.
    ///
    /// - Throws: What a value's `encode(to:)` throws, unchanged, or `EncodingError`. The
    ///   buffer is then as it was before the call.
    package func encode<T: Encodable>(_ value: T, into buffer: ByteBuffer) throws {
        try EncodingSession(into: buffer, userInfo: userInfo).encode(value)
    }
}

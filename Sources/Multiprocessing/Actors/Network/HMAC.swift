/// The message authentication code HMAC with SHA-256 (RFC 2104, FIPS 198-1), under one key.
struct HMAC: Sendable {
    static let size = SHA256.size

    /// The states behind the first block, which are the same for all messages.
    private let inner: SHA256
    private let outer: SHA256

    /// - Parameter key: Of any length. One that is shorter than a block is the same as with zeros behind it.
    init(key: [UInt8]) {
        var block = key.count > SHA256.blockSize ? SHA256.hash(key) : key
        block += Array(repeating: 0, count: SHA256.blockSize - block.count)
        func begin(_ mask: UInt8) -> SHA256 {
            var hash = SHA256()
            block.map { $0 ^ mask }.withUnsafeBytes { hash.update($0) }
            return hash
        }
        inner = begin(0x36)
        outer = begin(0x5C)
    }

    /// The code of a message in parts.
    func code(of parts: UnsafeRawBufferPointer...) -> [UInt8] {
        var hash = inner
        for part in parts { hash.update(part) }
        var last = outer
        hash.finish().withUnsafeBytes { last.update($0) }
        return last.finish()
    }

    /// The code of a message under a key.
    static func code(of message: [UInt8], key: [UInt8]) -> [UInt8] {
        message.withUnsafeBytes { HMAC(key: key).code(of: $0) }
    }

    /// Whether two codes are the same, found out in a time that does not depend on where they differ.
    static func areEqual(_ left: some Collection<UInt8>, _ right: some Collection<UInt8>) -> Bool {
        guard left.count == right.count else { return false }
        var difference: UInt8 = 0
        for (one, other) in zip(left, right) { difference |= one ^ other }
        return difference == 0
    }
}

/// The hash function SHA-256 (FIPS 180-4).
///
/// The toolchain has none without packages.
struct SHA256 {
    static let blockSize = 64
    static let size = 32

    // The first 32 bits of the fractional parts of the square roots of the first 8 primes: FIPS 180-4, 5.3.3.
    private var state: InlineArray<8, UInt32> = [
        0x6A09_E667, 0xBB67_AE85, 0x3C6E_F372, 0xA54F_F53A, 0x510E_527F, 0x9B05_688C, 0x1F83_D9AB, 0x5BE0_CD19,
    ]
    /// Bytes that do not fill a block yet.
    private var rest = InlineArray<64, UInt8>(repeating: 0)
    private var restCount = 0
    private var count: UInt64 = 0

    // The first 32 bits of the fractional parts of the cube roots of the first 64 primes: FIPS 180-4, 4.2.2.
    private static let constants: InlineArray<64, UInt32> = [
        0x428A_2F98, 0x7137_4491, 0xB5C0_FBCF, 0xE9B5_DBA5, 0x3956_C25B, 0x59F1_11F1, 0x923F_82A4, 0xAB1C_5ED5,
        0xD807_AA98, 0x1283_5B01, 0x2431_85BE, 0x550C_7DC3, 0x72BE_5D74, 0x80DE_B1FE, 0x9BDC_06A7, 0xC19B_F174,
        0xE49B_69C1, 0xEFBE_4786, 0x0FC1_9DC6, 0x240C_A1CC, 0x2DE9_2C6F, 0x4A74_84AA, 0x5CB0_A9DC, 0x76F9_88DA,
        0x983E_5152, 0xA831_C66D, 0xB003_27C8, 0xBF59_7FC7, 0xC6E0_0BF3, 0xD5A7_9147, 0x06CA_6351, 0x1429_2967,
        0x27B7_0A85, 0x2E1B_2138, 0x4D2C_6DFC, 0x5338_0D13, 0x650A_7354, 0x766A_0ABB, 0x81C2_C92E, 0x9272_2C85,
        0xA2BF_E8A1, 0xA81A_664B, 0xC24B_8B70, 0xC76C_51A3, 0xD192_E819, 0xD699_0624, 0xF40E_3585, 0x106A_A070,
        0x19A4_C116, 0x1E37_6C08, 0x2748_774C, 0x34B0_BCB5, 0x391C_0CB3, 0x4ED8_AA4A, 0x5B9C_CA4F, 0x682E_6FF3,
        0x748F_82EE, 0x78A5_636F, 0x84C8_7814, 0x8CC7_0208, 0x90BE_FFFA, 0xA450_6CEB, 0xBEF9_A3F7, 0xC671_78F2,
    ]

    /// The hash of a message.
    static func hash(_ message: [UInt8]) -> [UInt8] {
        var hash = SHA256()
        message.withUnsafeBytes { hash.update($0) }
        return hash.finish()
    }

    mutating func update(_ message: UnsafeRawBufferPointer) {
        count &+= UInt64(message.count)
        var offset = 0
        if restCount > 0 {
            offset = min(Self.blockSize - restCount, message.count)
            for byte in message[..<offset] { take(byte) }
            guard restCount == Self.blockSize else { return }
            compressRest()
        }
        while message.count - offset >= Self.blockSize {
            compress(UnsafeRawBufferPointer(rebasing: message[offset..<(offset + Self.blockSize)]))
            offset += Self.blockSize
        }
        for byte in message[offset...] { take(byte) }
    }

    private mutating func take(_ byte: UInt8) {
        rest[restCount] = byte
        restCount += 1
    }

    private mutating func compressRest() {
        let block = rest
        withUnsafeBytes(of: block) { compress($0) }
        restCount = 0
    }

    /// Pads the message (FIPS 180-4, 5.1.1) and returns its hash, of 32 bytes.
    consuming func finish() -> [UInt8] {
        let bitCount = count &* 8
        take(0x80)
        if restCount > Self.blockSize - 8 {
            while restCount < Self.blockSize { take(0) }
            compressRest()
        }
        while restCount < Self.blockSize - 8 { take(0) }
        for shift in stride(from: UInt64(56), through: 0, by: -8) { take(UInt8(truncatingIfNeeded: bitCount >> shift)) }
        compressRest()
        var hash: [UInt8] = []
        hash.reserveCapacity(Self.size)
        for index in 0..<8 { withUnsafeBytes(of: state[index].bigEndian) { hash.append(contentsOf: $0) } }
        return hash
    }

    /// FIPS 180-4, 6.2.2.
    private mutating func compress(_ block: UnsafeRawBufferPointer) {
        var words = InlineArray<64, UInt32>(repeating: 0)
        for index in 0..<16 {
            words[index] = UInt32(bigEndian: block.loadUnaligned(fromByteOffset: 4 * index, as: UInt32.self))
        }
        for index in 16..<64 {
            let (near, far) = (words[index - 15], words[index - 2])
            let small0 = near.rotated(7) ^ near.rotated(18) ^ near &>> 3
            let small1 = far.rotated(17) ^ far.rotated(19) ^ far &>> 10
            words[index] = words[index - 16] &+ small0 &+ words[index - 7] &+ small1
        }
        var (a, b, c, d) = (state[0], state[1], state[2], state[3])
        var (e, f, g, h) = (state[4], state[5], state[6], state[7])
        for index in 0..<64 {
            let big1 = e.rotated(6) ^ e.rotated(11) ^ e.rotated(25)
            let choice = (e & f) ^ (~e & g)
            let first = h &+ big1 &+ choice &+ Self.constants[index] &+ words[index]
            let big0 = a.rotated(2) ^ a.rotated(13) ^ a.rotated(22)
            let majority = (a & b) ^ (a & c) ^ (b & c)
            (h, g, f, e) = (g, f, e, d &+ first)
            (d, c, b, a) = (c, b, a, first &+ big0 &+ majority)
        }
        state[0] &+= a
        state[1] &+= b
        state[2] &+= c
        state[3] &+= d
        state[4] &+= e
        state[5] &+= f
        state[6] &+= g
        state[7] &+= h
    }
}

extension UInt32 {
    /// Rotated to the right.
    fileprivate func rotated(_ count: UInt32) -> UInt32 { self &>> count | self &<< (32 - count) }
}

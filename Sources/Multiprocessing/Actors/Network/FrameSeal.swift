import MultiprocessingCoding

/// Shows that the frames of one direction come from who has proved itself, unchanged, and in their order.
///
/// Ahead of each frame there is one with an ``HMAC`` over how many there were before, the frame's header and its payload, under
/// a key that both ends have made of their challenges. It hides nothing.
struct FrameSeal: Sendable {
    /// How many bytes of the code travel; FIPS 198-1 allows to leave some out, and 128 bits cannot be guessed.
    private static let codeSize = 16

    /// What a seal adds to a frame.
    static let size = Frame.Header.size + codeSize

    private let code: HMAC
    private var count: UInt64 = 0
    /// What came ahead of the next frame.
    private var received: [UInt8]?

    init(key: [UInt8]) {
        code = HMAC(key: key)
    }

    /// The seal for the next frame.
    mutating func seal(_ frame: ByteBuffer) -> ByteBuffer {
        let code = frame.withUnsafeBytes { bytes in
            var reader = ByteReader(bytes)
            // Written by this process: it has a header, and what that says.
            guard let header = try? Frame.Header.read(from: &reader),
                let payload = try? reader.readBytes(Int(header.length))
            else { preconditionFailure("a frame is whole") }
            return next(UnsafeRawBufferPointer(rebasing: bytes.prefix(Frame.Header.size)), payload)
        }
        let buffer = ByteBuffer(capacity: Self.size)
        Frame.append(.seal, to: buffer) { buffer in code.withUnsafeBytes { buffer.append(contentsOf: $0) } }
        return buffer
    }

    /// Takes a frame; returns whether it is one to look at, and not a seal.
    ///
    /// - Throws: When it has no seal, or another.
    mutating func open(_ header: Frame.Header, _ reader: ByteReader) throws -> Bool {
        var reader = reader
        let payload = try reader.readBytes(reader.remaining)
        if header.kind == .seal {
            guard received == nil, payload.count == Self.codeSize else { throw PortableFailure.unknownFrame }
            received = Array(payload)
            return false
        }
        guard let seal = received.take() else { throw PortableFailure.unknownFrame }
        let bytes = ByteBuffer(capacity: Frame.Header.size)
        header.append(to: bytes)
        let expected = bytes.withUnsafeBytes { next($0, payload) }
        guard HMAC.areEqual(expected, seal) else { throw PortableFailure.unknownFrame }
        return true
    }

    private mutating func next(_ header: UnsafeRawBufferPointer, _ payload: UnsafeRawBufferPointer) -> [UInt8] {
        defer { count += 1 }
        return withUnsafeBytes(of: count.littleEndian) { number in
            Array(code.code(of: number, header, payload).prefix(Self.codeSize))
        }
    }
}

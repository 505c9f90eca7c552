package import MultiprocessingCoding

/// Cuts a stream of bytes into frames, however the bytes arrive.
///
/// Frames that lie whole in what was read are handed on in place; only one that is spread
/// over several reads is collected. A length is never believed beyond the bytes that came:
/// memory grows as they do.
package struct FrameAssembler {
    /// Bytes of a frame that is not complete.
    private var partial = ByteBuffer(capacity: 0)
    /// The size of the frame in `partial`, once its header is there.
    private var wanted: Int?

    package init() {}

    /// How many bytes the frame in progress still lacks, if that is known.
    package var missing: Int? {
        wanted.map { $0 - partial.count }
    }

    /// Whether no frame is in progress.
    package var isBetweenFrames: Bool { partial.count == 0 }

    /// Takes bytes as they came, and hands on each frame that is complete.
    package mutating func take(
        _ bytes: UnsafeRawBufferPointer,
        _ body: (Frame.Header, inout ByteReader) throws -> Void
    ) throws {
        var rest = bytes
        while !rest.isEmpty {
            if partial.count > 0 {
                try complete(&rest, body)
            } else if let frame = try Self.wholeFrame(in: rest) {
                try Self.deliver(UnsafeRawBufferPointer(rebasing: rest[..<frame]), body)
                rest = UnsafeRawBufferPointer(rebasing: rest[frame...])
            } else {
                partial.append(contentsOf: rest)
                wanted = try Self.frameSize(of: rest)
                return
            }
        }
    }

    private mutating func complete(
        _ rest: inout UnsafeRawBufferPointer,
        _ body: (Frame.Header, inout ByteReader) throws -> Void
    ) throws {
        let target = wanted ?? Frame.Header.size
        let count = min(rest.count, target - partial.count)
        partial.append(contentsOf: UnsafeRawBufferPointer(rebasing: rest[..<count]))
        rest = UnsafeRawBufferPointer(rebasing: rest[count...])
        if wanted == nil {
            wanted = try partial.withUnsafeBytes { try Self.frameSize(of: $0) }
        }
        guard partial.count == wanted else { return }
        let frame = partial
        // A new one: large results would otherwise pin their memory until the next.
        partial = ByteBuffer(capacity: 0)
        wanted = nil
        try frame.withUnsafeBytes { try Self.deliver($0, body) }
    }

    /// The size of the first frame, if its header is there.
    private static func frameSize(of bytes: UnsafeRawBufferPointer) throws -> Int? {
        guard bytes.count >= Frame.Header.size else { return nil }
        var reader = ByteReader(bytes)
        return try Frame.Header.read(from: &reader).frameSize
    }

    private static func wholeFrame(in bytes: UnsafeRawBufferPointer) throws -> Int? {
        guard let size = try frameSize(of: bytes), size <= bytes.count else { return nil }
        return size
    }

    private static func deliver(
        _ frame: UnsafeRawBufferPointer,
        _ body: (Frame.Header, inout ByteReader) throws -> Void
    ) throws {
        var reader = ByteReader(frame)
        let header = try Frame.Header.read(from: &reader)
        // Without the padding.
        var payload = ByteReader(try reader.readBytes(Int(header.length)))
        try body(header, &payload)
    }
}

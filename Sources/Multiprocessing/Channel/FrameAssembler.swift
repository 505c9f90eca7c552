package import MultiprocessingCoding

/// Cuts a stream of bytes into frames, however the bytes arrive.
///
/// Frames that lie whole in what was read are handed on in place; only one that is spread
/// over several reads is collected. A length is never believed beyond the bytes that came:
/// memory grows as they do, or is not touched before.
package struct FrameAssembler {
    /// Looks at the header of a frame that is still to come, which is not waited for if it throws.
    package typealias Admit = (Frame.Header) throws -> Void

    /// Makes the memory of a large array.
    package typealias Land = (Frame.Header) throws -> ArrivingArray

    /// Takes a frame; the landing is the memory of a large payload, from which the reader reads.
    package typealias Deliver = (Frame.Header, inout ByteReader, ArrivingArray?) throws -> Void

    /// The bytes of a frame that is not complete, except for those in the landing.
    private var partial = ByteBuffer(capacity: 0)
    /// The header of that frame, once it is there.
    private var header: Frame.Header?
    /// The memory of its payload, if that is large.
    private var landing: ArrivingArray?

    package init() {}

    /// How many bytes the frame in progress still lacks, if that is known.
    package var missing: Int? {
        header.map { $0.frameSize - partial.count - (landing?.filled ?? 0) }
    }

    /// Whether no frame is in progress.
    package var isBetweenFrames: Bool { partial.count == 0 }

    /// Takes bytes as they came, and hands on each frame that is complete.
    package mutating func take(
        _ bytes: UnsafeRawBufferPointer,
        admit: Admit = { _ in },
        land: Land,
        _ deliver: Deliver
    ) throws {
        var rest = bytes
        while !rest.isEmpty {
            if partial.count == 0, let frame = try Self.wholeFrame(in: rest) {
                try Self.deliver(UnsafeRawBufferPointer(rebasing: rest[..<frame]), deliver)
                rest = UnsafeRawBufferPointer(rebasing: rest[frame...])
            } else {
                try collect(&rest, admit, land)
                try deliverIfComplete(deliver)
            }
        }
    }

    /// Where the bytes that come next can be read to; `nil` when they are to be taken instead.
    package var room: UnsafeMutableRawBufferPointer? {
        guard let room = landing?.room, !room.isEmpty else { return nil }
        return room
    }

    /// Takes bytes that were read to the start of ``room``.
    package mutating func takeRead(_ count: Int, _ deliver: Deliver) throws {
        landing?.advance(by: count)
        try deliverIfComplete(deliver)
    }

    /// Takes as much as belongs to the header of the frame in progress, to its payload or to the padding.
    private mutating func collect(_ rest: inout UnsafeRawBufferPointer, _ admit: Admit, _ land: Land) throws {
        if room != nil, let landing { return landing.take(&rest) }
        let count = min(rest.count, missing ?? Frame.Header.size - partial.count)
        partial.append(contentsOf: UnsafeRawBufferPointer(rebasing: rest[..<count]))
        rest = UnsafeRawBufferPointer(rebasing: rest[count...])
        if header == nil, let header = try partial.withUnsafeBytes({ try Self.header(of: $0) }) {
            try admit(header)
            self.header = header
            if header.isLarge { landing = try header.landing(land) }
        }
    }

    private mutating func deliverIfComplete(_ deliver: Deliver) throws {
        guard missing == 0, let header else { return }
        let frame = partial
        let landing = landing
        // New ones: large results would otherwise pin their memory until the next.
        partial = ByteBuffer(capacity: 0)
        self.header = nil
        self.landing = nil
        guard let landing else { return try frame.withUnsafeBytes { try Self.deliver($0, deliver) } }
        var payload = ByteReader(landing.bytes)
        try withExtendedLifetime(landing) { try deliver(header, &payload, landing) }
    }

    /// The header of the first frame, if it is there.
    private static func header(of bytes: UnsafeRawBufferPointer) throws -> Frame.Header? {
        guard bytes.count >= Frame.Header.size else { return nil }
        var reader = ByteReader(bytes)
        return try Frame.Header.read(from: &reader)
    }

    /// The size of the first frame, if all of it is there; a large one gets memory of its own.
    private static func wholeFrame(in bytes: UnsafeRawBufferPointer) throws -> Int? {
        guard let header = try header(of: bytes), !header.isLarge, header.frameSize <= bytes.count else { return nil }
        return header.frameSize
    }

    private static func deliver(_ frame: UnsafeRawBufferPointer, _ deliver: Deliver) throws {
        var reader = ByteReader(frame)
        let header = try Frame.Header.read(from: &reader)
        // Without the padding.
        var payload = ByteReader(try reader.readBytes(Int(header.length)))
        try deliver(header, &payload, nil)
    }
}

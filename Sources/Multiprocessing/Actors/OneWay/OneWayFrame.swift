import MultiprocessingCoding

/// The frame of one-way calls: some calls to one actor, of one ``OneWayCalls``.
///
/// The payload says which actor, whether the calls name their methods, and how many there are; then they follow, each on
/// a multiple of eight bytes: its method's number, its length, its own number if the caller wants to know of its end, and
/// the arguments. In one that names its method an ``ActorFrame/Call`` is ahead of these.
struct OneWayFrame {
    /// What the calls of one frame have in common.
    struct Key: Hashable {
        let calls: UInt32
        let actor: UInt64
        let isNamed: Bool
    }

    /// One call as it arrives.
    struct Call {
        let method: UInt32
        /// Zero if the caller does not want to know.
        let number: UInt64
        /// Where in the batch the rest is.
        let range: Range<Int>

        /// What it counts for in a ``OneWayWindow``.
        var size: Int { OneWayFrame.size(range.count) }
    }

    private static let callHeaderSize = 24
    private static let countOffset = Frame.Header.size + 12

    /// What a call with so many bytes counts for in a ``OneWayWindow``.
    static func size(_ byteCount: Int) -> Int { byteCount + callHeaderSize }

    let key: Key
    private let buffer: ByteBuffer
    private var count: UInt32 = 0

    init(_ key: Key, capacity: Int) {
        self.key = key
        buffer = ByteBuffer(capacity: capacity)
        Frame.Header(kind: .oneWay, number: key.calls, length: 0).append(to: buffer)
        buffer.append(key.actor)
        buffer.append(UInt32(key.isNamed ? 1 : 0))
        buffer.append(UInt32(0))
    }

    /// How many bytes there are.
    var byteCount: Int { buffer.count }

    /// Adds a call.
    ///
    /// - Parameters:
    ///   - name: What names the method, if it has no number.
    ///   - number: Not zero if the end of the call is to be told by itself.
    mutating func append(_ method: UInt32, _ name: ByteBuffer?, _ arguments: ByteBuffer?, number: UInt64) {
        let length = (name?.count ?? 0) + (arguments?.count ?? 0)
        buffer.reserve(Self.callHeaderSize + length + 8)
        buffer.append(method)
        buffer.append(UInt32(0))
        buffer.append(UInt64(length))
        buffer.append(number)
        name?.withUnsafeBytes { buffer.append(contentsOf: $0) }
        arguments?.withUnsafeBytes { buffer.append(contentsOf: $0) }
        for _ in 0..<Self.padding(length) { buffer.append(UInt8(0)) }
        count += 1
    }

    /// The frame as it goes out.
    consuming func finish() -> ByteBuffer {
        let length = buffer.count - Frame.Header.size
        buffer.overwrite(at: 8, with: UInt64(length))
        buffer.overwrite(at: Self.countOffset, with: count)
        Frame.appendPadding(after: length, to: buffer)
        return buffer
    }

    /// What is missing to a multiple of eight.
    private static func padding(_ length: Int) -> Int { -length & 7 }

    /// The calls of a frame that has arrived, as they are taken from it one after another.
    struct Batch {
        let key: Key
        let bytes: ByteBuffer
        private var offset = 0
        private(set) var count: Int

        /// - Parameter reader: The payload, which is copied.
        init(_ calls: UInt32, _ reader: inout ByteReader) throws {
            let (actor, flags, count): (UInt64, UInt32, UInt32) = (
                try reader.read(), try reader.read(), try reader.read()
            )
            guard flags <= 1 else { throw PortableFailure.unknownFrame }
            key = Key(calls: calls, actor: actor, isNamed: flags == 1)
            self.count = Int(count)
            bytes = ByteBuffer(capacity: reader.remaining)
            bytes.append(contentsOf: try reader.readBytes(reader.remaining))
        }

        /// Takes out all calls.
        mutating func removeAll() {
            count = 0
        }

        /// Takes the next call; there has to be one.
        ///
        /// - Throws: When the bytes are none.
        mutating func next() throws -> Call {
            let start = offset
            let (call, end) = try bytes.withUnsafeBytes { bytes in
                var reader = ByteReader(UnsafeRawBufferPointer(rebasing: bytes[start...]))
                let (method, _): (UInt32, UInt32) = (try reader.read(), try reader.read())
                let (length, number): (UInt64, UInt64) = (try reader.read(), try reader.read())
                guard length <= UInt64(reader.remaining) else { throw PortableFailure.unknownFrame }
                let first = start + reader.offset
                _ = try reader.readBytes(Int(length))
                _ = try reader.readBytes(min(padding(Int(length)), reader.remaining))
                return (
                    Call(method: method, number: number, range: first..<(first + Int(length))),
                    start + reader.offset
                )
            }
            offset = end
            count -= 1
            return call
        }
    }
}

/// What a host tells of one-way calls that have ended.
struct OneWayEnds: Sendable {
    /// Whose they are.
    let calls: UInt32
    private(set) var count = 0
    /// See ``OneWayFrame/Call/size``.
    private(set) var size = 0
    private(set) var failureCount = 0
    /// Of those that have numbers.
    private(set) var numbers: [UInt64] = []
    /// What the first threw that threw.
    private(set) var failure: (any Error)?

    init(_ calls: UInt32) {
        self.calls = calls
    }

    /// Notes the end of a call.
    mutating func add(_ call: OneWayFrame.Call, _ error: (any Error)?) {
        count += 1
        size += call.size
        if call.number != 0 { numbers.append(call.number) }
        guard let error else { return }
        failureCount += 1
        if failure == nil { failure = error }
    }

    /// Adds others of the same ``OneWayCalls``.
    mutating func add(_ others: OneWayEnds) {
        count += others.count
        size += others.size
        numbers += others.numbers
        failureCount += others.failureCount
        if failure == nil { failure = others.failure }
    }

    /// Makes the frame.
    ///
    /// - Parameter peer: The caller's program, if it is another one.
    func frame(for peer: (any NetworkPeer)?) -> (ByteBuffer, [Attachment]) {
        var message = Outgoing(for: peer)
        if let failure { ErrorCoding.encode(failure, into: &message) }
        let buffer = ByteBuffer(capacity: 64 + 8 * numbers.count + message.bytes.count)
        Frame.append(.oneWayEnds, number: calls, to: buffer) { buffer in
            buffer.append(UInt64(count))
            buffer.append(UInt64(size))
            buffer.append(UInt64(failureCount))
            buffer.append(varint: UInt64(numbers.count))
            for number in numbers { buffer.append(number) }
            message.bytes.withUnsafeBytes { buffer.append(contentsOf: $0) }
        }
        return (buffer, message.attachments)
    }

    /// Reads the frame.
    init(_ calls: UInt32, _ reader: inout ByteReader, from sender: Sender) throws {
        self.calls = calls
        count = Int(clamping: try reader.read(UInt64.self))
        size = Int(clamping: try reader.read(UInt64.self))
        failureCount = Int(clamping: try reader.read(UInt64.self))
        for _ in 0..<(try reader.readCount(unit: 8)) { numbers.append(try reader.read()) }
        guard failureCount > 0 else { return }
        var incoming = Incoming(reader, from: sender)
        failure = (try? ErrorCoding.decode(from: &incoming)) ?? PortableFailure.unknownFrame
    }
}

import MultiprocessingCoding
import MultiprocessingSystem

/// A message as it travels: one packet of a message socket, which comes whole or not at all.
///
/// So neither senders nor receivers need a lock, in one process or in several, and the death of one leaves no part of a
/// message. What is too large for a packet lies in memory whose descriptor goes with it; the packet is filled up then,
/// so that the socket's buffer limits how many of those are on their way.
struct ConnectionPacket: ~Copyable {
    /// All that the packet has in front of the body: the header, and what came of handles.
    struct Header {
        static let size = 32
        static let magic: UInt32 = 0x6D70_4331

        /// Whether all behind the header lies in memory, whose descriptor comes first.
        var isInMemory = false
        var attachmentCount = 0
        /// How many bytes the attachments take.
        var attachmentSize = 0
        /// How many bytes the body takes.
        var bodySize = 0

        func write(to bytes: ByteBuffer) {
            bytes.append(Self.magic)
            bytes.append(UInt32(isInMemory ? 1 : 0))
            bytes.append(UInt64(attachmentCount))
            bytes.append(UInt64(attachmentSize))
            bytes.append(UInt64(bodySize))
        }

        init() {}

        /// - Returns: `nil` when this is no header.
        init?(_ bytes: UnsafeRawBufferPointer) {
            guard bytes.count >= Self.size, bytes.loadUnaligned(as: UInt32.self) == Self.magic,
                let count = Int(exactly: bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self)), count <= 253,
                let attachments = Int(exactly: bytes.loadUnaligned(fromByteOffset: 16, as: UInt64.self)),
                let body = Int(exactly: bytes.loadUnaligned(fromByteOffset: 24, as: UInt64.self)),
                attachments < 1 << 40, body < 1 << 60
            else { return nil }
            isInMemory = bytes.loadUnaligned(fromByteOffset: 4, as: UInt32.self) == 1
            attachmentCount = count
            attachmentSize = attachments
            bodySize = body
        }
    }

    /// The most bytes behind the header that travel in the packet itself.
    static let inlineLimit = 64 << 10

    /// What a packet whose contents lie in memory is filled up to.
    static let filledSize = 32 << 10

    /// The header with what comes behind it and before the body.
    let head: ByteBuffer

    /// The numbers of ``owners`` that go with it, in order.
    let descriptors: [DescriptorNumber]

    /// Whether the body goes in the packet, behind the head.
    let hasBody: Bool

    private let owners: [OpenDescriptor]

    /// - Parameters:
    ///   - body: The encoded value; not kept.
    ///   - attachments: What it refers to.
    init(_ body: UnsafeRawBufferPointer, _ attachments: [Attachment]) throws {
        var owners: [OpenDescriptor] = []
        let rest = ByteBuffer(capacity: 64)
        for attachment in attachments {
            if attachment is SharedInput { throw SharedStateError.broadcastInMessage }
            rest.append(attachment.number)
            rest.append(UInt64(attachment.bytes.count))
            rest.append(UInt64(attachment.descriptors.count))
            attachment.bytes.withUnsafeBytes { rest.append(contentsOf: $0) }
            owners += attachment.descriptors
        }
        var header = Header()
        header.attachmentCount = attachments.count
        header.attachmentSize = rest.count
        header.bodySize = body.count
        header.isInMemory = rest.count + body.count > Self.inlineLimit
        let most = Socket.maximumDescriptorCount - 1
        guard owners.count <= most else { throw SharedStateError.tooManyHandles(owners.count, of: most) }
        let head = ByteBuffer(capacity: Header.size + rest.count)
        header.write(to: head)
        if header.isInMemory {
            do throws(SystemError) {
                let memory = try rest.withUnsafeBytes { rest throws(SystemError) in
                    OpenDescriptor(try SharedPages.holding([rest, body], name: "multiprocessing-message"))
                }
                owners.insert(memory, at: 0)
            } catch {
                throw SharedStateError.connection(error)
            }
            let filling = head.append(uninitialized: Self.filledSize - head.count)
            filling.initializeMemory(as: UInt8.self, repeating: 0, count: Self.filledSize - Header.size)
        } else {
            rest.withUnsafeBytes { head.append(contentsOf: $0) }
        }
        self.head = head
        self.owners = owners
        descriptors = owners.map(\.number)
        hasBody = !header.isInMemory
    }
}

/// A packet that came.
///
/// Sendable is unchecked because of the memory: one thread at a time has it.
final class ReceivedPacket: @unchecked Sendable {
    /// What fits any packet.
    private static let capacity = ConnectionPacket.Header.size + ConnectionPacket.inlineLimit

    let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: capacity, alignment: 16)
    var count = 0
    var descriptors = ReceivedDescriptors()

    deinit {
        memory.deallocate()
    }

    /// Calls `body` with the encoded value, and with what it refers to if that is anything.
    ///
    /// - Throws: ``SharedStateError`` when the packet makes no sense, or what came with it was lost.
    func read<Value>(_ body: (UnsafeRawBufferPointer, ReceivedAttachments?) throws -> Value) throws -> Value {
        if descriptors.areIncomplete { throw SharedStateError.lostDescriptors() }
        let packet = UnsafeRawBufferPointer(rebasing: memory[..<count])
        guard let header = ConnectionPacket.Header(packet) else { throw SharedStateError.damagedMessage }
        guard header.isInMemory else {
            return try read(UnsafeRawBufferPointer(rebasing: packet[ConnectionPacket.Header.size...]), header, body)
        }
        guard let descriptor = descriptors.takeFirst() else { throw SharedStateError.damagedMessage }
        let pages: SharedPages
        do throws(SystemError) {
            pages = try SharedPages(mapping: descriptor)
        } catch {
            throw SharedStateError.connection(error)
        }
        return try withExtendedLifetime(pages) {
            try read(UnsafeRawBufferPointer(pages.bytes), header, body)
        }
    }

    private func read<Value>(
        _ bytes: UnsafeRawBufferPointer,
        _ header: ConnectionPacket.Header,
        _ body: (UnsafeRawBufferPointer, ReceivedAttachments?) throws -> Value
    ) throws -> Value {
        guard bytes.count == header.attachmentSize + header.bodySize else { throw SharedStateError.damagedMessage }
        let value = UnsafeRawBufferPointer(rebasing: bytes[header.attachmentSize...])
        guard header.attachmentCount > 0 else {
            guard header.attachmentSize == 0 else { throw SharedStateError.damagedMessage }
            return try body(value, nil)
        }
        let sender = Sender()
        do {
            var reader = ByteReader(UnsafeRawBufferPointer(rebasing: bytes[..<header.attachmentSize]))
            for _ in 0..<header.attachmentCount { try readAttachment(&reader, sender.attachments) }
            guard reader.isAtEnd else { throw SharedStateError.damagedMessage }
        } catch {
            throw SharedStateError.damagedMessage
        }
        return try withExtendedLifetime(sender) { try body(value, sender.attachments) }
    }

    private func readAttachment(_ reader: inout ByteReader, _ attachments: ReceivedAttachments) throws {
        let number: UInt64 = try reader.read()
        let size: UInt64 = try reader.read()
        let count: UInt64 = try reader.read()
        guard size <= UInt64(reader.remaining), count <= UInt64(descriptors.count) else {
            throw SharedStateError.damagedMessage
        }
        let bytes = ByteBuffer(capacity: Int(size))
        bytes.append(contentsOf: try reader.readBytes(Int(size)))
        var taken: [OpenDescriptor] = []
        for _ in 0..<count {
            if let descriptor = descriptors.takeFirst() { taken.append(OpenDescriptor(descriptor)) }
        }
        try attachments.add(number, bytes, .success(taken))
    }
}

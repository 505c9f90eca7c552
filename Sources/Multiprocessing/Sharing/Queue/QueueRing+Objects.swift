import MultiprocessingCoding
import MultiprocessingSystem

/// What an item with handles has behind its own bytes: for each object its number, its bytes and how many descriptors
/// it has, then the size of that, and the number under which the descriptors are in the queue's store.
///
/// The descriptors travel beside the ring: the sender leaves them before it commits the item, and the receiver takes
/// copies before it commits, and throws them away after. So they are there for as long as the item is.
enum QueueObjects {
    /// The size of the objects, and the number of the descriptors.
    private static let trailerSize = 16
    /// How many descriptors go with one message, less what other libraries may think that is.
    private static let descriptorLimit = 250

    /// The bytes of an item with what it refers to, of which the last eight are filled in when it is sent.
    static func bytes(_ item: UnsafeRawBufferPointer, _ attachments: [Attachment]) throws -> ByteBuffer {
        let buffer = ByteBuffer(capacity: item.count + 256)
        buffer.append(contentsOf: item)
        var descriptorCount = 0
        for attachment in attachments {
            guard attachment.attachments.isEmpty else {
                throw SharedStateError(
                    .notPortable,
                    "a value that all workers of a call share cannot go through a queue by reference; send the value itself"
                )
            }
            descriptorCount += attachment.descriptors.count
            buffer.append(attachment.number)
            buffer.append(UInt32(attachment.descriptors.count))
            buffer.append(UInt32(attachment.bytes.count))
            attachment.bytes.withUnsafeBytes { buffer.append(contentsOf: $0) }
        }
        guard descriptorCount <= descriptorLimit else {
            throw SharedStateError(
                .invalidArgument,
                "one item refers to \(descriptorCount) descriptors, and \(descriptorLimit) is the most; send the handles in several items"
            )
        }
        buffer.append(UInt64(buffer.count - item.count))
        buffer.append(UInt64(0))
        return buffer
    }

    /// An item's own bytes, those of its objects, and the number of their descriptors.
    static func parts(
        of bytes: UnsafeRawBufferPointer
    ) throws -> (item: UnsafeRawBufferPointer, objects: UnsafeRawBufferPointer, number: UInt64) {
        let end = bytes.count - trailerSize
        guard end >= 0 else { throw SharedStateError.damagedQueue }
        let size = bytes.loadUnaligned(fromByteOffset: end, as: UInt64.self)
        guard size <= UInt64(end) else { throw SharedStateError.damagedQueue }
        let start = end - Int(size)
        return (
            UnsafeRawBufferPointer(rebasing: bytes[..<start]), UnsafeRawBufferPointer(rebasing: bytes[start..<end]),
            bytes.loadUnaligned(fromByteOffset: end + 8, as: UInt64.self)
        )
    }
}

extension QueueRing {
    /// Leaves what travels beside an item whose bytes are in the ring already; the senders' lock is held.
    ///
    /// - Returns: `false` if there is no room before others have been received.
    func leaveObjects(_ attachments: [Attachment], of item: UnsafeMutableRawBufferPointer) throws -> Bool {
        let number = memory.nextNonce()
        item.storeBytes(of: number, toByteOffset: item.count - 8, as: UInt64.self)
        let descriptors = attachments.flatMap(\.descriptors)
        guard !descriptors.isEmpty else { return true }
        do throws(SystemError) {
            if try memory.objects.leave(descriptors, as: number) { return true }
            // What is left without any item is of those who died before they committed theirs.
            guard memory.tail.items(since: memory.head) == 0 else { return false }
            guard let acquired = try memory.receiveLock.tryLock() else { return false }
            defer { memory.receiveLock.unlock() }
            if case .afterDeath = acquired {
                repairLeases()
                memory.receiveLock.markRecovered()
            }
            try memory.objects.discard(upTo: number)
            return try memory.objects.leave(descriptors, as: number)
        } catch { throw SharedStateError.system(error) }
    }

    /// Takes copies of what travels beside an item; the receivers' lock is held.
    func receiveObjects(_ bytes: UnsafeRawBufferPointer) throws -> (UnsafeRawBufferPointer, ReceivedAttachments) {
        let (item, objects, number) = try QueueObjects.parts(of: bytes)
        let attachments = ReceivedAttachments(limit: .max)
        var received: ReceivedDescriptors
        do throws(SystemError) {
            received = try memory.objects.copies(of: number) ?? ReceivedDescriptors()
        } catch { throw SharedStateError.system(error) }
        var reader = ByteReader(objects)
        while !reader.isAtEnd {
            let object: UInt64 = try reader.read()
            let count: UInt32 = try reader.read()
            let size: UInt32 = try reader.read()
            let buffer = ByteBuffer(capacity: Int(size))
            buffer.append(contentsOf: try reader.readBytes(Int(size)))
            var descriptors: [OpenDescriptor] = []
            for _ in 0..<count {
                if let next = received.takeFirst() { descriptors.append(OpenDescriptor(next)) }
            }
            let isWhole = descriptors.count == Int(count)
            try attachments.add(
                object, buffer, isWhole ? .success(descriptors) : .failure(SharedStateError.lostDescriptors()))
        }
        return (item, attachments)
    }

    /// Throws away what travelled beside items that have been received; the receivers' lock is held.
    func discardObjects(upTo number: UInt64) {
        // What cannot be thrown away now goes with the next one.
        try? memory.objects.discard(upTo: number)
    }
}

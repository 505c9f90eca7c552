import MultiprocessingSystem

/// Descriptors that have come with bytes of frames which are not complete yet.
///
/// Each lot was sent with the first byte of its frame, and a read ends behind the bytes of one lot. So between two reads
/// there is at most one, whose frame has begun.
struct ArrivedDescriptors {
    private var lots: [Result<[OpenDescriptor], any Error>] = []

    /// Adds what came with one read, before the bytes are handed on.
    mutating func add(_ received: consuming ReceivedDescriptors) {
        if received.areIncomplete { return lots.append(.failure(SharedStateError.lostDescriptors())) }
        var descriptors: [OpenDescriptor] = []
        while let descriptor = received.takeFirst() { descriptors.append(OpenDescriptor(descriptor)) }
        lots.append(.success(descriptors))
    }

    /// Hands out those of a frame that says how many it has.
    ///
    /// - Returns: A failure if this process had no room for them.
    /// - Throws: When the other side does not keep to the rules.
    mutating func take(_ count: Int) throws -> Result<[OpenDescriptor], any Error> {
        guard count > 0 else { return .success([]) }
        guard !lots.isEmpty else { throw PortableFailure.unexpectedAttachment }
        let lot = lots.removeFirst()
        if case .success(let descriptors) = lot, descriptors.count != count {
            throw PortableFailure.unexpectedAttachment
        }
        return lot
    }

    /// Looks, after each read, that nobody sends descriptors without frames.
    func check() throws {
        if lots.count > 1 { throw PortableFailure.unexpectedAttachment }
    }
}

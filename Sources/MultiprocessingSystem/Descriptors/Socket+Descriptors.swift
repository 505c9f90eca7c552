internal import CMultiprocessing
internal import Glibc

extension Socket {
    /// How many descriptors go with one message.
    package static var maximumDescriptorCount: Int { Int(MP_DESCRIPTORS_PER_MESSAGE) }

    /// Sends bytes, and with the first of them copies of descriptors; returns at once, whatever the descriptor's mode.
    ///
    /// The descriptors may be closed as soon as it returns: what they stand for stays open on its way.
    /// On a stream fewer bytes may go out than were offered; all the descriptors went with them then.
    ///
    /// - Parameters:
    ///   - buffers: At least one byte where there is a descriptor; a message socket takes them as one message.
    ///   - descriptors: At most ``maximumDescriptorCount``.
    /// - Throws: ``Errno/tooManyReferences`` while more descriptors are on their way, and not yet received, than
    ///   the process may have open; nothing was sent then. ``Errno/messageTooLong`` for a message that is larger
    ///   than the socket's buffer.
    package borrowing func send(
        _ buffers: UnsafeBufferPointer<SendBuffer>,
        descriptors: [DescriptorNumber]
    ) throws(SystemError) -> SendResult {
        try Self.send(buffers, descriptors: descriptors, over: number)
    }

    /// The same for a socket whose descriptor has several owners.
    package static func send(
        _ buffers: UnsafeBufferPointer<SendBuffer>,
        descriptors: [DescriptorNumber],
        over socket: DescriptorNumber
    ) throws(SystemError) -> SendResult {
        let raw = socket.rawValue
        let count = min(buffers.count, maximumBufferCount)
        do throws(SystemError) {
            return .sent(
                try systemCall("sendmsg") {
                    let vectors = UnsafeRawPointer(buffers.baseAddress)?.assumingMemoryBound(to: iovec.self)
                    return descriptors.withUnsafeBytes {
                        mp_send_descriptors(
                            raw, vectors, count, $0.assumingMemoryBound(to: Int32.self).baseAddress,
                            descriptors.count, Int32(MSG_DONTWAIT))
                    }
                })
        } catch {
            switch error.errno {
            case .wouldBlock: return .wouldBlock
            case .brokenPipe, .connectionReset: return .peerGone
            default: throw error
            }
        }
    }

    /// Sends two buffers, or one, as the other does several.
    package static func send(
        _ first: UnsafeRawBufferPointer,
        _ second: UnsafeRawBufferPointer?,
        descriptors: [DescriptorNumber],
        over socket: DescriptorNumber
    ) throws(SystemError) -> SendResult {
        let vectors = (SendBuffer(first), SendBuffer(second ?? UnsafeRawBufferPointer(start: nil, count: 0)))
        return try withUnsafeBytes(of: vectors) { vectors throws(SystemError) in
            let count = second == nil ? 1 : 2
            let list = UnsafeBufferPointer(rebasing: vectors.bindMemory(to: SendBuffer.self)[..<count])
            return try send(list, descriptors: descriptors, over: socket)
        }
    }

    /// Sends one buffer, as the other does several.
    package borrowing func send(
        _ buffer: UnsafeRawBufferPointer,
        descriptors: [DescriptorNumber]
    ) throws(SystemError) -> SendResult {
        let buffer = SendBuffer(buffer)
        return try withUnsafePointer(to: buffer) { pointer throws(SystemError) in
            try send(UnsafeBufferPointer(start: pointer, count: 1), descriptors: descriptors)
        }
    }

    /// Reads what is there with the descriptors that came with it; returns at once, whatever the descriptor's mode.
    ///
    /// On a stream it never reads past the bytes that one call sent with descriptors, so those of two
    /// messages do not mix; a plain `receive` of these bytes would close the descriptors unseen.
    ///
    /// - Parameters:
    ///   - buffer: At least one byte.
    ///   - descriptors: Those that came are added behind those that it has.
    /// - Throws: ``Errno/messageTooLong`` when a whole message was longer than `buffer`; it is gone then.
    package borrowing func receive(
        into buffer: UnsafeMutableRawBufferPointer,
        descriptors: inout ReceivedDescriptors
    ) throws(SystemError) -> ReceiveResult {
        try Self.receive(into: buffer, descriptors: &descriptors, from: number)
    }

    /// The same for a socket whose descriptor has several owners.
    package static func receive(
        into buffer: UnsafeMutableRawBufferPointer,
        descriptors: inout ReceivedDescriptors,
        from socket: DescriptorNumber
    ) throws(SystemError) -> ReceiveResult {
        // A read of nothing returns zero, which would pass for the end of the stream.
        precondition(!buffer.isEmpty, "reads at least one byte")
        let raw = socket.rawValue
        var truncation: UInt32 = 0
        let result = try withUnsafeTemporaryAllocation(of: Int32.self, capacity: maximumDescriptorCount) {
            list throws(SystemError) in
            var listed = 0
            let result = try ReceiveResult.catching { () throws(SystemError) in
                try systemCall("recvmsg") {
                    mp_receive_descriptors(
                        raw, buffer.baseAddress, buffer.count, list.baseAddress, &listed, &truncation,
                        Int32(MSG_DONTWAIT))
                }
            }
            descriptors.append(
                UnsafeBufferPointer(rebasing: list[..<listed]), areIncomplete: truncation & MP_LOST_DESCRIPTORS != 0)
            return result
        }
        guard truncation & MP_LOST_BYTES == 0 else {
            throw SystemError(.messageTooLong, "recvmsg")
        }
        return result
    }
}

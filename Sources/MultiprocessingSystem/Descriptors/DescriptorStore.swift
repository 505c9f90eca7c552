internal import CMultiprocessing
internal import Glibc

/// A place where processes leave descriptors for one another, each under a number, in order.
///
/// A socket that is connected to itself: what was left stays there when who left it is gone, and can be taken without
/// being removed. Who leaves and who takes must each be one at a time.
package struct DescriptorStore: Sendable {
    private let socket: OpenDescriptor

    /// The place in a descriptor that another process has made.
    package init(_ socket: OpenDescriptor) { self.socket = socket }

    package static func make() throws(SystemError) -> DescriptorStore {
        let raw = try systemCall("socket(AF_UNIX)") { mp_socket_to_itself() }
        return DescriptorStore(OpenDescriptor(FileDescriptor(adopting: DescriptorNumber(rawValue: raw))))
    }

    /// What travels to other processes.
    package var descriptor: OpenDescriptor { socket }

    /// Leaves copies of descriptors.
    ///
    /// - Returns: `false` if there is no room before some have been taken.
    package func leave(_ descriptors: [OpenDescriptor], as number: UInt64) throws(SystemError) -> Bool {
        var value = number
        let raw = socket.number.rawValue
        let numbers = descriptors.map(\.number.rawValue)
        do throws(SystemError) {
            try systemCall("sendmsg") {
                withUnsafeMutableBytes(of: &value) { bytes in
                    var vector = iovec(iov_base: bytes.baseAddress, iov_len: bytes.count)
                    return mp_send_descriptors(raw, &vector, 1, numbers, numbers.count, Int32(MSG_DONTWAIT))
                }
            }
            return true
        } catch {
            switch error.errno {
            case .wouldBlock, .tooManyReferences, .noMemory: return false
            default: throw error
            }
        }
    }

    /// Takes copies of what was left as `number`, which stays there; throws away what was left before it.
    ///
    /// - Returns: `nil` if there is nothing of that number. The copies are incomplete if this process has no room.
    package func copies(of number: UInt64) throws(SystemError) -> ReceivedDescriptors? {
        while let first = try read(Int32(MSG_PEEK)) {
            guard first <= number else { return nil }
            if first == number { return try copyFirst() }
            _ = try read(0)
        }
        return nil
    }

    /// Throws away what was left up to `number`.
    package func discard(upTo number: UInt64) throws(SystemError) {
        while let first = try read(Int32(MSG_PEEK)), first <= number { _ = try read(0) }
    }

    /// The number of what was left first, and without `MSG_PEEK` that is thrown away; `nil` if there is nothing.
    private func read(_ flags: Int32) throws(SystemError) -> UInt64? {
        var value: UInt64 = 0
        let raw = socket.number.rawValue
        do throws(SystemError) {
            let count = try systemCall("recv") { recv(raw, &value, 8, flags | Int32(MSG_DONTWAIT)) }
            return count == 8 ? value : 0
        } catch {
            guard error.errno == .wouldBlock else { throw error }
            return nil
        }
    }

    private func copyFirst() throws(SystemError) -> ReceivedDescriptors {
        var value: UInt64 = 0
        let raw = socket.number.rawValue
        var truncation: UInt32 = 0
        return try withUnsafeTemporaryAllocation(of: Int32.self, capacity: Socket.maximumDescriptorCount) {
            list throws(SystemError) in
            var listed = 0
            try systemCall("recvmsg") {
                mp_receive_descriptors(
                    raw, &value, 8, list.baseAddress, &listed, &truncation,
                    Int32(MSG_PEEK) | Int32(MSG_DONTWAIT))
            }
            var received = ReceivedDescriptors()
            received.append(
                UnsafeBufferPointer(rebasing: list[..<listed]), areIncomplete: truncation & MP_LOST_DESCRIPTORS != 0)
            return received
        }
    }
}

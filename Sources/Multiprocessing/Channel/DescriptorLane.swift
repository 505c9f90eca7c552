import MultiprocessingCoding
import MultiprocessingSystem

/// Where the descriptors of attachments travel between a worker and its parent.
///
/// A frame that carries an attachment says how many there are, and they are here before it is: one message for each
/// such frame, in the same order, with the attachment's number. The frames have their own way because a worker's are
/// taken from its board too, where no descriptor can be, and because reading a socket without asking for descriptors
/// loses them.
///
/// Any thread may send; reading is for whoever reads the frames.
final class DescriptorLane: Sendable {
    private let socket: Socket

    init(_ socket: consuming Socket) {
        self.socket = socket
    }

    var number: DescriptorNumber { socket.number }

    enum SendOutcome {
        case sent
        /// The socket is full until the other side reads.
        case mustWait
        /// More descriptors are on their way in the whole system than this user may have there; nothing tells when
        /// that ends.
        case mustRetry
        case peerGone
    }

    /// How long to wait before what was ``SendOutcome/mustRetry`` is sent again.
    static let retryMilliseconds: UInt32 = 2

    /// Sends what travels beside an attachment; does not wait.
    func send(_ announced: AnnouncedDescriptors) throws(SystemError) -> SendOutcome {
        // Their owners live as long as what the caller has.
        let numbers = announced.descriptors.map(\.number)
        let number = announced.number
        do throws(SystemError) {
            let result = try withUnsafePointer(to: number) { pointer throws(SystemError) in
                let bytes = UnsafeRawBufferPointer(start: pointer, count: 8)
                return try socket.send(bytes, descriptors: numbers)
            }
            switch result {
            case .sent: return .sent
            case .wouldBlock: return .mustWait
            case .peerGone: return .peerGone
            }
        } catch {
            guard error.errno == .tooManyReferences || error.errno == .noMemory else { throw error }
            return .mustRetry
        }
    }

    /// Sends what travels beside an attachment; blocks the calling thread while there is no room.
    ///
    /// - Parameter flush: Called before each wait, and has to bring the other side to read the lane.
    func sendBlocking(_ announced: AnnouncedDescriptors, flush: () -> Void) throws(SystemError) {
        while true {
            switch try send(announced) {
            // The end of the parent is noticed by who reads its frames.
            case .sent, .peerGone: return
            case .mustWait:
                flush()
                try socket.waitForRoom()
            case .mustRetry:
                flush()
                ThisProcess.pause(milliseconds: Self.retryMilliseconds)
            }
        }
    }

    /// Takes what came beside the attachment of a frame, which says that there are `count`.
    ///
    /// - Returns: A failure if this process had no room for them.
    /// - Throws: When the other side does not keep to the rules.
    func receive(for number: UInt64, _ count: Int) throws -> Result<[OpenDescriptor], any Error> {
        guard count > 0 else { return .success([]) }
        var received = ReceivedDescriptors()
        var sent: UInt64 = 0
        let result = try withUnsafeMutableBytes(of: &sent) { try socket.receive(into: $0, descriptors: &received) }
        guard case .received(8) = result, sent == number else { throw PortableFailure.unexpectedAttachment }
        if received.areIncomplete { return .failure(SharedStateError.lostDescriptors()) }
        guard received.count == count else { throw PortableFailure.unexpectedAttachment }
        var descriptors: [OpenDescriptor] = []
        while let descriptor = received.takeFirst() { descriptors.append(OpenDescriptor(descriptor)) }
        return .success(descriptors)
    }
}

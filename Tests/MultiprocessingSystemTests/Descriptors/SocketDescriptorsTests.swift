import Glibc
import MultiprocessingSystem
import Testing

@Suite struct SocketDescriptorsTests {
    /// What a socket gave, and how many descriptors came with it.
    private func receive(
        _ socket: borrowing Socket, _ size: Int = 64, into descriptors: inout ReceivedDescriptors
    ) throws -> ReceiveResult {
        var buffer = [UInt8](repeating: 0, count: size)
        return try buffer.withUnsafeMutableBytes { try socket.receive(into: $0, descriptors: &descriptors) }
    }

    private func send(
        _ socket: borrowing Socket, _ bytes: [UInt8], _ descriptors: [DescriptorNumber]
    ) throws -> SendResult {
        try bytes.withUnsafeBytes { try socket.send($0, descriptors: descriptors) }
    }

    private func expectCount(
        _ expected: Int, _ descriptors: borrowing ReceivedDescriptors, sourceLocation: SourceLocation = #_sourceLocation
    ) {
        let count = descriptors.count
        #expect(count == expected, sourceLocation: sourceLocation)
    }

    @Test(arguments: [SocketPair.Kind.stream, .messages])
    func descriptorsArriveWithTheirBytes(kind: SocketPair.Kind) throws {
        let pair = try SocketPair(kind)
        do {
            let pipe = try PipePair()
            #expect(try send(pair.first, [1, 2], [pipe.readEnd.number, pipe.writeEnd.number]) == .sent(2))
            // The sender's own may be closed now.
        }
        #expect(try send(pair.first, [3], []) == .sent(1))
        var received = ReceivedDescriptors()
        #expect(try receive(pair.second, 2, into: &received) == .received(2))
        expectCount(2, received)
        guard let readEnd = received.takeFirst(), let writeEnd = received.takeFirst() else {
            Issue.record("two descriptors were sent")
            return
        }
        #expect(fcntl(readEnd.number.rawValue, F_GETFD) == FD_CLOEXEC)
        var byte: UInt8 = 7
        #expect(write(writeEnd.number.rawValue, &byte, 1) == 1)
        byte = 0
        #expect(try withUnsafeMutableBytes(of: &byte) { try readEnd.read(into: $0) } == .received(1))
        #expect(byte == 7)
        #expect(try receive(pair.second, into: &received) == .received(1))
        expectCount(0, received)
        #expect(try receive(pair.second, into: &received) == .wouldBlock)
    }

    @Test func descriptorsOfTwoMessagesDoNotMix() throws {
        let pair = try SocketPair()
        let pipe = try PipePair()
        #expect(try send(pair.first, [1, 2], [pipe.readEnd.number]) == .sent(2))
        #expect(try send(pair.first, [3, 4], [pipe.readEnd.number, pipe.readEnd.number]) == .sent(2))
        var first = ReceivedDescriptors()
        #expect(try receive(pair.second, into: &first) == .received(2))
        expectCount(1, first)
        var second = ReceivedDescriptors()
        #expect(try receive(pair.second, into: &second) == .received(2))
        expectCount(2, second)
    }

    @Test func asManyAsTheKernelTakesAndNoMore() throws {
        let pair = try SocketPair(.messages)
        let pipe = try PipePair()
        let number = pipe.readEnd.number
        let most = Socket.maximumDescriptorCount
        #expect(try send(pair.first, [1], Array(repeating: number, count: most)) == .sent(1))
        #expect(throws: SystemError(.invalidArgument, "sendmsg")) {
            try send(pair.first, [1], Array(repeating: number, count: most + 1))
        }
        var received = ReceivedDescriptors()
        #expect(try receive(pair.second, into: &received) == .received(1))
        expectCount(most, received)
        let areIncomplete = received.areIncomplete
        #expect(!areIncomplete)
    }

    @Test func aMessageThatDoesNotFitIsAnError() throws {
        let pair = try SocketPair(.messages)
        let pipe = try PipePair()
        #expect(try send(pair.first, [1, 2, 3], [pipe.readEnd.number]) == .sent(3))
        var received = ReceivedDescriptors()
        #expect(throws: SystemError(.messageTooLong, "recvmsg")) {
            try receive(pair.second, 2, into: &received)
        }
        expectCount(1, received)
    }

    @Test func whatNobodyTakesIsClosed() throws {
        let pair = try SocketPair()
        let pipe = try PipePair()
        #expect(try send(pair.first, [1], [pipe.writeEnd.number]) == .sent(1))
        do {
            var received = ReceivedDescriptors()
            #expect(try receive(pair.second, into: &received) == .received(1))
            expectCount(1, received)
        }
        // The end of the stream comes only if the copy was closed.
        let readEnd = pipe.takeReadEnd()
        var byte: UInt8 = 0
        try readEnd.setNonBlocking()
        #expect(try withUnsafeMutableBytes(of: &byte) { try readEnd.read(into: $0) } == .endOfStream)
    }

    @Test func thePeersEnd() throws {
        let pair = try SocketPair(.messages)
        let pipe = try PipePair()
        let end = pair.takeFirst()
        #expect(try send(end, [1], [pipe.readEnd.number]) == .peerGone)
        var received = ReceivedDescriptors()
        #expect(try receive(end, into: &received) == .endOfStream)
    }
}

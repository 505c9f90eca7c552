import Glibc
import MultiprocessingSystem
import Synchronization
import Testing

@Suite struct SocketTests {
    @Test func bytesArriveInOrderFromSeveralBuffers() throws {
        let pair = try SocketPair()
        let first: [UInt8] = [1, 2, 3]
        let second: [UInt8] = [4, 5]
        let result = try first.withUnsafeBytes { first in
            try second.withUnsafeBytes { second in
                let nothing = UnsafeRawBufferPointer(start: nil, count: 0)
                let buffers = [SendBuffer(first), SendBuffer(nothing), SendBuffer(second)]
                return try buffers.withUnsafeBufferPointer { try pair.first.send($0) }
            }
        }
        #expect(result == .sent(5))
        var received = [UInt8](repeating: 0, count: 8)
        #expect(try received.withUnsafeMutableBytes { try pair.second.receive(into: $0) } == .received(5))
        #expect(received == [1, 2, 3, 4, 5, 0, 0, 0])
    }

    @Test func neverWaits() throws {
        let pair = try SocketPair()
        var buffer = [UInt8](repeating: 7, count: 1 << 20)
        #expect(try buffer.withUnsafeMutableBytes { try pair.second.receive(into: $0) } == .wouldBlock)
        var sent = 0
        var results: [SendResult] = []
        while results.last != .wouldBlock {
            let result = try buffer.withUnsafeBytes { try pair.first.send($0) }
            if case .sent(let count) = result {
                sent += count
            }
            results.append(result)
            try #require(results.count < 1000)
        }
        #expect(results.dropLast().allSatisfy { $0 != .peerGone })
        var received = 0
        while case .received(let count) = try buffer.withUnsafeMutableBytes({ try pair.second.receive(into: $0) }) {
            received += count
        }
        #expect(received == sent)
    }

    @Test func endOfStreamComesAfterTheLastByte() throws {
        let pair = try SocketPair()
        let text: [UInt8] = [1, 2, 3]
        #expect(try text.withUnsafeBytes { try pair.second.sendAll($0) })
        let end = pair.takeFirst()
        var buffer = [UInt8](repeating: 0, count: 2)
        #expect(try buffer.withUnsafeMutableBytes { try end.receive(into: $0) } == .received(2))
        #expect(try buffer.withUnsafeMutableBytes { try end.receive(into: $0) } == .received(1))
        #expect(try buffer.withUnsafeMutableBytes { try end.receive(into: $0) } == .endOfStream)
        #expect(try buffer.withUnsafeMutableBytes { try end.receiveAll(into: $0) } == 0)
    }

    @Test func writingToAPeerThatIsGoneIsAResult() throws {
        let end = try SocketPair().takeFirst()
        let byte: [UInt8] = [1]
        #expect(try byte.withUnsafeBytes { try end.send($0) } == .peerGone)
        #expect(try byte.withUnsafeBytes { try end.sendAll($0) } == false)
    }

    @Test func whatThePeerSentBeforeItLeftIsStillThere() throws {
        let pair = try SocketPair()
        let bytes: [UInt8] = [1, 2, 3]
        #expect(try bytes.withUnsafeBytes { try pair.second.sendAll($0) })
        // Unread by the peer, which makes its end a reset (ECONNRESET).
        #expect(try bytes.withUnsafeBytes { try pair.first.sendAll($0) })
        let end = pair.takeFirst()
        #expect(try bytes.withUnsafeBytes { try end.send($0) } == .peerGone)
        var buffer = [UInt8](repeating: 0, count: 8)
        #expect(try buffer.withUnsafeMutableBytes { try end.receive(into: $0) } == .received(3))
        #expect(try buffer.withUnsafeMutableBytes { try end.receive(into: $0) } == .endOfStream)
    }

    @Test func halfCloseLeavesTheOtherDirection() throws {
        let pair = try SocketPair()
        pair.first.shutDownSending()
        var buffer: [UInt8] = [9]
        #expect(try buffer.withUnsafeMutableBytes { try pair.second.receive(into: $0) } == .endOfStream)
        #expect(try buffer.withUnsafeBytes { try pair.second.send($0) } == .sent(1))
        #expect(try buffer.withUnsafeMutableBytes { try pair.first.receive(into: $0) } == .received(1))
    }

    @Test func moreBuffersThanOneCallTakes() throws {
        let pair = try SocketPair()
        let bytes = (0..<3000).map { UInt8(truncatingIfNeeded: $0) }
        try bytes.withUnsafeBytes { raw in
            var buffers = raw.indices.map { SendBuffer(UnsafeRawBufferPointer(rebasing: raw[$0..<$0 + 1])) }
            let isSent = try buffers.withUnsafeMutableBufferPointer { try pair.first.sendAll($0) }
            #expect(isSent)
        }
        var received = [UInt8](repeating: 0, count: bytes.count)
        #expect(try received.withUnsafeMutableBytes { try pair.second.receiveAll(into: $0) } == bytes.count)
        #expect(received == bytes)
    }

    @Test(arguments: [false, true])
    func largeMessagesCrossInBothDirections(nonBlocking: Bool) throws {
        let pair = SharedPair(try SocketPair())
        if nonBlocking {
            try pair.sockets.first.descriptor.setNonBlocking()
            try pair.sockets.second.descriptor.setNonBlocking()
        }
        let size = 8 << 20
        let correct = Counter()
        try runConcurrently([
            { correct.add { try pair.sockets.first.sendsPattern(1, size) } },
            { correct.add { try pair.sockets.second.sendsPattern(2, size) } },
            { correct.add { try pair.sockets.first.receivesPattern(2, size) } },
            { correct.add { try pair.sockets.second.receivesPattern(1, size) } },
        ])
        #expect(correct.value == 4)
    }

    @Test func shutDownWakesAThreadThatWaits() throws {
        let pair = SharedPair(try SocketPair())
        let ended = Counter()
        let isUp = try PipePair()
        let number = isUp.writeEnd.number
        let reader = try NativeThread(name: "mp-test") {
            _ = write(number.rawValue, "x", 1)
            ended.add { try pair.sockets.first.receivesPattern(0, 1) == false }
        }
        try waitUntilReadable(isUp.readEnd.number, .seconds(10))
        pair.sockets.first.shutDown()
        reader.join()
        #expect(ended.value == 1)
    }
}

private final class SharedPair: Sendable {
    let sockets: SocketPair

    init(_ sockets: consuming SocketPair) {
        self.sockets = sockets
    }
}

extension Socket {
    fileprivate borrowing func sendsPattern(_ seed: UInt64, _ size: Int) throws -> Bool {
        try pattern(seed, size).withUnsafeBytes { try sendAll($0) }
    }

    fileprivate borrowing func receivesPattern(_ seed: UInt64, _ size: Int) throws -> Bool {
        var bytes = [UInt8](repeating: 0, count: size)
        let count = try bytes.withUnsafeMutableBytes { try receiveAll(into: $0) }
        return count == size && bytes == pattern(seed, size)
    }
}

private func pattern(_ seed: UInt64, _ size: Int) -> [UInt8] {
    // Words that differ, so that a lost or doubled byte shows; filled as words, which is fast in debug too.
    let words = (0..<UInt64(size + 7) / 8).map { ($0 ^ seed) &* 0x9E37_79B9_7F4A_7C15 }
    return words.withUnsafeBytes { Array($0.prefix(size)) }
}

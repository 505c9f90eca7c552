import Glibc
import Multiprocessing
import MultiprocessingCoding
import MultiprocessingSystem
import TestSupport
import Testing

@Suite(.admitted)
struct ControlLaneTests {
    private static func progress(_ item: UInt64, _ text: String = "") -> ControlMessage {
        .progress(ItemProgress(sequence: 7, item: item, fraction: Double(item) / 8, text: text))
    }

    private static func bytes(of messages: [ControlMessage]) -> [UInt8] {
        let buffer = ByteBuffer()
        for message in messages { message.append(to: buffer) }
        return buffer.withUnsafeBytes { Array($0) }
    }

    private static func read(_ bytes: some Collection<UInt8>, with reader: inout ControlReader) throws
        -> [ControlMessage]
    {
        var messages: [ControlMessage] = []
        try Array(bytes).withUnsafeBytes { bytes in try reader.take(bytes) { messages.append($0) } }
        return messages
    }

    /// Makes both ends of a lane, the second of which is for reading bytes.
    private static func makePair() throws -> (lane: ControlLane, peer: ControlLane) {
        let pair = try SocketPair()
        let second = Socket(try FileDescriptor.duplicating(pair.second.number))
        return (ControlLane(pair.takeFirst()), ControlLane(second))
    }

    /// All messages that have come.
    private static func readAll(_ lane: ControlLane, with reader: inout ControlReader) throws -> [ControlMessage] {
        var messages: [ControlMessage] = []
        try withUnsafeTemporaryAllocation(byteCount: 10_000, alignment: 16) { buffer in
            while case .received = try lane.receive(&reader, into: buffer, { messages.append($0) }) {}
        }
        return messages
    }

    @Test func `Messages come out whole however their bytes are cut`() throws {
        let seed = UInt64.random(in: 0 ... .max)
        var random = RandomSource(seed: seed)
        let messages: [ControlMessage] = (0..<200).map { number in
            switch number % 5 {
            case 0: .cancel(UInt64(number))
            case 1: .answer(.max - UInt64(number))
            case 2: .watchActor(UInt64(number) << 20)
            case 3: .actorEnded(.max >> UInt64(number % 64))
            default: Self.progress(UInt64(number), String(repeating: "é", count: number))
            }
        }
        let bytes = Self.bytes(of: messages)
        for _ in 0..<20 {
            var reader = ControlReader()
            var received: [ControlMessage] = []
            var start = 0
            while start < bytes.count {
                let end = min(bytes.count, start + Int.random(in: 1...100, using: &random))
                received += try Self.read(bytes[start..<end], with: &reader)
                start = end
            }
            #expect(received == messages, "seed \(seed)")
        }
    }

    @Test func `A fraction travels as it is, and a long text in part`() throws {
        var reader = ControlReader()
        let text = String(repeating: "👩‍👩‍👧", count: 100)
        let progress = ItemProgress(sequence: 1, item: 2, fraction: .nan, text: text)
        let received = try Self.read(Self.bytes(of: [.progress(progress)]), with: &reader)
        guard case .progress(let read)? = received.first else {
            Issue.record("\(received)")
            return
        }
        #expect(read.fraction.isNaN)
        // By scalars, because the cut may be within a character.
        let scalars = read.text.unicodeScalars
        #expect(scalars.last == "…" && text.unicodeScalars.starts(with: scalars.dropLast()))
        #expect(read.text.utf8.count <= ItemProgress.textLimit && read.text.utf8.count > ItemProgress.textLimit - 30)
    }

    @Test func `Bytes that are no message are refused, before the rest of them comes`() {
        let long = UInt64(25 + ItemProgress.textLimit)
        let headers: [(Frame.Kind, UInt64)] = [
            (.cancel, 7), (.cancel, 9), (.cancel, 1 << 40), (.answer, 0), (.watchActor, 7), (.actorEnded, 9),
            (.progress, 23), (.progress, long),
            (.values, 8), (.chunk, 8), (.hello, 8), (.inquiry, 8),
        ]
        for (kind, length) in headers {
            var reader = ControlReader()
            #expect(throws: (any Error).self, "\(kind)") {
                try Self.read(SampleFrame.header(kind, length: length), with: &reader)
            }
        }
        let text = [UInt8](repeating: 0, count: 24) + [0xFF]
        var reader = ControlReader()
        #expect(throws: (any Error).self) {
            try Self.read(
                SampleFrame.bytes(of: [SampleFrame(kind: .progress, number: 0, payload: text)]), with: &reader)
        }
    }

    @Test func `What a peer does not read is kept up to a bound, and of progress the latest`() throws {
        let (lane, peer) = try Self.makePair()
        var sent: [ControlMessage] = []
        var outcome = ControlLane.Sending.sent
        while outcome == .sent {
            sent.append(.cancel(UInt64(sent.count)))
            outcome = lane.send(.cancel(UInt64(sent.count - 1)))
        }
        #expect(outcome == .mustWait)
        for item in 0..<10_000 as Range<UInt64> {
            #expect(lane.send(Self.progress(item)) == .kept)
        }
        var keptCount = 0
        while lane.send(.answer(UInt64(keptCount))) == .kept {
            sent.append(.answer(UInt64(keptCount)))
            keptCount += 1
        }
        #expect(keptCount == ControlLane.keptLimit)
        #expect(lane.send(.answer(0)) == .refused)
        var reader = ControlReader()
        var received: [ControlMessage] = []
        repeat {
            received += try Self.readAll(peer, with: &reader)
            outcome = lane.continueSending()
        } while outcome == .mustWait
        received += try Self.readAll(peer, with: &reader)
        #expect(received == sent + [Self.progress(9_999)])
        #expect(lane.send(Self.progress(1)) == .sent)
    }

    @Test func `Whoever finishes sending waits for the peer`() throws {
        let (lane, peer) = try Self.makePair()
        var count = 0
        while lane.send(.cancel(1)) == .sent { count += 1 }
        let thread = try NativeThread(name: "test") { lane.finishSending() }
        var reader = ControlReader()
        var receivedCount = 0
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 100, alignment: 16)
        defer { buffer.deallocate() }
        while receivedCount <= count {
            let size = peer.receiveSome(into: buffer)
            receivedCount += try Self.read(buffer[..<size], with: &reader).count
        }
        thread.join()
        #expect(receivedCount == count + 1)
    }

    @Test func `A message to nobody is none`() throws {
        let (lane, peer) = try Self.makePair()
        peer.shutDown()
        #expect(lane.send(.cancel(1)) == .peerGone)
        #expect(lane.send(.cancel(2)) == .peerGone)
        lane.finishSending()
    }
}

import Glibc
import Multiprocessing
import MultiprocessingCoding
import MultiprocessingSystem
import TestSupport
import Testing

/// Frames over sockets of both sorts, without a worker, a board or work.
@Suite(.admitted)
struct FrameLinkTests {
    enum Transport: CaseIterable {
        case socketPair
        /// A connection over the loopback interface, which is what one to another machine looks like.
        case tcp

        func connect() throws -> (End, End) {
            switch self {
            case .socketPair:
                let pair = try SocketPair()
                let second = Socket(try FileDescriptor.duplicating(pair.second.number))
                return (End(pair.takeFirst()), End(second))
            case .tcp:
                let (first, second) = try Self.connectTCP()
                return (End(Socket(FileDescriptor(adopting: first))), End(Socket(FileDescriptor(adopting: second))))
            }
        }

        /// Makes both ends of a connection from this machine to itself.
        private static func connectTCP() throws -> (DescriptorNumber, DescriptorNumber) {
            let kind = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue)
            let listener = FileDescriptor(adopting: DescriptorNumber(rawValue: socket(AF_INET, kind, 0)))
            let first = socket(AF_INET, kind, 0)
            var second: Int32 = -1
            var address = sockaddr_in()
            address.sin_family = sa_family_t(AF_INET)
            address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
            var size = socklen_t(MemoryLayout<sockaddr_in>.size)
            withUnsafeMutablePointer(to: &address) { pointer in
                // Every family's address is passed as this one.
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                    #expect(bind(listener.number.rawValue, address, size) == 0)
                    #expect(listen(listener.number.rawValue, 1) == 0)
                    #expect(getsockname(listener.number.rawValue, address, &size) == 0)
                    #expect(Glibc.connect(first, address, size) == 0)
                    // Workers that other tests start get nothing that they are not passed.
                    second = accept(listener.number.rawValue, nil, nil)
                }
            }
            try #require(first >= 0 && second >= 0)
            // Buffers that do not grow: else it depends on the machine and its load whether they are ever full.
            for end in [first, second] {
                for option in [SO_SNDBUF, SO_RCVBUF] {
                    var size: Int32 = 256 << 10
                    #expect(setsockopt(end, SOL_SOCKET, option, &size, socklen_t(MemoryLayout<Int32>.size)) == 0)
                }
            }
            return (DescriptorNumber(rawValue: first), DescriptorNumber(rawValue: second))
        }
    }

    /// One end of a link, with what its owner keeps.
    final class End {
        let link: FrameLink
        var unsent = FrameLink.Unsent()
        var assembler = FrameAssembler()
        var received: [SampleFrame] = []
        var waitCount = 0

        init(_ socket: consuming Socket) {
            link = FrameLink(socket)
        }

        /// Has bytes sent that lie in pieces.
        func append(_ bytes: [UInt8], cut pieces: [Range<Int>]? = nil) {
            let buffer = ByteBuffer()
            bytes.withUnsafeBytes { buffer.append(contentsOf: $0) }
            for piece in pieces ?? [0..<bytes.count] { unsent.append(OwnedBytes(buffer, piece)) }
        }

        func send() -> FrameLink.Sending {
            let sending = link.send(&unsent)
            if sending == .mustWait { waitCount += 1 }
            return sending
        }

        /// Reads once, so many bytes at most, unless they are a large frame's.
        func receive(_ size: Int) throws -> ReceiveResult {
            try withUnsafeTemporaryAllocation(byteCount: size, alignment: 16) { buffer in
                try link.receive(
                    &assembler, into: buffer, land: { try ArrivingArray(size: $0.length, of: UInt8.self) }
                ) { header, reader, landing in
                    let isArray = header.kind == .array
                    let payload = isArray ? try landing?.takeArray() : Array(try reader.readBytes(reader.remaining))
                    received.append(SampleFrame(kind: header.kind, number: header.number, payload: payload ?? []))
                }
            }
        }

        /// Reads until something else comes than bytes, which for those of a network may take a moment.
        func receiveAll(until isEnough: (End) -> Bool = { _ in false }) throws -> ReceiveResult {
            let limit = Duration.seconds(120)
            let start = ContinuousClock.now
            while !isEnough(self) {
                switch try receive(5_000) {
                case .endOfStream: return .endOfStream
                case .received: break
                case .wouldBlock: if ContinuousClock.now - start > limit { throw LimitExceeded(limit: limit) }
                }
            }
            return .wouldBlock
        }
    }

    private static func cut(_ count: Int, using random: inout RandomSource) -> [Range<Int>] {
        var pieces: [Range<Int>] = []
        var start = 0
        while start < count {
            let longest = [1, 20, 4_000, 1_000_000].randomElement(using: &random) ?? 1
            let end = min(count, start + Int.random(in: 1...longest, using: &random))
            pieces.append(start..<end)
            start = end
        }
        return pieces
    }

    @Test(arguments: Transport.allCases)
    func `Frames cross in both directions, large ones too, however they are cut`(transport: Transport) throws {
        let seed = UInt64.random(in: 0 ... .max)
        var random = RandomSource(seed: seed)
        let sizes = [0, 1, 15, 16, 17, 900, 60_000, Frame.largeSize, Frame.largeSize + 1, 3_000_001]
        let (first, second) = try transport.connect()
        let limit = Duration.seconds(120)
        let start = ContinuousClock.now
        for round in 0..<2 {
            // The last makes both directions full, however much a socket holds.
            var frames = (0..<2).map { _ in SampleFrame.random(sizes: sizes, using: &random) }
            if round == 1 {
                let large = SampleFrame(kind: .array, number: 9, payload: Array(repeating: 5, count: 8 << 20))
                for index in 0..<2 { frames[index].append(large) }
            }
            for (end, frames) in zip([first, second], frames) {
                let bytes = SampleFrame.bytes(of: frames)
                end.append(bytes, cut: Self.cut(bytes.count, using: &random))
                end.received = []
            }
            while first.received.count < frames[1].count || second.received.count < frames[0].count {
                for end in [first, second] {
                    let sending = end.send()
                    try #require(sending == .sent || sending == .mustWait, "seed \(seed)")
                    let size = [1, 7, 16, 5_000, 300_000].randomElement(using: &random) ?? 1
                    try #require(try end.receive(size) != .endOfStream, "seed \(seed)")
                }
                if ContinuousClock.now - start > limit { throw LimitExceeded(limit: limit) }
            }
            let isSame = first.received == frames[1] && second.received == frames[0]
            #expect(isSame, "seed \(seed), round \(round)")
            #expect(first.unsent.isEmpty && second.unsent.isEmpty, "seed \(seed), round \(round)")
            #expect(first.assembler.isBetweenFrames && second.assembler.isBetweenFrames, "seed \(seed)")
        }
        #expect(first.waitCount > 0 && second.waitCount > 0)
    }

    @Test(arguments: Transport.allCases)
    func `What the peer sent comes before its end, and nothing can be sent to it then`(transport: Transport) throws {
        let frames = (0..<3).map { SampleFrame(kind: .values, number: $0, payload: [1, 2, 3]) }
        let end: End
        do {
            let (peer, own) = try transport.connect()
            peer.append(SampleFrame.bytes(of: frames))
            #expect(peer.send() == .sent)
            end = own
        }
        #expect(try end.receiveAll() == .endOfStream)
        #expect(end.received == frames)
        #expect(end.assembler.isBetweenFrames)
        // A network tells of it after the first bytes.
        let start = ContinuousClock.now
        var sending = FrameLink.Sending.sent
        while sending == .sent, ContinuousClock.now - start < .seconds(120) {
            end.append([1])
            sending = end.send()
        }
        #expect(sending == .peerGone)
        #expect(end.unsent.isEmpty)
    }

    @Test(arguments: Transport.allCases)
    func `An end within a frame shows, and so does that of a peer that has not read all`(transport: Transport) throws {
        let bytes = SampleFrame.bytes(of: [SampleFrame(kind: .values, number: 1, payload: [1, 2, 3])])
        let end: End
        do {
            let (peer, own) = try transport.connect()
            peer.append(Array(bytes.dropLast(16)))
            #expect(peer.send() == .sent)
            #expect(try own.receiveAll { !$0.assembler.isBetweenFrames } == .wouldBlock)
            own.append(bytes)
            #expect(own.send() == .sent)
            end = own
        }
        #expect(try end.receiveAll() == .endOfStream)
        #expect(end.received.isEmpty)
        #expect(!end.assembler.isBetweenFrames)
    }

    @Test(arguments: Transport.allCases)
    func `Either side can end both directions`(transport: Transport) throws {
        let (first, second) = try transport.connect()
        first.link.shutDown()
        #expect(try first.receiveAll() == .endOfStream)
        #expect(try second.receiveAll() == .endOfStream)
        first.append([1])
        #expect(first.send() == .peerGone)
    }

    @Test(arguments: Transport.allCases)
    func `Bytes that are no frame are refused`(transport: Transport) throws {
        let (first, second) = try transport.connect()
        first.append(Array(repeating: 0xFF, count: 16))
        #expect(first.send() == .sent)
        #expect(throws: (any Error).self) { try second.receiveAll { _ in false } }
        #expect(second.received.isEmpty)
    }
}

import Multiprocessing
import MultiprocessingCoding
import TestSupport
import Testing

@Suite(.admitted)
struct FrameAssemblerTests {
    /// Feeds the bytes in pieces, each of which is gone after its turn; every other one goes where it is to lie, if
    /// there is such a place.
    private static func assemble(
        _ bytes: [UInt8],
        pieces: [Range<Int>],
        with assembler: inout FrameAssembler
    ) throws -> [SampleFrame] {
        var received: [SampleFrame] = []
        func deliver(_ header: Frame.Header, _ reader: inout ByteReader, _ landing: ArrivingArray?) throws {
            let isArray = header.kind == .array
            let payload = isArray ? try landing?.takeArray() ?? [] : Array(try reader.readBytes(reader.remaining))
            received.append(SampleFrame(kind: header.kind, number: header.number, payload: payload))
        }
        for (index, range) in pieces.enumerated() {
            try Array(bytes[range]).withUnsafeBytes { piece in
                var rest = piece
                if index % 2 == 0, let room = assembler.room {
                    let count = min(room.count, rest.count)
                    room.copyMemory(from: UnsafeRawBufferPointer(rebasing: rest[..<count]))
                    try assembler.takeRead(count, deliver)
                    rest = UnsafeRawBufferPointer(rebasing: rest[count...])
                }
                try assembler.take(rest, land: { try ArrivingArray(size: $0.length, of: UInt8.self) }, deliver)
            }
        }
        return received
    }

    private static func cut(_ count: Int, using random: inout RandomSource) -> [Range<Int>] {
        var pieces: [Range<Int>] = []
        var start = 0
        while start < count {
            let longest = [1, 3, 20, 4_000, 100_000].randomElement(using: &random) ?? 1
            let end = min(count, start + Int.random(in: 1...longest, using: &random))
            pieces.append(start..<end)
            start = end
        }
        return pieces
    }

    @Test func `Frames come out whole however their bytes are cut`() throws {
        let seed = UInt64.random(in: 0 ... .max)
        var random = RandomSource(seed: seed)
        for round in 0..<100 {
            let frames = SampleFrame.random(using: &random)
            let bytes = SampleFrame.bytes(of: frames)
            var assembler = FrameAssembler()
            let pieces = Self.cut(bytes.count, using: &random)
            let received = try Self.assemble(bytes, pieces: pieces, with: &assembler)
            #expect(received == frames, "seed \(seed), round \(round)")
            #expect(assembler.missing == nil, "seed \(seed), round \(round)")
        }
    }

    @Test func `Large frames come out whole however their bytes are cut`() throws {
        let seed = UInt64.random(in: 0 ... .max)
        var random = RandomSource(seed: seed)
        let sizes = [0, 17, Frame.largeSize, Frame.largeSize + 1, Frame.largeSize + 16, 700_001]
        for round in 0..<10 {
            let frames = SampleFrame.random(sizes: sizes, using: &random)
            let bytes = SampleFrame.bytes(of: frames)
            var assembler = FrameAssembler()
            // Also cut within headers and padding.
            let cuts = Self.cut(bytes.count, using: &random).flatMap { piece in
                piece.count < 60 ? [piece] : [piece.prefix(30), piece.dropFirst(30).dropLast(20), piece.suffix(20)]
            }
            let pieces = round == 0 ? [0..<bytes.count] : cuts
            let received = try Self.assemble(bytes, pieces: pieces, with: &assembler)
            let isSame = received == frames
            #expect(isSame, "seed \(seed), round \(round)")
            #expect(assembler.missing == nil && assembler.room == nil, "seed \(seed), round \(round)")
            #expect(assembler.isBetweenFrames, "seed \(seed), round \(round)")
        }
    }

    @Test func `Bytes that come one by one make frames too`() throws {
        let frames = [
            SampleFrame(kind: .hello, number: 0, payload: []),
            SampleFrame(kind: .values, number: 3, payload: [1, 2, 3]),
        ]
        let bytes = SampleFrame.bytes(of: frames)
        var assembler = FrameAssembler()
        let received = try Self.assemble(bytes, pieces: bytes.indices.map { $0..<$0 + 1 }, with: &assembler)
        #expect(received == frames)
    }

    @Test func `It tells how much of a frame is missing`() throws {
        let frame = SampleFrame(kind: .values, number: 1, payload: Array(repeating: 7, count: 100))
        let bytes = SampleFrame.bytes(of: [frame])
        var assembler = FrameAssembler()
        #expect(try Self.assemble(bytes, pieces: [0..<10], with: &assembler).isEmpty)
        #expect(assembler.missing == nil)
        #expect(try Self.assemble(bytes, pieces: [10..<50], with: &assembler).isEmpty)
        #expect(assembler.missing == bytes.count - 50)
        #expect(try Self.assemble(bytes, pieces: [50..<bytes.count], with: &assembler).count == 1)
    }

    @Test func `A length is not believed before the bytes come`() throws {
        let bytes = SampleFrame.header(.values, length: 256 << 20)
        var assembler = FrameAssembler()
        #expect(try Self.assemble(bytes, pieces: [0..<bytes.count], with: &assembler).isEmpty)
        // What is set aside is not touched: see ArrivingArrayTests.
        #expect(assembler.missing == 256 << 20)
        #expect(assembler.room?.count == 256 << 20)
    }

    @Test(arguments: [Frame.Kind.values, .keys, .array], [UInt64(1) << 48, 1 << 62, UInt64(Int.max) - 64])
    func `A length for which there is no memory is refused`(kind: Frame.Kind, length: UInt64) {
        let bytes = SampleFrame.header(kind, length: length)
        var assembler = FrameAssembler()
        #expect(throws: (any Error).self) {
            try Self.assemble(bytes, pieces: [0..<bytes.count], with: &assembler)
        }
    }

    @Test func `An array whose memory has another size is refused`() {
        let bytes = SampleFrame.header(.array, length: 1 << 20)
        for size in [8, 2 << 20] as [UInt64] {
            var assembler = FrameAssembler()
            #expect(throws: (any Error).self) {
                try bytes.withUnsafeBytes { bytes in
                    try assembler.take(bytes, land: { _ in try ArrivingArray(size: size, of: UInt8.self) }) { _, _, _ in
                    }
                }
            }
        }
    }

    @Test func `A small array has no memory of its own`() throws {
        let bytes = SampleFrame.bytes(of: [SampleFrame(kind: .array, number: 0, payload: Array(0..<100))])
        for pieces in [[0..<bytes.count], [0..<50, 50..<bytes.count]] {
            var assembler = FrameAssembler()
            // Nobody takes it for an array.
            #expect(try Self.assemble(bytes, pieces: pieces, with: &assembler).map(\.payload) == [[]])
        }
    }

    @Test(arguments: [UInt64.max, UInt64(Int.max) + 1, UInt64(Int.max), UInt64(Int.max) - 16])
    func `A length that is none is refused`(length: UInt64) {
        let buffer = ByteBuffer()
        Frame.append(.values, to: buffer) { _ in }
        buffer.overwrite(at: 8, with: length)
        let bytes = buffer.withUnsafeBytes { Array($0) }
        var assembler = FrameAssembler()
        #expect(throws: (any Error).self) {
            try Self.assemble(bytes, pieces: [0..<5, 5..<bytes.count], with: &assembler)
        }
    }

    @Test(arguments: [UInt32(0), UInt32(Frame.Kind.method.rawValue) + 1, 255, 256, 257, .max])
    func `A kind that does not exist is refused`(kind: UInt32) {
        let buffer = ByteBuffer()
        Frame.append(.values, to: buffer) { _ in }
        buffer.overwrite(at: 0, with: kind)
        let bytes = buffer.withUnsafeBytes { Array($0) }
        var assembler = FrameAssembler()
        #expect(throws: (any Error).self) {
            try Self.assemble(bytes, pieces: [0..<bytes.count], with: &assembler)
        }
    }

    @Test func `Damaged bytes are frames or an error, never a trap`() {
        let seed = UInt64.random(in: 0 ... .max)
        var random = RandomSource(seed: seed)
        var errorCount = 0
        for _ in 0..<500 {
            var bytes = SampleFrame.bytes(of: SampleFrame.random(using: &random))
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                let place = Int.random(in: 0..<bytes.count, using: &random)
                switch Int.random(in: 0..<3, using: &random) {
                case 0: bytes[place] = UInt8.random(in: 0...255, using: &random)
                case 1: bytes.remove(at: place)
                default: bytes.insert(UInt8.random(in: 0...255, using: &random), at: place)
                }
                if bytes.isEmpty { bytes = [0] }
            }
            var assembler = FrameAssembler()
            let pieces = Self.cut(bytes.count, using: &random)
            do {
                let received = try Self.assemble(bytes, pieces: pieces, with: &assembler)
                let size = received.reduce(0) { $0 + Frame.Header.size + $1.payload.count }
                #expect(size <= bytes.count, "seed \(seed)")
            } catch {
                errorCount += 1
            }
        }
        #expect(errorCount > 0, "seed \(seed)")
    }
}

import Multiprocessing
import MultiprocessingCoding
import Testing

struct FrameAssemblerTests {
    private struct Received: Equatable {
        let kind: Frame.Kind
        let number: UInt32
        let payload: [UInt8]
    }

    private static func bytes(of frames: [Received]) -> [UInt8] {
        let buffer = ByteBuffer()
        for frame in frames {
            Frame.append(frame.kind, number: frame.number, to: buffer) { buffer in
                frame.payload.withUnsafeBytes { buffer.append(contentsOf: $0) }
            }
        }
        return buffer.withUnsafeBytes { Array($0) }
    }

    private static func randomFrames(using random: inout RandomSource) -> [Received] {
        (0..<Int.random(in: 1...20, using: &random)).map { number in
            let size = [0, 1, 15, 16, 17, 100, 900].randomElement(using: &random) ?? 0
            return Received(
                kind: [.values, .failure, .chunkEnd, .keys].randomElement(using: &random) ?? .values,
                number: UInt32(number),
                payload: (0..<size).map { _ in UInt8.random(in: 0...255, using: &random) })
        }
    }

    /// Feeds the bytes in pieces, each of which is gone after its turn.
    private static func assemble(
        _ bytes: [UInt8],
        pieces: [Range<Int>],
        with assembler: inout FrameAssembler
    ) throws -> [Received] {
        var received: [Received] = []
        for range in pieces {
            try Array(bytes[range]).withUnsafeBytes { piece in
                try assembler.take(piece) { header, reader in
                    let payload = Array(try reader.readBytes(reader.remaining))
                    received.append(Received(kind: header.kind, number: header.number, payload: payload))
                }
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
            let frames = Self.randomFrames(using: &random)
            let bytes = Self.bytes(of: frames)
            var assembler = FrameAssembler()
            let pieces = Self.cut(bytes.count, using: &random)
            let received = try Self.assemble(bytes, pieces: pieces, with: &assembler)
            #expect(received == frames, "seed \(seed), round \(round)")
            #expect(assembler.missing == nil, "seed \(seed), round \(round)")
        }
    }

    @Test func `Bytes that come one by one make frames too`() throws {
        let frames = [
            Received(kind: .hello, number: 0, payload: []),
            Received(kind: .values, number: 3, payload: [1, 2, 3]),
        ]
        let bytes = Self.bytes(of: frames)
        var assembler = FrameAssembler()
        let received = try Self.assemble(bytes, pieces: bytes.indices.map { $0..<$0 + 1 }, with: &assembler)
        #expect(received == frames)
    }

    @Test func `It tells how much of a frame is missing`() throws {
        let bytes = Self.bytes(of: [Received(kind: .values, number: 1, payload: Array(repeating: 7, count: 100))])
        var assembler = FrameAssembler()
        #expect(try Self.assemble(bytes, pieces: [0..<10], with: &assembler).isEmpty)
        #expect(assembler.missing == nil)
        #expect(try Self.assemble(bytes, pieces: [10..<50], with: &assembler).isEmpty)
        #expect(assembler.missing == bytes.count - 50)
        #expect(try Self.assemble(bytes, pieces: [50..<bytes.count], with: &assembler).count == 1)
    }

    @Test func `A length is not believed before the bytes come`() throws {
        var assembler = FrameAssembler()
        let buffer = ByteBuffer()
        Frame.append(.values, number: 1, to: buffer) { $0.append(UInt64(1)) }
        buffer.overwrite(at: 8, with: UInt64(1) << 62)
        let bytes = buffer.withUnsafeBytes { Array($0) }
        #expect(try Self.assemble(bytes, pieces: [0..<bytes.count], with: &assembler).isEmpty)
        #expect(assembler.missing == (1 << 62) + Frame.Header.size - bytes.count)
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

    @Test(arguments: [UInt32(0), 11, 255, 256, 257, .max])
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
            var bytes = Self.bytes(of: Self.randomFrames(using: &random))
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

import Dispatch
import Glibc
import Multiprocessing
import MultiprocessingCoding
import MultiprocessingSystem
import TestSupport
import Testing

@Suite(.admitted)
struct FrameReaderTests {
    /// Reads frames to the end of a stream that another thread writes, in pieces of this size.
    private static func read(_ bytes: [UInt8], inPiecesOf size: Int) async throws -> [SampleFrame] {
        var ends: (Int32, Int32) = (-1, -1)
        let result = withUnsafeMutableBytes(of: &ends) {
            socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, $0.assumingMemoryBound(to: Int32.self).baseAddress)
        }
        try #require(result == 0)
        let (own, other) = ends
        DispatchQueue(label: "test.writer").async {
            let socket = Socket(FileDescriptor(adopting: DescriptorNumber(rawValue: other)))
            var start = 0
            while start < bytes.count {
                let end = min(start + size, bytes.count)
                // The reader closes its end at bytes that make no sense.
                guard bytes[start..<end].withUnsafeBytes({ (try? socket.sendAll($0)) ?? false }) else { return }
                start = end
            }
        }
        return try await onBlockableThread {
            let reader = FrameReader(Socket(FileDescriptor(adopting: DescriptorNumber(rawValue: own))))
            var frames: [SampleFrame] = []
            while let frame = try reader.next({ try ArrivingArray(size: $0.length, of: UInt8.self) }) {
                let payload = frame.header.kind == .array ? try frame.landing?.takeArray() : Array(frame.payload)
                withExtendedLifetime(frame.landing) {}
                frames.append(SampleFrame(kind: frame.header.kind, number: frame.header.number, payload: payload ?? []))
            }
            return frames
        }
    }

    @Test(arguments: [5_000, 300_000, 4 << 20])
    func `Frames small and large come out whole`(pieceSize: Int) async throws {
        let seed = UInt64.random(in: 0 ... .max)
        var random = RandomSource(seed: seed)
        let sizes = [0, 17, 100_000, Frame.largeSize, Frame.largeSize + 1, Frame.largeSize + 16, 700_001]
        for _ in 0..<3 {
            let frames = SampleFrame.random(sizes: sizes, using: &random)
            let received = try await Self.read(SampleFrame.bytes(of: frames), inPiecesOf: pieceSize)
            let isSame = received == frames
            #expect(isSame, "seed \(seed)")
        }
    }

    @Test(arguments: [Frame.Kind.values, .array])
    func `A stream that ends within a large frame has ended`(kind: Frame.Kind) async throws {
        let frames = [
            SampleFrame(kind: .keys, number: 1, payload: [1, 2, 3]),
            SampleFrame(kind: kind, number: 2, payload: Array(repeating: 7, count: 400_001)),
        ]
        let bytes = SampleFrame.bytes(of: frames)
        for missing in [1, 15, 16, 100_000, 400_001] {
            let received = try await Self.read(bytes.dropLast(missing), inPiecesOf: 300_000)
            #expect(received == [frames[0]])
        }
    }

    @Test(arguments: [Frame.Kind.chunk, .attachment, .array], [UInt64(1) << 48, 1 << 62, UInt64(Int.max) - 64, .max])
    func `A length for which there is no memory is refused`(kind: Frame.Kind, length: UInt64) async throws {
        let bytes = SampleFrame.header(kind, length: length)
        await #expect(throws: (any Error).self) { try await Self.read(bytes, inPiecesOf: 16) }
    }
}

extension [UInt8] {
    fileprivate func dropLast(_ count: Int) -> [UInt8] { Array(prefix(self.count - count)) }
}

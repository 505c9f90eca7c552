import Multiprocessing
import MultiprocessingCoding
import TestSupport

/// A frame as it is sent, and as it is received.
struct SampleFrame: Equatable {
    let kind: Frame.Kind
    let number: UInt32
    let payload: [UInt8]

    static func bytes(of frames: [SampleFrame]) -> [UInt8] {
        let buffer = ByteBuffer()
        for frame in frames {
            Frame.append(frame.kind, number: frame.number, to: buffer) { buffer in
                frame.payload.withUnsafeBytes { buffer.append(contentsOf: $0) }
            }
        }
        return buffer.withUnsafeBytes { Array($0) }
    }

    static func random(
        sizes: [Int] = [0, 1, 15, 16, 17, 100, 900],
        using random: inout RandomSource
    ) -> [SampleFrame] {
        (0..<Int.random(in: 1...20, using: &random)).map { number in
            let size = sizes.randomElement(using: &random) ?? 0
            var kinds: [Frame.Kind] = [.values, .failure, .chunkEnd, .keys]
            if size > Frame.largeSize { kinds.append(.array) }
            var payload = [UInt8](repeating: UInt8.random(in: 0...255, using: &random), count: size)
            for _ in 0..<min(size, 50) {
                payload[Int.random(in: 0..<size, using: &random)] = UInt8.random(in: 0...255, using: &random)
            }
            return SampleFrame(
                kind: kinds.randomElement(using: &random) ?? .values, number: UInt32(number), payload: payload)
        }
    }

    /// A header whose length was damaged.
    static func header(_ kind: Frame.Kind, length: UInt64) -> [UInt8] {
        let buffer = ByteBuffer()
        Frame.append(kind, to: buffer) { _ in }
        buffer.overwrite(at: 8, with: length)
        return buffer.withUnsafeBytes { Array($0) }
    }
}

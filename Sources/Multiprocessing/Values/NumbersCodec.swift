import MultiprocessingCoding

/// An array whose elements' bits are their values.
protocol NumberArray {
    static var numbersCodec: any AnyCodec { get }
}

extension Array: NumberArray where Element: FixedBits {
    static var numbersCodec: any AnyCodec { NumbersCodec<Element>() }
}

/// The codec of an array of numbers: their count, then their bits.
///
/// A large one is sent from its own memory and received into it.
final class NumbersCodec<Number: FixedBits>: Codec<[Number]>, @unchecked Sendable {
    override func encode(_ value: [Number], into buffer: ByteBuffer) {
        buffer.append(UInt64(value.count))
        value.withUnsafeBytes { buffer.append(contentsOf: $0) }
    }

    override func decode(from reader: inout ByteReader, keys: ReceivedKeys) throws -> [Number] {
        let start = reader.offset
        let sent: UInt64 = try reader.read()
        guard sent <= UInt64(reader.remaining / MemoryLayout<Number>.stride) else {
            throw CodingFailure(.impossibleLength, offset: start)
        }
        try reader.requireMemory()
        let count = Int(sent)
        let bytes = try reader.readBytes(count * MemoryLayout<Number>.stride)
        return [Number](unsafeUninitializedCapacity: count) { numbers, initialized in
            UnsafeMutableRawBufferPointer(numbers).copyMemory(from: bytes)
            initialized = count
        }
    }

    override func largeMemory(of value: [Number]) -> OwnedBytes? {
        value.count * MemoryLayout<Number>.stride > ArrivingArray.largeSize ? OwnedBytes(value) : nil
    }

    override func landing(size: UInt64) throws -> ArrivingArray {
        try ArrivingArray(size: size, of: Number.self)
    }

    override func value(in landing: ArrivingArray) throws -> [Number] {
        try landing.takeArray()
    }
}

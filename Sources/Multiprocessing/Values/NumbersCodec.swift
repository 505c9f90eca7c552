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
    override func encode(_ value: [Number], into message: inout Outgoing) {
        message.bytes.append(UInt64(value.count))
        value.withUnsafeBytes { message.bytes.append(contentsOf: $0) }
    }

    override func decode(from incoming: inout Incoming) throws -> [Number] {
        let start = incoming.reader.offset
        let sent: UInt64 = try incoming.reader.read()
        guard sent <= UInt64(incoming.reader.remaining / MemoryLayout<Number>.stride) else {
            throw CodingFailure(.impossibleLength, offset: start)
        }
        try incoming.reader.requireMemory()
        let count = Int(sent)
        let bytes = try incoming.reader.readBytes(count * MemoryLayout<Number>.stride)
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

/// A vector: numbers that lie one after another in memory.
protocol NumberList: DirectlyCoded, Decodable {
    associatedtype Number: FixedNumber

    /// Calls `body` with the numbers.
    func withNumbers(_ body: (UnsafeBufferPointer<Number>) -> Void)

    /// Makes the collection, or returns nil if it cannot have these numbers.
    init?(numbers: [Number])
}

extension NumberList {
    static func write(_ value: UnsafeRawPointer, to encoder: ValueEncoder) throws {
        value.assumingMemoryBound(to: Self.self).pointee.withNumbers { Number.write(list: $0, to: encoder.buffer) }
    }

    static func read(_ head: Head, at step: PathStep, in decoder: ValueDecoder) throws -> Self {
        if let numbers = Number.array(head, from: decoder.bytes), let list = Self(numbers: numbers) { return list }
        // Anything but the very same numbers goes the way of every other type.
        return try decoder.readByInit(Self.self, head, step)
    }
}

// The lanes of a vector lie one after another from its first byte; a vector of three has
// unused bytes behind them, which do not travel. A conditional conformance must name each
// inherited protocol.

extension SIMD where Self: NumberList, Number == Scalar {
    func withNumbers(_ body: (UnsafeBufferPointer<Scalar>) -> Void) {
        withUnsafeBytes(of: self) { bytes in
            let lanes = bytes.prefix(scalarCount * MemoryLayout<Scalar>.stride)
            UnsafeRawBufferPointer(rebasing: lanes).withMemoryRebound(to: Scalar.self, body)
        }
    }

    init?(numbers: [Scalar]) {
        guard numbers.count == Self.scalarCount else { return nil }
        self.init(numbers)
    }
}

extension SIMD2: DirectlyEncoded, DirectlyDecoded, NumberList where Scalar: FixedNumber {
    typealias Number = Scalar
}
extension SIMD3: DirectlyEncoded, DirectlyDecoded, NumberList where Scalar: FixedNumber {
    typealias Number = Scalar
}
extension SIMD4: DirectlyEncoded, DirectlyDecoded, NumberList where Scalar: FixedNumber {
    typealias Number = Scalar
}
extension SIMD8: DirectlyEncoded, DirectlyDecoded, NumberList where Scalar: FixedNumber {
    typealias Number = Scalar
}
extension SIMD16: DirectlyEncoded, DirectlyDecoded, NumberList where Scalar: FixedNumber {
    typealias Number = Scalar
}
extension SIMD32: DirectlyEncoded, DirectlyDecoded, NumberList where Scalar: FixedNumber {
    typealias Number = Scalar
}
extension SIMD64: DirectlyEncoded, DirectlyDecoded, NumberList where Scalar: FixedNumber {
    typealias Number = Scalar
}

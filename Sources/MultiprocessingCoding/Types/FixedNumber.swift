/// A number of the standard library whose every bit pattern is a value.
///
/// Only these travel as they lie in memory. A type of a user's own may be just as
/// trivial, but its `encode(to:)` and `init(from:)` decide what its bytes mean.
protocol FixedNumber: BitwiseCopyable, ListElement, DirectlyCoded {
    /// The tag that says how wide the number is and of which kind.
    static var tag: UInt8 { get }

    /// Appends the number as a value.
    func append(to buffer: ByteBuffer)

    /// Reads the value at `head`, or returns nil if it is no such number.
    static func load(_ head: Head, from bytes: BorrowedBytes) -> Self?

    // Requirements, so that each type's own copy is compiled for that type.

    /// Appends numbers as they lie in memory.
    static func write(list: UnsafeBufferPointer<Self>, to buffer: ByteBuffer)

    /// Makes an array of the numbers at `head`, or returns nil if they are not of this very type.
    static func array(_ head: Head, from bytes: BorrowedBytes) -> [Self]?
}

extension FixedNumber {
    static func write(_ value: UnsafeRawPointer, to encoder: ValueEncoder) throws {
        value.load(as: Self.self).append(to: encoder.buffer)
    }

    static func read(_ head: Head, at step: PathStep, in decoder: ValueDecoder) throws -> Self {
        try decoder.number(head, step)
    }

    static func write(list: UnsafeBufferPointer<Self>, to buffer: ByteBuffer) {
        buffer.append(Tag.numbers, numbers: list)
    }

    static func array(_ head: Head, from bytes: BorrowedBytes) -> [Self]? {
        guard head.tag == Tag.numbers, let (code, start, count) = bytes.numbers(head), code == tag else { return nil }
        return [Self](unsafeUninitializedCapacity: count) { numbers, initialized in
            initialized = count
            guard count > 0, let place = numbers.baseAddress else { return }
            UnsafeMutableRawPointer(place).copyMemory(from: start, byteCount: count * MemoryLayout<Self>.stride)
        }
    }
}

/// A number that travels as its value, in as few bytes as hold it.
protocol FixedInteger: FixedNumber, FixedWidthInteger {}

extension FixedInteger {
    @inline(__always)
    static func load(_ head: Head, from bytes: BorrowedBytes) -> Self? { bytes.integer(head) }

    func append(to buffer: ByteBuffer) {
        if Self.isSigned, bitWidth <= 64 {
            buffer.append(integer: Int64(truncatingIfNeeded: self))
        } else if bitWidth <= 64 {
            buffer.append(integer: UInt64(truncatingIfNeeded: self))
        } else if Self.isSigned {
            buffer.append(integer: Int128(truncatingIfNeeded: self))
        } else {
            buffer.append(integer: UInt128(truncatingIfNeeded: self))
        }
    }
}

/// A number that travels bit for bit.
protocol FixedFloat: FixedNumber, BinaryFloatingPoint {}

extension FixedFloat {
    @inline(__always)
    static func load(_ head: Head, from bytes: BorrowedBytes) -> Self? { bytes.float(head) }

    func append(to buffer: ByteBuffer) { buffer.append(tag: Self.tag, number: self) }
}

extension Int: FixedInteger { static var tag: UInt8 { Tag.signed64 } }
extension Int8: FixedInteger { static var tag: UInt8 { Tag.signed8 } }
extension Int16: FixedInteger { static var tag: UInt8 { Tag.signed16 } }
extension Int32: FixedInteger { static var tag: UInt8 { Tag.signed32 } }
extension Int64: FixedInteger { static var tag: UInt8 { Tag.signed64 } }
extension Int128: FixedInteger { static var tag: UInt8 { Tag.signed128 } }
extension UInt: FixedInteger { static var tag: UInt8 { Tag.unsigned64 } }
extension UInt8: FixedInteger { static var tag: UInt8 { Tag.unsigned8 } }
extension UInt16: FixedInteger { static var tag: UInt8 { Tag.unsigned16 } }
extension UInt32: FixedInteger { static var tag: UInt8 { Tag.unsigned32 } }
extension UInt64: FixedInteger { static var tag: UInt8 { Tag.unsigned64 } }
extension UInt128: FixedInteger { static var tag: UInt8 { Tag.unsigned128 } }
extension Float16: FixedFloat { static var tag: UInt8 { Tag.float16 } }
extension Float: FixedFloat { static var tag: UInt8 { Tag.float32 } }
extension Double: FixedFloat { static var tag: UInt8 { Tag.float64 } }

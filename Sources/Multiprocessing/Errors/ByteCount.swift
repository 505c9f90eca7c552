/// An amount of memory, in bytes.
///
/// ```swift
/// let limit: ByteCount = .mebibytes(512)
/// ```
public struct ByteCount: Hashable, Comparable, Codable, Sendable {
    /// The number of bytes.
    public let bytes: Int

    /// So many bytes.
    public static func bytes(_ count: Int) -> ByteCount { ByteCount(bytes: count) }
    /// So many times 1,024 bytes; the largest amount there is, if that is no number.
    public static func kibibytes(_ count: Int) -> ByteCount { ByteCount(count, times: 1 << 10) }
    /// So many times 1,048,576 bytes; the largest amount there is, if that is no number.
    public static func mebibytes(_ count: Int) -> ByteCount { ByteCount(count, times: 1 << 20) }
    /// So many times 1,073,741,824 bytes; the largest amount there is, if that is no number.
    public static func gibibytes(_ count: Int) -> ByteCount { ByteCount(count, times: 1 << 30) }

    init(bytes: Int) {
        self.bytes = bytes
    }

    private init(_ count: Int, times unit: Int) {
        let (product, overflow) = count.multipliedReportingOverflow(by: unit)
        bytes = overflow ? (count < 0 ? .min : .max) : product
    }

    /// Whether one amount is less than another.
    public static func < (left: ByteCount, right: ByteCount) -> Bool { left.bytes < right.bytes }
}

extension ByteCount: CustomStringConvertible {
    /// The amount in the largest unit of which there is at least one, such as "512 MiB" or "1.5 GiB".
    public var description: String {
        for (shift, unit) in [(30, "GiB"), (20, "MiB"), (10, "KiB")] where bytes.magnitude >= 1 << shift {
            let tenths = (Double(bytes) / Double(1 << shift) * 10).rounded()
            let isWhole = tenths.truncatingRemainder(dividingBy: 10) == 0
            return isWhole ? "\(Int(tenths / 10)) \(unit)" : "\(tenths / 10) \(unit)"
        }
        return "\(bytes) bytes"
    }
}

/// Counts of nanoseconds in buckets whose width grows with the number.
///
/// Sixteen buckets for each power of two: the middle of a bucket is no more than 3.2 % from any number in it. Numbers
/// from 2^47, which is 39 hours, share the last.
package struct LogHistogram {
    private static let bucketCount = 44 * 16

    /// Empty before the first number, for there is one for each place of a worker.
    private var buckets: [UInt64] = []
    package private(set) var count: UInt64 = 0
    private var total: Double = 0
    private var lowest = UInt64.max
    private var highest: UInt64 = 0

    package init() {}

    /// Notes the same number so many times.
    package mutating func record(_ nanoseconds: UInt64, times: Int = 1) {
        guard times > 0 else { return }
        if buckets.isEmpty { buckets = Array(repeating: 0, count: Self.bucketCount) }
        buckets[Self.bucket(of: nanoseconds)] &+= UInt64(times)
        count &+= UInt64(times)
        total += Double(nanoseconds) * Double(times)
        lowest = min(lowest, nanoseconds)
        highest = max(highest, nanoseconds)
    }

    /// Notes all numbers of another.
    package mutating func add(_ other: LogHistogram) {
        guard other.count > 0 else { return }
        guard count > 0 else { return self = other }
        for (bucket, times) in other.buckets.enumerated() { buckets[bucket] &+= times }
        count &+= other.count
        total += other.total
        lowest = min(lowest, other.lowest)
        highest = max(highest, other.highest)
    }

    private static func bucket(of number: UInt64) -> Int {
        guard number >= 16 else { return Int(number) }
        let exponent = UInt64.bitWidth - 1 - number.leadingZeroBitCount
        guard exponent < 47 else { return bucketCount - 1 }
        return (exponent - 3) * 16 + Int(number >> UInt64(exponent - 4)) - 16
    }

    /// The middle of a bucket.
    private static func middle(of bucket: Int) -> UInt64 {
        guard bucket >= 16 else { return UInt64(bucket) }
        let shift = UInt64(bucket / 16 - 1)
        return (UInt64(16 + bucket % 16) << shift) + (1 << shift) / 2
    }

    /// The number that a part of all numbers do not exceed, from 0 to 1.
    package func quantile(_ part: Double) -> UInt64 {
        guard count > 0 else { return 0 }
        let rank = max(1, (Double(count) * part).rounded(.up))
        var seen: UInt64 = 0
        for (bucket, times) in buckets.enumerated() where times > 0 {
            seen += times
            if Double(seen) >= rank { return min(max(Self.middle(of: bucket), lowest), highest) }
        }
        return highest
    }

    /// What is told of it.
    package var distribution: PoolStatistics.Distribution {
        guard count > 0 else { return PoolStatistics.Distribution() }
        return PoolStatistics.Distribution(
            count: Int(clamping: count), mean: .nanoseconds(Int64(total / Double(count))),
            minimum: .nanoseconds(Int64(clamping: lowest)), maximum: .nanoseconds(Int64(clamping: highest)),
            p50: .nanoseconds(Int64(clamping: quantile(0.5))), p90: .nanoseconds(Int64(clamping: quantile(0.9))),
            p99: .nanoseconds(Int64(clamping: quantile(0.99))))
    }
}

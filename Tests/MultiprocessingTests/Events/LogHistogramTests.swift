import Multiprocessing
import TestSupport
import Testing

@Suite("Histograms of times", .admitted)
struct LogHistogramTests {
    @Test("Percentiles are within the error that is promised", arguments: [1, 2, 3])
    func quantilesAreClose(seed: UInt64) {
        var random = SplitMix(seed: seed)
        var histogram = LogHistogram()
        var numbers: [UInt64] = []
        for _ in 0..<20_000 {
            // All sizes, from nanoseconds to a day.
            let number = random.next() >> UInt64.random(in: 18...63, using: &random)
            numbers.append(number)
            histogram.record(number)
        }
        numbers.sort()
        for part in [0.0, 0.01, 0.1, 0.5, 0.9, 0.99, 1] {
            let exact = Double(numbers[max(0, Int((Double(numbers.count) * part).rounded(.up)) - 1)])
            let told = Double(histogram.quantile(part))
            #expect(abs(told - exact) <= exact * 0.032, "\(part): \(told), not \(exact)")
        }
        let distribution = histogram.distribution
        #expect(distribution.count == numbers.count)
        #expect(distribution.minimum == .nanoseconds(Int64(numbers[0])))
        #expect(distribution.maximum == .nanoseconds(Int64(numbers[numbers.count - 1])))
        #expect(distribution.p50 <= distribution.p90 && distribution.p90 <= distribution.p99)
    }

    @Test("Numbers beyond the last bucket, and none at all, are no trouble")
    func extremes() {
        var histogram = LogHistogram()
        #expect(histogram.distribution.count == 0 && histogram.distribution.maximum == .zero)
        histogram.record(.max)
        histogram.record(0, times: 3)
        histogram.record(5, times: 0)
        #expect(histogram.count == 4)
        #expect(histogram.quantile(0.5) == 0)
        #expect(histogram.distribution.maximum == .nanoseconds(Int64.max))
    }

    private struct SplitMix: RandomNumberGenerator {
        var state: UInt64

        init(seed: UInt64) { state = seed }

        mutating func next() -> UInt64 {
            state &+= 0x9E37_79B9_7F4A_7C15
            var z = state
            z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
            z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
            return z ^ (z >> 31)
        }
    }
}

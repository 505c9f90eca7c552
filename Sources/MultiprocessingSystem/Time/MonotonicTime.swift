internal import Glibc

/// A moment on the clock that only goes forward (CLOCK_MONOTONIC), in nanoseconds.
package struct MonotonicTime: Hashable, Sendable {
    package let nanoseconds: UInt64

    package init(nanoseconds: UInt64) {
        self.nanoseconds = nanoseconds
    }

    package static func now() -> MonotonicTime {
        var time = timespec()
        // Fails only for a bad clock or a bad address.
        clock_gettime(CLOCK_MONOTONIC, &time)
        return MonotonicTime(nanoseconds: UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec))
    }

    /// A moment later by `duration`; no earlier for a negative one, and the end of time at most.
    package func advanced(by duration: Duration) -> MonotonicTime {
        let (sum, overflow) = nanoseconds.addingReportingOverflow(duration.wholeNanoseconds)
        return MonotonicTime(nanoseconds: overflow ? .max : sum)
    }

    /// The time from `earlier` to this moment; zero when `earlier` is the later one.
    package func duration(since earlier: MonotonicTime) -> Duration {
        guard nanoseconds > earlier.nanoseconds else {
            return .zero
        }
        return .nanoseconds(Int64(clamping: nanoseconds - earlier.nanoseconds))
    }
}

extension MonotonicTime: Comparable {
    package static func < (left: MonotonicTime, right: MonotonicTime) -> Bool {
        left.nanoseconds < right.nanoseconds
    }
}

extension Duration {
    /// Nanoseconds, rounded up; zero for a negative duration, the largest number for one beyond it.
    package var wholeNanoseconds: UInt64 {
        guard self > .zero else {
            return 0
        }
        // Beyond that the components need not be numbers.
        guard self < .seconds(Int64(1) << 40) else {
            return .max
        }
        let (seconds, attoseconds) = components
        let fraction = (UInt64(attoseconds) + 999_999_999) / 1_000_000_000
        let (whole, overflow) = UInt64(seconds).multipliedReportingOverflow(by: 1_000_000_000)
        let (sum, carry) = whole.addingReportingOverflow(fraction)
        return overflow || carry ? .max : sum
    }
}

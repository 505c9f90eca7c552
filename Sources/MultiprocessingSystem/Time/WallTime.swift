internal import Glibc

/// The time of day, which people and other machines know; it can be set, and jump.
package enum WallTime {
    /// Nanoseconds since 1970-01-01, 00:00 UTC.
    package static func now() -> Int64 {
        var time = timespec()
        // Fails only for a bad clock or a bad address.
        clock_gettime(CLOCK_REALTIME, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }
}

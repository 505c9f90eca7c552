import MultiprocessingSystem

/// The monotonic clock, in nanoseconds.
func monotonicNanoseconds() -> UInt64 {
    MonotonicTime.now().nanoseconds
}

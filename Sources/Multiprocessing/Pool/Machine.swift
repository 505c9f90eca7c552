import MultiprocessingSystem

/// Figures of the machine that the process runs on.
enum Machine {
    /// The cores that this process may really use, at least 1.
    ///
    /// Asked once: affinity and quotas are set before a program starts, as a rule.
    static let usableCores = Cores.usable()
}

/// The monotonic clock, in nanoseconds.
func monotonicNanoseconds() -> UInt64 {
    MonotonicTime.now().nanoseconds
}

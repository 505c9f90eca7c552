import MultiprocessingSystem

/// What holds for one call: its options, and the pool's where it has none; checked.
///
/// A class, because most calls have those of the pool, and to copy a structure is to retain all that it holds.
package final class CallOptions: Sendable {
    package let limits: WorkLimits
    /// `nil` also for a policy of one attempt.
    package let retry: RetryPolicy?
    package let label: String?
    package let progress: (@Sendable (WorkProgress) -> Void)?

    package init(
        limits: WorkLimits = WorkLimits(), retry: RetryPolicy? = nil, label: String? = nil,
        progress: (@Sendable (WorkProgress) -> Void)? = nil
    ) {
        self.limits = limits
        self.retry = retry
        self.label = label
        self.progress = progress
    }
}

extension WorkOptions {
    /// Whether it leaves all to the pool's defaults.
    package var isEmpty: Bool {
        timeout == nil && queueTimeout == nil && retry == nil && label == nil && progress == nil
    }

    /// What holds for a call with these options in a pool with these defaults, which were checked.
    ///
    /// - Throws: ``PoolError/Code/invalidArgument`` naming the option.
    package func call(over defaults: WorkOptions) throws -> CallOptions {
        try check()
        var limits = WorkLimits()
        limits.timeout = Self.limit(timeout ?? defaults.timeout)
        limits.queueTimeout = Self.limit(queueTimeout ?? defaults.queueTimeout)
        let policy = retry ?? defaults.retry
        return CallOptions(
            limits: limits, retry: policy.flatMap { $0.attempts > 1 ? $0 : nil }, label: label ?? defaults.label,
            progress: progress ?? defaults.progress)
    }

    /// - Throws: ``PoolError/Code/invalidArgument`` naming the option.
    func check() throws {
        if let timeout, timeout <= .zero {
            throw PoolError.invalidArgument("timeout", timeout, "an item needs some time; leave it out for no limit")
        }
        if let queueTimeout, queueTimeout <= .zero {
            throw PoolError.invalidArgument(
                "queueTimeout", queueTimeout, "an item needs some time to get to a worker; leave it out for no limit")
        }
        try retry?.check()
    }

    /// In nanoseconds; a time that no clock reaches is no limit.
    private static func limit(_ duration: Duration?) -> UInt64? {
        duration.map(\.wholeNanoseconds).flatMap { $0 == .max ? nil : $0 }
    }
}

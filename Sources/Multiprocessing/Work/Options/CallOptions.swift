import MultiprocessingSystem

/// What holds for one call: its options, and the pool's where it has none; checked.
package struct CallOptions: Sendable {
    package var limits = WorkLimits()
    /// `nil` also for a policy of one attempt.
    package var retry: RetryPolicy?
    package var label: String?
    package var progress: (@Sendable (WorkProgress) -> Void)?
}

extension WorkOptions {
    /// What holds for a call with these options in a pool with these defaults, which were checked.
    ///
    /// - Throws: ``PoolError/Code/invalidArgument`` naming the option.
    package func call(over defaults: WorkOptions) throws -> CallOptions {
        try check()
        var call = CallOptions()
        call.limits.timeout = Self.limit(timeout ?? defaults.timeout)
        call.limits.queueTimeout = Self.limit(queueTimeout ?? defaults.queueTimeout)
        if let policy = retry ?? defaults.retry, policy.attempts > 1 { call.retry = policy }
        call.label = label ?? defaults.label
        call.progress = progress ?? defaults.progress
        return call
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

/// How long the items of a chunk may take.
package struct WorkLimits: Equatable, Sendable {
    /// How long an item may run, in nanoseconds, from its start; `nil` for ever.
    package var timeout: UInt64?

    /// How long an item may wait for its start, in nanoseconds, from its submission; `nil` for ever.
    package var queueTimeout: UInt64?

    /// Without limits.
    package init(timeout: UInt64? = nil, queueTimeout: UInt64? = nil) {
        self.timeout = timeout
        self.queueTimeout = queueTimeout
    }
}

/// How the items of one call are run: their limits, whether they are tried again, and who is told.
///
/// Every call of a ``Pool`` takes some. They are made by a static member, and more are added by methods of the
/// same names:
///
/// ```swift
/// let options = WorkOptions.timeout(.seconds(2)).retry(.attempts(3))
/// let pages = try await pool.map(urls, options: options) { try fetch($0) }
/// ```
///
/// What a call leaves out comes from its pool's ``Pool/Configuration/defaults``, field by field. Values are checked
/// before any work starts: a call with one that makes no sense fails with ``PoolError/Code/invalidArgument``.
public struct WorkOptions: Sendable {
    /// How long an item may run, counted from its start; more than zero, `nil` for ever.
    ///
    /// An item that takes longer fails with ``PoolError/Code/timedOut`` and is stopped. Each attempt of an item has
    /// the whole time.
    public var timeout: Duration?

    /// How long an item may wait for its start, counted from its submission; more than zero, `nil` for ever.
    ///
    /// An item that waits longer fails with ``PoolError/Code/timedOut`` and never starts, be it that no worker is free or
    /// that the items before it in its chunk take so long. An item that is tried again has the whole time again once its
    /// pause is over, and so has one that comes back from a worker that died before it began.
    public var queueTimeout: Duration?

    /// Which failures are tried again, how often and when; `nil` for never, because work may have effects.
    public var retry: RetryPolicy?

    /// What the items are called where they are named to a person.
    public var label: String?

    /// Told how a call with many items comes along; not used by `submit` and `run`.
    ///
    /// Called about ten times a second at most while items end, and once more when the call ends, by a serial Dispatch
    /// queue of the call's own: never by two threads at once, and never after the call has returned. So the call's
    /// end waits for it: it should be quick. The iterator of a stream that is let go before its end is told no end.
    public var progress: (@Sendable (WorkProgress) -> Void)?

    /// Makes options that say nothing.
    public init() {}
}

extension WorkOptions {
    /// Options with a limit to how long an item may run; see ``WorkOptions/timeout-swift.property``.
    public static func timeout(_ limit: Duration) -> WorkOptions { WorkOptions().timeout(limit) }

    /// Options with a limit to how long an item may wait for its start; see ``WorkOptions/queueTimeout-swift.property``.
    public static func queueTimeout(_ limit: Duration) -> WorkOptions { WorkOptions().queueTimeout(limit) }

    /// Options by which items that fail are tried again; see ``RetryPolicy``.
    public static func retry(_ policy: RetryPolicy) -> WorkOptions { WorkOptions().retry(policy) }

    /// Options with a name for the items.
    public static func label(_ label: String) -> WorkOptions { WorkOptions().label(label) }

    /// Options with somebody who is told how the call comes along; see ``WorkOptions/progress-swift.property``.
    public static func progress(_ body: @escaping @Sendable (WorkProgress) -> Void) -> WorkOptions {
        WorkOptions().progress(body)
    }

    /// These options with a limit to how long an item may run.
    public func timeout(_ limit: Duration) -> WorkOptions { with { $0.timeout = limit } }

    /// These options with a limit to how long an item may wait for its start.
    public func queueTimeout(_ limit: Duration) -> WorkOptions { with { $0.queueTimeout = limit } }

    /// These options with a policy by which items that fail are tried again.
    public func retry(_ policy: RetryPolicy) -> WorkOptions { with { $0.retry = policy } }

    /// These options with a name for the items.
    public func label(_ label: String) -> WorkOptions { with { $0.label = label } }

    /// These options with somebody who is told how the call comes along.
    public func progress(_ body: @escaping @Sendable (WorkProgress) -> Void) -> WorkOptions {
        with { $0.progress = body }
    }

    private func with(_ change: (inout WorkOptions) -> Void) -> WorkOptions {
        var options = self
        change(&options)
        return options
    }
}

/// What a pool's configuration says of its workers, as the scheduler needs it; times are in nanoseconds.
package struct SchedulerRules: Equatable, Sendable {
    /// How long work that was told to stop may go on before its worker is ended.
    package var gracePeriod: UInt64 = 1_000_000_000

    /// After how many items a worker is replaced; `nil` for never.
    package var recyclingItems: Int?

    /// After how long a worker is replaced; `nil` for never.
    package var recyclingAge: UInt64?

    /// By how many bytes a worker's own memory may have grown before it is replaced; `nil` for never.
    package var recyclingGrowth: UInt64?

    /// How long a worker may be idle before it is let go; `nil` for ever.
    package var idleTimeout: UInt64?

    /// How long what runs first in each worker may take; `nil` if nothing does.
    package var setUpTimeout: UInt64?

    /// Whether no worker takes the place of one that was started and has ended, whatever it had not begun.
    package var hasNoReplacements = false

    /// The defaults of ``Pool/Configuration``.
    package init() {}
}

/// How far a call with many items has come.
///
/// ```swift
/// let options = WorkOptions.progress {
///     print("\($0.completed) of \($0.total ?? 0)")
/// }
/// let squares = try await pool.map(1...1_000, options: options) { $0 * $0 }
/// ```
public struct WorkProgress: Hashable, Sendable {
    /// How many items gave a value.
    public package(set) var completed = 0

    /// How many items failed for good.
    public package(set) var failed = 0

    /// How many items there are in all; `nil` while that is not known.
    ///
    /// What the input says of itself, and when it has been taken to its end, what it was.
    public package(set) var total: Int?

    /// How long the call has gone on.
    public package(set) var elapsed = Duration.zero

    /// Whether the call has ended; then nothing further is told.
    public package(set) var isFinished = false

    /// Progress of a call that has just begun.
    package init() {}

    /// How many items have ended, one way or the other.
    public var ended: Int { completed + failed }

    /// How many items end in a second, on average so far; zero before the first.
    public var rate: Double {
        let seconds = elapsed / .seconds(1)
        return seconds > 0 ? Double(ended) / seconds : 0
    }

    /// How long the rest will take if it goes on as it went so far; `nil` while nobody can say.
    public var remaining: Duration? {
        guard let total, ended > 0 else { return nil }
        return elapsed * (Double(max(0, total - ended)) / Double(ended))
    }
}

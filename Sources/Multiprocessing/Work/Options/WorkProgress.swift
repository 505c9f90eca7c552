/// How far a call with many items has come.
public struct WorkProgress: Hashable, Sendable {
    /// How many items gave a value.
    public internal(set) var completed = 0

    /// How many items failed for good.
    public internal(set) var failed = 0

    /// How many items there are in all; `nil` while that is not known.
    ///
    /// What the input says of itself, and when it has been taken to its end, what it was.
    public internal(set) var total: Int?

    /// How long the call has gone on.
    public internal(set) var elapsed = Duration.zero

    /// Whether the call has ended; then nothing further is told.
    public internal(set) var isFinished = false

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

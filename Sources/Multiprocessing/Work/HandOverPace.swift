/// When to look for what has come of a chunk's items while others of it run.
///
/// A chunk that is over between two looks is left alone: only one that was there at the last look has run for longer than
/// it should.
struct HandOverPace {
    /// Between two looks; together they are the longest that a result waits.
    private static let shortest = Duration.microseconds(500)

    /// Between two looks, where nothing has come for long.
    private static let longest = Duration.milliseconds(2)

    /// How often to look at short intervals where nothing comes.
    private static let patience = 40

    private var seen: ObjectIdentifier?
    private var idleCount = 0

    var interval: Duration { idleCount < Self.patience ? Self.shortest : Self.longest }

    /// Whether a chunk was there at the last look too.
    mutating func isDue(_ chunk: Chunk) -> Bool {
        let name = ObjectIdentifier(chunk)
        if seen == name { return true }
        seen = name
        idleCount = 0
        return false
    }

    /// Notes whether something was handed over.
    mutating func note(_ hasCome: Bool) {
        idleCount = hasCome ? 0 : idleCount + 1
    }
}

/// How long an item that failed waits before it is tried again.
public struct RetryDelay: Sendable {
    private enum Kind {
        case constant(Duration)
        case exponential(Duration, Duration)
    }

    private let kind: Kind

    /// No pause: the item goes to the queue at once.
    public static let none = RetryDelay(kind: .constant(.zero))

    /// The same pause before each attempt; zero or more.
    public static func constant(_ pause: Duration) -> RetryDelay { RetryDelay(kind: .constant(pause)) }

    /// A pause that doubles with each attempt, from `first` up to `longest`.
    ///
    /// Each is shortened by up to a half, at random, so that items that failed together do not come back together.
    public static func exponential(from first: Duration, to longest: Duration) -> RetryDelay {
        RetryDelay(kind: .exponential(first, longest))
    }

    /// How long to wait after the attempt with this number, from 1.
    package func pause(after attempt: Int) -> Duration {
        switch kind {
        case .constant(let pause):
            return pause
        case .exponential(let first, let longest):
            var pause = first
            // Stops at the longest, so that nothing overflows; from zero it never gets there.
            for _ in 1..<max(attempt, 1) where pause < longest && pause > .zero { pause = min(pause * 2, longest) }
            return min(pause, longest) * Double.random(in: 0.5...1)
        }
    }

    /// - Throws: ``PoolError/Code/invalidArgument`` naming what makes no sense.
    func check() throws {
        let rule = "a pause is zero or more; use .none for no pause"
        switch kind {
        case .constant(let pause):
            if pause < .zero { throw PoolError.invalidArgument("the delay of retry", pause, rule) }
        case .exponential(let first, let longest):
            if first < .zero { throw PoolError.invalidArgument("the first delay of retry", first, rule) }
            if longest < first {
                throw PoolError.invalidArgument(
                    "the longest delay of retry", longest, "it cannot be shorter than the first")
            }
            if longest > .seconds(Int64(1) << 32) {
                throw PoolError.invalidArgument("the longest delay of retry", longest, "that is more than a century")
            }
        }
    }
}

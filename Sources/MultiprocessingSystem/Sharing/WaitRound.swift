/// What a waiter knows when it looks whether its wait is over.
package struct WaitRound: Sendable {
    /// How many deaths had been counted before it looks.
    package internal(set) var deaths: UInt32 = 0

    /// Whether it has slept since it began to wait.
    package internal(set) var hasSlept = false

    /// Whether nothing woke it: what was believed before has to be asked again.
    package internal(set) var isUnprompted = false

    /// When it first went to sleep; zero before.
    package internal(set) var began: UInt64 = 0

    /// Whether it has been waiting for longer than so many nanoseconds.
    package func hasWaited(_ limit: UInt64) -> Bool {
        began != 0 && MonotonicTime.now().nanoseconds - began > limit
    }

    package init() {}
}

/// What a waiter finds when it looks.
package enum Look<Value> {
    /// The wait is over.
    case done(Value)
    /// To be looked at again when the word has another value, when somebody has died, and after so many nanoseconds.
    case sleep(on: FutexWord, while: UInt32, atMost: UInt64 = .max)
}

/// How a wait ended.
package enum WaitOutcome<Value> {
    case done(Value)
    case timedOut
    case cancelled
}

extension Look: Sendable where Value: Sendable {}
extension WaitOutcome: Sendable where Value: Sendable {}

/// How long a sleeper sleeps when nothing wakes it: a death that nobody has counted shows only when it looks again.
struct WaitSlices {
    private static let usual: UInt64 = 250_000_000
    private static let first: UInt64 = 1_000_000
    private static let last: UInt64 = 128_000_000

    private var seen: UInt32?
    private var hurried: UInt64 = 0

    /// The next sleep in nanoseconds, when so many deaths have been counted.
    ///
    /// After a death short ones: children of who has died end with it, and nobody may be left to count them.
    mutating func next(deaths: UInt32) -> UInt64 {
        if let seen, seen != deaths { hurried = Self.first }
        seen = deaths
        guard hurried != 0 else { return Self.usual }
        let slice = hurried
        hurried = hurried < Self.last ? hurried * 2 : 0
        return slice
    }
}

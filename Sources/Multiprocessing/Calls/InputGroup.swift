import MultiprocessingSystem

/// Inputs of an asynchronous sequence that have come and wait for others, to travel with them.
///
/// Those wait that are there already when they are asked for, and no longer than they keep coming: one that had to be waited
/// for goes at once, with those before it. A value; times are the caller's.
struct InputGroup<Input> {
    /// An input that comes sooner than this after it was asked for was there already; in nanoseconds, as all times here.
    private static var readiness: UInt64 { 2_000 }

    /// An input that comes later than this had to be waited for.
    ///
    /// In between it may be that the thread was kept from running, as it often is when a group has just woken others.
    private static var lateness: UInt64 { 500_000 }

    /// How many that were there already make one probable that came in between, and how many count at most.
    private static var trust: Int { 8 }
    private static var mostTrust: Int { 256 }

    /// How long an input waits for others that come one upon another.
    private static var patience: UInt64 { 200_000 }

    /// When nothing has come for so long, whoever reads the sequence waits for it.
    private static var silence: UInt64 { 20_000 }

    /// When to look again at what is here.
    static var lookInterval: UInt64 { 150_000 }

    private var inputs: [Input] = []
    private var firstTime: UInt64 = 0
    /// Since when the next input is asked for.
    private var askTime: UInt64 = 0

    /// How many have come that were there already; halved by each that was perhaps not.
    private var readyCount = 0

    /// Whether somebody looks later what is still here.
    var isWatched = false

    /// What becomes of an input that has come.
    enum Fate {
        /// All that is here is to go.
        case goes
        /// It goes unless all workers have enough to do.
        case goesIfWanted
        /// It waits for others.
        case waits
    }

    var isEmpty: Bool { inputs.isEmpty }

    /// Notes that the next input is asked for.
    mutating func noteAsking(_ now: UInt64) { askTime = now }

    /// Takes an input that has come.
    ///
    /// - Parameter size: How many are to go together at most.
    mutating func add(_ input: Input, size: Int, now: UInt64) -> Fate {
        if inputs.isEmpty { firstTime = now }
        inputs.append(input)
        let wasReady = noteWait(now &- askTime)
        askTime = now
        if inputs.count >= size || now &- firstTime >= Self.patience { return .goes }
        return wasReady ? .waits : .goesIfWanted
    }

    /// Whether an input that came so long after it was asked for was there already.
    private mutating func noteWait(_ time: UInt64) -> Bool {
        if time < Self.readiness {
            readyCount = min(readyCount + 1, Self.mostTrust)
            return true
        }
        let isTrusted = time < Self.lateness && readyCount >= Self.trust
        readyCount = isTrusted ? readyCount / 2 : 0
        return isTrusted
    }

    /// Takes out what is here.
    mutating func take() -> [Input] {
        let taken = inputs
        inputs = []
        inputs.reserveCapacity(min(2 * taken.count, GroupSizer.maximum))
        return taken
    }

    /// Whether what is here has waited for long enough: no others have come, or it was the first of many.
    func isOverdue(_ now: UInt64) -> Bool {
        // The two are read without an order between them.
        let idle = now > askTime ? now - askTime : 0
        return idle >= Self.silence || now &- firstTime >= Self.patience
    }
}

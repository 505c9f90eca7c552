/// What the word of an unbounded semaphore says: how many permits there are, and whether somebody may sleep.
struct PermitCount: Hashable, Sendable {
    let rawValue: UInt32

    static let limit = 1 << 31 - 1
    private static let waiters: UInt32 = 1 << 31

    init(rawValue: UInt32) { self.rawValue = rawValue }

    var count: Int { Int(rawValue & ~Self.waiters) }
    var hasWaiters: Bool { rawValue & Self.waiters != 0 }

    /// One permit less; `nil` if there is none.
    ///
    /// One who has slept does not know whether others still do.
    func taking(hasSlept: Bool) -> PermitCount? {
        count == 0 ? nil : PermitCount(rawValue: (rawValue - 1) | (hasSlept ? Self.waiters : 0))
    }

    /// Somebody is about to sleep.
    var waiting: PermitCount { PermitCount(rawValue: rawValue | Self.waiters) }

    /// One permit more, and nobody who has not been woken; `nil` if they cannot be counted.
    var adding: PermitCount? {
        count == Self.limit ? nil : PermitCount(rawValue: (rawValue & ~Self.waiters) + 1)
    }
}

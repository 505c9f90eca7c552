/// What the word of a barrier says: which round it is, how many have arrived, and whether it is broken.
struct BarrierState: Hashable, Sendable {
    let rawValue: UInt32

    init(rawValue: UInt32) { self.rawValue = rawValue }

    /// So many can meet at most.
    static let limit = 1 << 15 - 1

    private init(round: UInt32, arrived: Int) {
        rawValue = round << 16 | UInt32(arrived) << 1
    }

    /// Counts up from 0, and begins again after 65,535.
    var round: UInt32 { rawValue >> 16 }
    var arrived: Int { Int(rawValue >> 1 & 0x7FFF) }
    var isBroken: Bool { rawValue & 1 != 0 }

    /// One more has arrived; the last one ends the round.
    func arriving(of parties: Int) -> BarrierState {
        arrived + 1 == parties ? next : BarrierState(round: round, arrived: arrived + 1)
    }

    /// Another round, in which nobody has arrived.
    var next: BarrierState { BarrierState(round: (round + 1) & 0xFFFF, arrived: 0) }

    var broken: BarrierState { BarrierState(rawValue: rawValue | 1) }
}

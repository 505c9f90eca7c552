/// What the word of a lock says, and how it may change: no memory, no waiting, no kernel.
///
/// The code that takes and leaves locks asks this what to do, and so does the test that tries all orders of events.
package struct LockState: Hashable, Sendable {
    package let rawValue: UInt32

    package init(rawValue: UInt32) { self.rawValue = rawValue }

    /// Somebody may sleep on the word.
    package static let waiters: UInt32 = 1 << 31
    /// Held: to be handed to one who sleeps; free: kept for one who has slept.
    package static let fair: UInt32 = 1 << 30
    /// An owner has died, and nobody has recovered since what the lock guards.
    package static let dirty: UInt32 = 1 << 29
    private static let owners: UInt32 = 1 << 28 - 1

    /// Nobody has it, nobody waits.
    package static let free = LockState(rawValue: 0)

    /// The number of the process that has it; 0 for nobody.
    package var owner: UInt32 { rawValue & Self.owners }
    package var isDirty: Bool { rawValue & Self.dirty != 0 }
    package var isFair: Bool { rawValue & Self.fair != 0 }
    package var hasWaiters: Bool { rawValue & Self.waiters != 0 }

    /// Why one who takes the lock is told.
    package enum Inheritance: Hashable, Sendable {
        /// All is well.
        case none
        /// The owner has died.
        case ofOwner
        /// An earlier owner died, and nobody has recovered.
        case ofEarlierOwner
    }

    /// What one who wants the lock does next, by an atomic exchange for the state that it saw.
    package enum Move: Hashable, Sendable {
        /// The lock is his once the word is this.
        case take(LockState, Inheritance)
        /// He sleeps for as long as the word is this, or a moment only if nobody has the lock.
        case sleep(LockState)
    }

    /// - Parameters:
    ///   - isOwnerDead: Whether the process that has it has died; asked only if another has it.
    ///   - hasSlept: Whether the caller has slept on the word, and may be the one who was woken.
    ///   - isLate: Whether the caller has waited for so long that the lock should be handed to one who waits.
    package func entering(
        as me: UInt32, isOwnerDead: @autoclosure () -> Bool, hasSlept: Bool, isLate: Bool
    ) -> Move {
        if owner == 0 {
            guard isFair, !hasSlept else {
                // One who has slept does not know whether others still do.
                let waiters = hasSlept ? Self.waiters : rawValue & Self.waiters
                let taken = LockState(rawValue: me | waiters | rawValue & Self.dirty)
                return .take(taken, isDirty ? .ofEarlierOwner : .none)
            }
            return .sleep(LockState(rawValue: rawValue | Self.waiters))
        }
        if owner != me, isOwnerDead() {
            return .take(LockState(rawValue: me | Self.waiters | Self.dirty), .ofOwner)
        }
        let fair = hasSlept && isLate ? Self.fair : 0
        return .sleep(LockState(rawValue: rawValue | Self.waiters | fair))
    }

    /// The state once its owner has left it, and whether one who sleeps is to be woken; `nil` if it is not the owner.
    package func leaving(as me: UInt32) -> (next: LockState, wakes: Bool)? {
        guard owner == me else { return nil }
        let kept = isFair ? Self.fair | Self.waiters : 0
        return (LockState(rawValue: kept | rawValue & Self.dirty), hasWaiters)
    }

    /// The state once its owner has recovered what it guards; `nil` if it is not the owner.
    package func recovered(by me: UInt32) -> LockState? {
        guard owner == me else { return nil }
        return LockState(rawValue: rawValue & ~Self.dirty)
    }
}

extension LockState: CustomStringConvertible {
    package var description: String {
        let marks = [(hasWaiters, "waiters"), (isFair, "fair"), (isDirty, "dirty")].filter(\.0).map(\.1)
        return ([owner == 0 ? "free" : "held by \(owner)"] + marks).joined(separator: ", ")
    }
}

internal import CMultiprocessing

/// A lock between processes in two words of memory that they share.
///
/// Its owner is a process, not a thread: another thread of it may leave the lock, and a task may hold it over a
/// suspension. When the process dies, the next who wants the lock has it and is told.
///
/// It does not keep the memory mapped. Memory that reads as zero is a free lock.
package struct LockWord: Sendable {
    /// The bytes that it takes, aligned to four.
    package static let size = 8

    /// Who waits for longer than so many nanoseconds has the lock handed over.
    private static let patience: UInt64 = 1_000_000

    /// How long a lock that is kept for one who has slept is waited for by others, in nanoseconds.
    private static let keepingTime: UInt64 = 1_000_000

    private static let spins = 100

    package let word: FutexWord

    /// The number of the owner that died last; written by whoever took the lock then.
    private var lastDead: FutexWord { FutexWord(word.address + 4) }

    package init(_ address: UnsafeMutableRawPointer) {
        word = FutexWord(address)
    }

    /// How it came that the caller has the lock.
    package enum Acquired: Hashable, Sendable {
        /// All is well.
        case clean
        /// The process with this number died while it had the lock, and nobody has recovered since.
        case afterDeath(of: UInt32)
    }

    // MARK: Taking

    /// Takes the lock if that needs no waiting.
    ///
    /// - Returns: `nil` if another thread or process has it.
    package func tryLock() throws(SystemError) -> Acquired? {
        if mp_lock_take(word.address) { return .clean }
        let page = try LifePage.current
        var round = WaitRound()
        // As one who has slept: a lock that is kept for such a one may be kept for somebody who has died.
        round.hasSlept = true
        var state = LockState(rawValue: word.load())
        while true {
            round.deaths = page.deaths.load()
            guard case .take(let next, let inheritance) = move(state, page, round) else { return nil }
            let (isMine, original) = word.compareExchange(expected: state.rawValue, desired: next.rawValue)
            if isMine { return acquired(from: state, inheritance) }
            state = LockState(rawValue: original)
        }
    }

    /// Takes the lock; blocks the calling thread while another thread or process has it.
    ///
    /// - Parameter deadline: When to give up; a lock that is free then is still taken. `nil` for never.
    package func lock(
        until deadline: MonotonicTime? = nil, isCancellable: Bool = true
    ) throws(SystemError) -> WaitOutcome<Acquired> {
        if mp_lock_take(word.address) { return .done(.clean) }
        return try lockSlowly(until: deadline, isCancellable)
    }

    @inline(never)
    private func lockSlowly(
        until deadline: MonotonicTime?, _ isCancellable: Bool
    ) throws(SystemError) -> WaitOutcome<Acquired> {
        let page = try LifePage.current
        if spin() { return .done(.clean) }
        return try SharedWait.block(until: deadline, isCancellable: isCancellable) { look($0, page) }
    }

    /// Takes the lock if it becomes free within a microsecond or so.
    package func spin() -> Bool {
        for _ in 0..<Self.spins {
            if word.load() == 0, mp_lock_take(word.address) { return true }
            mp_pause()
        }
        return false
    }

    /// Takes the lock if it can be had, and otherwise says what to wait for.
    package func look(_ round: WaitRound, _ page: LifePage) -> Look<Acquired> {
        var state = LockState(rawValue: word.load())
        while true {
            switch move(state, page, round) {
            case .take(let next, let inheritance):
                let (isMine, original) = word.compareExchange(expected: state.rawValue, desired: next.rawValue)
                if isMine { return .done(acquired(from: state, inheritance)) }
                state = LockState(rawValue: original)
            case .sleep(let next):
                if next != state {
                    let (isMarked, original) = word.compareExchange(expected: state.rawValue, desired: next.rawValue)
                    guard isMarked else {
                        state = LockState(rawValue: original)
                        continue
                    }
                }
                return .sleep(on: word, while: next.rawValue, atMost: next.owner == 0 ? Self.keepingTime : .max)
            }
        }
    }

    private func move(_ state: LockState, _ page: LifePage, _ round: WaitRound) -> LockState.Move {
        let owner = state.owner
        return state.entering(
            as: page.number,
            isOwnerDead: round.isUnprompted
                ? !page.isAlive(owner) : !page.wasAlive(owner, deaths: round.deaths),
            hasSlept: round.hasSlept,
            isLate: round.hasWaited(Self.patience))
    }

    private func acquired(from state: LockState, _ inheritance: LockState.Inheritance) -> Acquired {
        switch inheritance {
        case .none:
            return .clean
        case .ofOwner:
            lastDead.store(state.owner)
            return .afterDeath(of: state.owner)
        case .ofEarlierOwner:
            return .afterDeath(of: lastDead.load())
        }
    }

    // MARK: Leaving

    /// Lets the lock go.
    ///
    /// - Returns: `false` if this process does not have it.
    @discardableResult
    package func unlock() -> Bool {
        if mp_lock_leave(word.address) { return true }
        return unlockSlowly()
    }

    @inline(never)
    private func unlockSlowly() -> Bool {
        var state = LockState(rawValue: word.load())
        let number = LifePage.number
        while number != 0, let (next, wakes) = state.leaving(as: number) {
            let (isDone, original) = word.compareExchange(expected: state.rawValue, desired: next.rawValue)
            if isDone {
                if wakes { word.wake(1) }
                return true
            }
            state = LockState(rawValue: original)
        }
        return false
    }

    /// Says that what the lock guards is in order again after a death; `false` if this process does not have it.
    @discardableResult
    package func markRecovered() -> Bool {
        var state = LockState(rawValue: word.load())
        let number = LifePage.number
        while number != 0, let next = state.recovered(by: number) {
            let (isDone, original) = word.compareExchange(expected: state.rawValue, desired: next.rawValue)
            if isDone { return true }
            state = LockState(rawValue: original)
        }
        return false
    }

    /// Whether this process has the lock.
    package var isMine: Bool {
        let number = LifePage.number
        return number != 0 && LockState(rawValue: word.load()).owner == number
    }

    /// What it says now.
    package var state: LockState { LockState(rawValue: word.load()) }
}

import Distributed
import MultiprocessingSystem
import Synchronization

/// The actors of this process, and the door through which others come to call them.
///
/// One that others were told of is kept while they have references to it, and for a while after the last was sent or
/// let go of: one that is on its way is counted by nobody.
final class HostedActors: Sendable {
    private struct Entry {
        weak var actor: (any DistributedActor)?
        /// The same, for as long as others may call it.
        var kept: (any DistributedActor)?
        /// How many references others have.
        var holders = 0
        /// Until when it is kept without any.
        var graceEnd = MonotonicTime(nanoseconds: 0)
        /// Whether a timer will look at it.
        var isWatched = false
        /// What is called when it is gone.
        var endings: [@Sendable () -> Void] = []
    }

    private struct State {
        var entries: [UInt64: Entry] = [:]
        /// Where others find this process.
        var address: ActorAddress
        var door: ActorDoor?
    }

    private let state: Mutex<State>
    /// Held while the door is made.
    private let opening = Mutex(())
    private let origin = ForkMark()

    /// How long a reference may be on its way; in nanoseconds.
    let grace = Atomic<UInt64>(60_000_000_000)

    init(at address: ActorAddress) {
        state = Mutex(State(address: address))
    }

    var address: ActorAddress { state.withLock { $0.address } }

    /// Has others find this process where they found another, which has died.
    ///
    /// - Throws: ``ActorCallError/Code/unavailable`` when the address is taken, or this process is known by another.
    func adopt(_ address: ActorAddress) throws {
        let isFree = state.withLock { state in
            guard state.door == nil, state.entries.isEmpty else { return false }
            state.address = address
            return true
        }
        guard isFree else { throw ActorCallError.unavailable(PortableFailure.unexpectedResult) }
        try open()
    }

    /// Keeps an actor for as long as the process, also under another number.
    func keep(_ number: UInt64, as other: UInt64) {
        state.withLock { state in
            guard var entry = state.entries[number], let actor = entry.actor else { return }
            entry.kept = actor
            entry.holders += 1
            state.entries[other] = entry
        }
    }

    /// A number that nobody can guess: another program may call an actor whose number it knows.
    func makeNumber() -> UInt64 { .random(in: 1...(.max)) }

    func add(_ actor: any DistributedActor, _ number: UInt64) {
        state.withLock { $0.entries[number] = Entry(actor: actor) }
    }

    /// Forgets an actor, which nobody has any more.
    func remove(_ number: UInt64) {
        // Its last reference may go with the entry.
        let entry = state.withLock { $0.entries.removeValue(forKey: number) }
        entry?.endings.forEach { $0() }
        withExtendedLifetime(entry) {}
    }

    func contains(_ number: UInt64) -> Bool {
        state.withLock { $0.entries[number] != nil }
    }

    /// Calls `body`, which does not block, when an actor is gone; at once if there is none.
    func onEnd(of number: UInt64, _ body: @escaping @Sendable () -> Void) {
        let isThere = state.withLock { state in
            state.entries[number]?.endings.append(body)
            return state.entries[number] != nil
        }
        if !isThere { body() }
    }

    func actor(_ number: UInt64) -> (any DistributedActor)? {
        state.withLock { $0.entries[number]?.actor }
    }

    /// Lets other processes call an actor, to which a reference is about to be sent.
    ///
    /// - Throws: ``ActorCallError/Code/unavailable``.
    func export(_ number: UInt64) throws {
        try open()
        change(number) { _ in }
    }

    /// Keeps an actor for another program, to which a reference is about to be sent.
    func offer(_ number: UInt64) {
        change(number) { _ in }
    }

    /// Another process has a reference.
    func hold(_ number: UInt64) {
        change(number) { $0.holders += 1 }
    }

    /// References of another process are gone.
    func drop(_ number: UInt64, _ count: Int) {
        change(number) { $0.holders = max($0.holders - count, 0) }
    }

    private func change(_ number: UInt64, _ body: (inout Entry) -> Void) {
        let grace = Duration.nanoseconds(Int64(clamping: self.grace.load(ordering: .relaxed)))
        let mustWatch = state.withLock { state in
            guard var entry = state.entries[number], let actor = entry.actor else { return false }
            entry.kept = actor
            body(&entry)
            entry.graceEnd = .now().advanced(by: grace)
            let mustWatch = entry.holders == 0 && !entry.isWatched
            if mustWatch { entry.isWatched = true }
            state.entries[number] = entry
            return mustWatch
        }
        if mustWatch { watch(number, after: grace) }
    }

    /// Looks at an actor later, and lets go of it if nobody has a reference then.
    private func watch(_ number: UInt64, after delay: Duration) {
        guard let loop = try? ActorLoop.shared() else { return }
        loop.events.schedule(after: delay) { self.look(at: number) }
    }

    private func look(at number: UInt64) {
        enum Fate {
            case kept
            case letGo((any DistributedActor)?)
            case later(Duration)
        }
        let now = MonotonicTime.now()
        let fate: Fate = state.withLock { state in
            guard var entry = state.entries[number] else { return .kept }
            guard entry.holders == 0 else {
                entry.isWatched = false
                state.entries[number] = entry
                return .kept
            }
            guard now >= entry.graceEnd else { return .later(entry.graceEnd.duration(since: now)) }
            let kept = entry.kept
            entry.isWatched = false
            entry.kept = nil
            state.entries[number] = entry
            return .letGo(kept)
        }
        // Its last reference may go here, outside of the lock.
        if case .later(let delay) = fate { watch(number, after: delay) }
        withExtendedLifetime(fate) {}
    }

    /// Lets go of an actor that was kept for others, unless they have references to it.
    func letGo(_ number: UInt64) {
        let kept = state.withLock { state in
            guard state.entries[number]?.holders == 0 else { return nil as (any DistributedActor)? }
            return state.entries[number]?.kept.take()
        }
        // Its last reference may go here, outside of the lock.
        withExtendedLifetime(kept) {}
    }

    /// Lets go of an actor that was kept for others, who cannot call it any more.
    func withdraw(_ number: UInt64) {
        let entry = state.withLock { $0.entries.removeValue(forKey: number) }
        entry?.endings.forEach { $0() }
        // Its last reference goes here, outside of the lock, which the actor's end takes again.
        withExtendedLifetime(entry) {}
    }

    /// Listens, from now on.
    ///
    /// - Throws: ``ActorCallError/Code/unavailable``.
    func open() throws {
        if origin.isElsewhere { throw ActorCallError.inFork() }
        if state.withLock({ $0.door != nil }) { return }
        let loop = try ActorLoop.shared()
        // One at a time: two threads may have come to open it, of whom only one can have the name.
        try opening.withLock { _ in
            if state.withLock({ $0.door != nil }) { return }
            do {
                let door = try ActorDoor(at: self.address, on: loop, to: self)
                state.withLock { $0.door = door }
            } catch {
                throw ActorCallError.unavailable(error)
            }
        }
    }
}

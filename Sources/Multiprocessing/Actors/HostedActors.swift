import Distributed
import MultiprocessingSystem
import Synchronization

/// The actors of this process, and the door through which others come to call them.
final class HostedActors: Sendable {
    private struct Entry {
        weak var actor: (any DistributedActor)?
        /// The same, for as long as others may call it.
        var kept: (any DistributedActor)?
    }

    private struct State {
        var entries: [UInt64: Entry] = [:]
        var count: UInt64 = 0
        var door: ActorDoor?
    }

    private let address: ActorAddress
    private let state = Mutex(State())

    init(at address: ActorAddress) {
        self.address = address
    }

    func makeNumber() -> UInt64 {
        state.withLock { state in
            state.count += 1
            return state.count
        }
    }

    func add(_ actor: any DistributedActor, _ number: UInt64) {
        state.withLock { $0.entries[number] = Entry(actor: actor) }
    }

    /// Forgets an actor, which nobody has any more.
    func remove(_ number: UInt64) {
        // Its last reference may go with the entry.
        _ = state.withLock { $0.entries.removeValue(forKey: number) }
    }

    func actor(_ number: UInt64) -> (any DistributedActor)? {
        state.withLock { $0.entries[number]?.actor }
    }

    /// Lets other processes call an actor, for which it is kept.
    ///
    /// - Throws: ``ActorCallError/Code/unavailable``.
    func export(_ number: UInt64) throws {
        try open()
        state.withLock { state in
            guard let actor = state.entries[number]?.actor else { return }
            state.entries[number]?.kept = actor
        }
    }

    /// Lets go of an actor that was kept for others, who cannot call it any more.
    func withdraw(_ number: UInt64) {
        _ = state.withLock { state in
            defer { state.entries[number] = nil }
            return state.entries[number]?.kept
        }
    }

    /// Listens, from now on.
    ///
    /// - Throws: ``ActorCallError/Code/unavailable``.
    func open() throws {
        if state.withLock({ $0.door != nil }) { return }
        let loop = try ActorLoop.shared()
        let isOpen = state.withLock { $0.door != nil }
        if isOpen { return }
        do {
            let door = try ActorDoor(at: address, on: loop, to: self)
            state.withLock { $0.door = door }
        } catch {
            // Two threads may have come to open it, of whom one has the name.
            if state.withLock({ $0.door != nil }) { return }
            throw ActorCallError.unavailable(error)
        }
    }
}

/// The socket on which a process listens for those who call its actors; open for as long as the process.
private final class ActorDoor: Sendable {
    private let socket: ListeningSocket
    private let loop: ActorLoop
    private unowned let actors: HostedActors

    init(at address: ActorAddress, on loop: ActorLoop, to actors: HostedActors) throws(SystemError) {
        socket = try ListeningSocket(abstract: address.socketName)
        self.loop = loop
        self.actors = actors
        _ = try loop.events.register(socket.number, .read) { _ in self.letIn() }
    }

    private func letIn() {
        // One that cannot be let in, for want of descriptors, is tried again as long as it waits.
        while let caller = try? socket.accept() {
            guard caller.isOfThisUser() else { continue }
            ActorCaller(caller, on: loop, to: actors).open()
        }
    }
}

import MultiprocessingSystem
import Synchronization

/// The socket on which a server listens, and the connections of those who came.
final class ManagerGate: Sendable {
    private struct Entry {
        let caller: ActorCaller
        var isProved = false
    }

    private struct State {
        var callers: [UInt64: Entry] = [:]
        var unprovedCount = 0
        var count: UInt64 = 0
        var isClosed = false
        /// Whether the socket is closed too.
        var isLetGo = false
        var registration: EventLoop.Registration?
        /// The socket, until the loop has let go of it.
        var socket: ListeningHolder?
        var waiters: [CheckedContinuation<Void, Never>] = []

        mutating func remove(_ number: UInt64) -> Entry? {
            let entry = callers.removeValue(forKey: number)
            if entry?.isProved == false { unprovedCount -= 1 }
            return entry
        }
    }

    /// `nil` for an address without a name.
    let address: ManagerAddress?

    private let local: SocketAddress
    private let loop: ActorLoop
    private let offers: ManagerOffers
    private let key: [UInt8]
    private let limits: ManagerServer.Limits
    private let state = Mutex(State())

    /// How many are let in before others of the loop have their turn.
    private static let turn = 64

    /// How long nobody is let in after one could not be, for want of descriptors.
    private static let pause = Duration.milliseconds(20)

    /// - Throws: `SystemError`, ``ActorCallError/Code/unavailable``.
    init(at address: SocketAddress, _ offers: ManagerOffers, key: [UInt8], _ limits: ManagerServer.Limits) throws {
        loop = try ActorLoop.shared()
        let socket = ListeningHolder(try ListeningSocket(at: address))
        local = try socket.socket.localAddress()
        self.address = ManagerAddress(local)
        self.offers = offers
        self.key = key
        self.limits = limits
        ForkMark.keep(socket.socket.number)
        let made = try loop.events.register(socket.socket.number, .read) { [weak self] _ in self?.letIn() }
        state.withLock { state in
            state.registration = made
            state.socket = socket
        }
    }

    var connectionCount: Int { state.withLock { $0.callers.count } }

    var isClosed: Bool { state.withLock { $0.isClosed } }

    // MARK: Who comes

    private func letIn() {
        guard let socket = state.withLock({ $0.isClosed ? nil : $0.socket }) else { return }
        do throws(SystemError) {
            for _ in 0..<Self.turn {
                guard let caller = try socket.socket.accept() else { return }
                if local.isTCP { caller.sendAtOnce() } else if !caller.isOfThisUser() { continue }
                begin(caller)
            }
        } catch {
            // Who waits stays in the queue, and would be reported at once again.
            watch(for: [])
            loop.events.schedule(after: Self.pause) { [weak self] in self?.watch(for: .read) }
        }
    }

    private func watch(for interest: Interest) {
        // Refused only once the registration has ended, and then nobody comes.
        try? state.withLock { $0.registration }?.setInterest(interest)
    }

    /// Has one who came prove itself; where too many have not, in place of the one that has taken longest.
    private func begin(_ socket: consuming Socket) {
        let (number, late): (UInt64?, ActorCaller?) = state.withLock { state in
            guard !state.isClosed, state.callers.count < limits.connections + 1 else { return (nil, nil) }
            var late: ActorCaller?
            if state.unprovedCount >= limits.unprovedConnections || state.callers.count >= limits.connections {
                let oldest = state.callers.filter { !$0.value.isProved }.min { $0.key < $1.key }
                guard let oldest else { return (nil, nil) }
                late = state.remove(oldest.key)?.caller
            }
            state.count += 1
            state.unprovedCount += 1
            return (state.count, late)
        }
        late?.close()
        guard let number else { return }
        let system = WorkerActorSystem.shared
        let guest = Guest(offers, system.hosted, at: system.address)
        let handshake = Handshake(as: .server(system.address), key: key)
        let proof = ActorLink.Proof(handshake, within: limits.proofTimeout)
        let caller = ActorCaller(socket, on: loop, to: system.hosted, proof, as: guest)
        state.withLock { $0.callers[number] = Entry(caller: caller) }
        _ = caller.onEnd { [weak self] in self?.ended(number) }
        caller.open { [weak self] in self?.proved(number) }
        // Closed meanwhile, it would have been missed.
        if isClosed { caller.close() }
    }

    private func proved(_ number: UInt64) {
        state.withLock { state in
            guard state.callers[number]?.isProved == false else { return }
            state.callers[number]?.isProved = true
            state.unprovedCount -= 1
        }
    }

    private func ended(_ number: UInt64) {
        // Let go of outside of the lock.
        let entry = state.withLock { $0.remove(number) }
        withExtendedLifetime(entry) {}
    }

    // MARK: The end

    /// Listens no more, and ends all connections; any thread may call it, and again.
    func close() {
        let (registration, callers) = state.withLock { state in
            state.isClosed = true
            return (state.registration.take(), state.callers.values.map(\.caller))
        }
        for caller in callers { caller.close() }
        guard let registration else { return }
        registration.deregister()
        local.removeFile()
        // The loop may be about to use the socket.
        loop.events.execute { self.letGo() }
    }

    private func letGo() {
        var socket = state.withLock { $0.socket.take() }
        if let socket { ForkMark.release(socket.socket.number) }
        // Closed here, and the address is free.
        socket = nil
        let waiters = state.withLock { state in
            state.isLetGo = true
            defer { state.waiters = [] }
            return state.waiters
        }
        for waiter in waiters { waiter.resume() }
    }

    /// Returns when the socket is not used any more.
    func waitUntilClosed() async {
        await withCheckedContinuation { waiter in
            let isOver = state.withLock { state in
                if !state.isLetGo { state.waiters.append(waiter) }
                return state.isLetGo
            }
            if isOver { waiter.resume() }
        }
    }
}

/// Has a socket be shared, and closed with the last who has it.
private final class ListeningHolder: Sendable {
    let socket: ListeningSocket

    init(_ socket: consuming ListeningSocket) {
        self.socket = socket
    }
}

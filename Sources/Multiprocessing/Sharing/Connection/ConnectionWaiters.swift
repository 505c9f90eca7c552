import MultiprocessingSystem
import Synchronization

/// Who waits for one socket without blocking: one thread of the process looks for all sockets.
///
/// Whoever is told tries again, and waits again if another was first.
final class ConnectionWaiters: Sendable {
    typealias WaitEnd = ConnectionEnd.WaitEnd

    private struct Waiter {
        let id: UInt64
        let interest: Interest
        let end: @Sendable (WaitEnd) -> Void
    }

    private struct State {
        var waiters: [Waiter] = []
        /// Waits that ended before they began.
        var endedEarly: [UInt64: WaitEnd] = [:]
        var lastID: UInt64 = 0
        /// The watch that the loop keeps, and the socket that stays open for it, while somebody waits.
        var watch: (registration: EventLoop.Registration, socket: OpenDescriptor)?
        var isClosed = false

        /// Takes out those who wait for something of this.
        mutating func take(_ ready: Interest) -> [Waiter] {
            let taken = waiters.filter { !$0.interest.isDisjoint(with: ready) }
            waiters.removeAll { !$0.interest.isDisjoint(with: ready) }
            return taken
        }

        var interest: Interest { waiters.reduce(into: []) { $0.formUnion($1.interest) } }

        /// Watches for what is waited for, and for nothing else.
        ///
        /// - Returns: The socket that nobody waits for any more.
        mutating func adjust() -> OpenDescriptor? {
            guard let watch else { return nil }
            if waiters.isEmpty {
                watch.registration.deregister()
                self.watch = nil
                return watch.socket
            }
            // Fails only without memory, and then who waits is told too often.
            try? watch.registration.setInterest(interest)
            return nil
        }
    }

    private let state = Mutex(State())

    deinit {
        state.withLock { $0.watch }?.registration.deregister()
    }

    /// The process's loop; another in a process that was forked off.
    private static let shared = Mutex<(loop: EventLoop, origin: ForkMark)?>(nil)

    private static func loop() throws(SystemError) -> EventLoop {
        try shared.withLock { shared throws(SystemError) in
            if let shared, !shared.origin.isElsewhere { return shared.loop }
            let made = try EventLoop(name: "mp-connections")
            shared = (made, ForkMark())
            return made
        }
    }

    /// Suspends until the socket is ready.
    nonisolated(nonsending) func wait(
        for interest: Interest, of socket: OpenDescriptor, until deadline: MonotonicTime?
    ) async throws -> WaitEnd {
        let id = makeID()
        var alarm: AlarmClock.Alarm?
        if let deadline {
            alarm = AlarmClock.shared.call(at: deadline) { self.end(id, .timedOut) }
            // Without a thread that could keep the limit, too early is better than never.
            if alarm == nil { return .timedOut }
        }
        defer {
            alarm.map(AlarmClock.shared.cancel)
            _ = state.withLock { $0.endedEarly.removeValue(forKey: id) }
        }
        let result: Result<WaitEnd, SharedStateError> = await withTaskCancellationHandler {
            await withUnsafeContinuation { continuation in
                do throws(SharedStateError) {
                    try add(id, interest, of: socket) { continuation.resume(returning: .success($0)) }
                } catch {
                    continuation.resume(returning: .failure(error))
                }
            }
        } onCancel: {
            end(id, .cancelled)
        }
        return try result.get()
    }

    /// Calls `body` once when the socket is ready, or closed here.
    func add(
        _ interest: Interest, of socket: OpenDescriptor, _ body: @escaping @Sendable (WaitEnd) -> Void
    ) throws(SharedStateError) -> UInt64 {
        let id = makeID()
        try add(id, interest, of: socket, body)
        return id
    }

    /// Forgets one that was added.
    func remove(_ id: UInt64) {
        let (waiters, socket) = state.withLock { state in
            let removed = state.waiters.filter { $0.id == id }
            state.waiters.removeAll { $0.id == id }
            return (removed, state.adjust())
        }
        _ = (waiters, socket)
    }

    /// Ends all waits, now and from now on.
    func close() {
        let (waiters, socket) = state.withLock { state in
            state.isClosed = true
            let waiters = state.take([.read, .write])
            return (waiters, state.adjust())
        }
        for waiter in waiters { waiter.end(.closed) }
        _ = socket
    }

    private func makeID() -> UInt64 {
        state.withLock { state in
            state.lastID += 1
            return state.lastID
        }
    }

    private func add(
        _ id: UInt64, _ interest: Interest, of socket: OpenDescriptor, _ body: @escaping @Sendable (WaitEnd) -> Void
    ) throws(SharedStateError) {
        let early: WaitEnd?
        do throws(SystemError) {
            let loop = try Self.loop()
            early = try state.withLock { state throws(SystemError) in
                if state.isClosed { return .closed }
                if let end = state.endedEarly.removeValue(forKey: id) { return end }
                let wanted = state.interest.union(interest)
                if let watch = state.watch {
                    try watch.registration.setInterest(wanted)
                } else {
                    let registration = try loop.register(socket.number, wanted) { [weak self] in self?.ready($0) }
                    state.watch = (registration, socket)
                }
                state.waiters.append(Waiter(id: id, interest: interest, end: body))
                return nil
            }
        } catch {
            throw .system(error)
        }
        if let early { body(early) }
    }

    /// Called on the loop.
    private func ready(_ interest: Interest) {
        let (waiters, socket) = state.withLock { state in
            let waiters = state.take(interest)
            return (waiters, state.adjust())
        }
        for waiter in waiters { waiter.end(.ready) }
        _ = socket
    }

    private func end(_ id: UInt64, _ end: WaitEnd) {
        let (waiter, socket): (Waiter?, OpenDescriptor?) = state.withLock { state in
            guard let index = state.waiters.firstIndex(where: { $0.id == id }) else {
                state.endedEarly[id] = end
                return (nil, nil)
            }
            let waiter = state.waiters.remove(at: index)
            return (waiter, state.adjust())
        }
        waiter?.end(end)
        _ = socket
    }
}

import Synchronization

/// Those who wait for a pool's workers to be ready.
struct StartWaiters {
    typealias Waiter = UnsafeContinuation<Result<Void, any Error>, Never>

    private var waiters: [UInt64: Waiter] = [:]
    private var cancelledEarly: Set<UInt64> = []
    private var nextID: UInt64 = 0

    var isEmpty: Bool { waiters.isEmpty }

    mutating func makeID() -> UInt64 {
        nextID += 1
        return nextID
    }

    /// Adds a waiter; returns false if its task was cancelled before.
    mutating func add(_ waiter: Waiter, _ id: UInt64) -> Bool {
        guard cancelledEarly.remove(id) == nil else { return false }
        waiters[id] = waiter
        return true
    }

    mutating func cancel(_ id: UInt64) -> Waiter? {
        if let waiter = waiters.removeValue(forKey: id) { return waiter }
        cancelledEarly.insert(id)
        return nil
    }

    mutating func takeAll() -> [Waiter] {
        defer { waiters = [:] }
        return Array(waiters.values)
    }

    /// Forgets a wait that is over.
    mutating func forget(_ id: UInt64) {
        cancelledEarly.remove(id)
    }
}

extension PoolCore {
    /// Starts the workers that are not alive, and suspends until none is starting any more.
    nonisolated(nonsending) func start() async throws {
        try Task.checkCancellation()
        if let refusal { throw refusal }
        let id = state.withLock { $0.startWaiters.makeID() }
        defer { state.withLock { $0.startWaiters.forget(id) } }
        let result: Result<Void, any Error> = await withCancellation(isolation: #isolation) {
            await withUnsafeContinuation { waiter in
                // Before the starts, so that none of them can end unseen.
                if state.withLock({ $0.startWaiters.add(waiter, id) }) {
                    perform { $0.startAll() }
                    settleStarts()
                } else {
                    waiter.resume(returning: .failure(CancellationError()))
                }
            }
        } onCancel: {
            state.withLock { $0.startWaiters.cancel(id) }?.resume(returning: .failure(CancellationError()))
        }
        try result.get()
    }

    /// Tells those who wait for the workers that they are ready, that one is not to be had, or that the pool has ended.
    func settleStarts() {
        let (waiters, isOpen, error) = state.withLock { state in
            guard !state.startWaiters.isEmpty else { return ([StartWaiters.Waiter](), true, nil as PoolError?) }
            let error = state.scheduler.startFailure
            let isOpen = state.scheduler.phase == .open
            let isSettled = error != nil || !isOpen || !state.scheduler.isStarting
            return (isSettled ? state.startWaiters.takeAll() : [], isOpen, error)
        }
        let result: Result<Void, any Error> =
            if let error { .failure(error) } else if isOpen { .success(()) } else { .failure(PoolError.poolShutDown) }
        for waiter in waiters { waiter.resume(returning: result) }
    }
}

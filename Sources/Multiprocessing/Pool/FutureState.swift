import Dispatch
import Synchronization

/// A single work item's chunk as those see it who wait for its result.
///
/// Waiting, completing and cancelling are safe from any thread. The first outcome counts;
/// what comes later is dropped.
class FutureState<Output: Sendable>: Chunk, @unchecked Sendable {
    typealias Outcome = Result<Output, any Error>
    typealias Waiter = UnsafeContinuation<Outcome, Never>

    private struct Pending {
        /// Tasks that wait, by a number of their own.
        var waiters: [(id: Int, continuation: Waiter)] = []
        /// Tasks that were cancelled before they got to wait.
        var cancelledEarly: Set<Int> = []
        var nextID = 0
        var callbacks: [@Sendable (Outcome) -> Void] = []
        /// Wake-ups of blocked threads: they do nothing that could block, so they run where the item ends.
        var wakeUps: [Int: @Sendable () -> Void] = [:]
        /// Whether this future keeps its pool alive, because somebody can still see the result.
        var isObserved = false
        var core: PoolCore?
    }

    private enum State {
        case pending(Pending)
        case finished(Outcome)
    }

    private let state: Mutex<State>

    // The owner's: see Chunk. Kept until the chunk ends, so that whoever is told then finds the worker free.
    private var settled: Outcome?

    init(core: PoolCore) {
        state = Mutex(.pending(Pending(core: core)))
        super.init(count: 1)
    }

    /// A future that failed before there was a chunk to submit.
    init(failed error: any Error) {
        state = Mutex(.finished(.failure(error)))
        super.init(count: 1)
    }

    // MARK: Completing

    /// Settles the outcome and resumes whoever waits; without effect when it is settled.
    final func finish(_ outcome: Outcome) {
        let pending: Pending? = state.withLock { state in
            guard case .pending(let pending) = state else { return nil }
            state = .finished(outcome)
            return pending
        }
        guard let pending else { return }
        for waiter in pending.waiters {
            waiter.continuation.resume(returning: outcome)
        }
        for wakeUp in pending.wakeUps.values { wakeUp() }
        if !pending.callbacks.isEmpty {
            let callbacks = pending.callbacks
            let queue = pending.core?.callbackQueue ?? DispatchQueue.global()
            queue.async {
                for callback in callbacks { callback(outcome) }
            }
        }
        if pending.isObserved {
            pending.core?.removeObserver()
        }
    }

    /// Takes how the item ended.
    final func settle(_ outcome: Outcome) {
        finishedCount = 1
        settled = outcome
    }

    final override func receiveFailure(_ error: any Error) {
        settle(.failure(error))
    }

    final override func abandon(_ error: any Error) {
        finish(.failure(error))
    }

    override func end(failing error: any Error, nanoseconds: UInt64) {
        finish(settled.take() ?? .failure(error))
    }

    // MARK: Waiting

    final var isFinished: Bool { outcome != nil }

    final var outcome: Outcome? {
        state.withLock { state in
            guard case .finished(let outcome) = state else { return nil }
            return outcome
        }
    }

    /// Suspends until the outcome is settled.
    ///
    /// When the waiting task is cancelled it gets `CancellationError`, and the item is cancelled
    /// too unless somebody else waits for it.
    nonisolated(nonsending) final func wait() async -> Outcome {
        if let outcome { return outcome }
        let id: Int? = state.withLock { state in
            guard case .pending(var pending) = state else { return nil }
            defer {
                pending.nextID += 1
                state = .pending(pending)
            }
            return pending.nextID
        }
        return await withTaskCancellationHandler {
            await withUnsafeContinuation { continuation in
                let outcome = addWaiter(continuation, id: id ?? 0)
                if let outcome { continuation.resume(returning: outcome) }
            }
        } onCancel: {
            if let id { cancelWaiter(id) }
        }
    }

    /// Returns the outcome when there is nothing to wait for.
    private func addWaiter(_ continuation: Waiter, id: Int) -> Outcome? {
        state.withLock { state in
            switch state {
            case .finished(let outcome):
                return outcome
            case .pending(var pending):
                if pending.cancelledEarly.remove(id) != nil {
                    state = .pending(pending)
                    return .failure(CancellationError())
                }
                pending.waiters.append((id, continuation))
                state = .pending(pending)
                return nil
            }
        }
    }

    private func cancelWaiter(_ id: Int) {
        let (waiter, isLast): (Waiter?, Bool) = state.withLock { state in
            guard case .pending(var pending) = state else { return (nil, false) }
            var waiter: Waiter?
            if let index = pending.waiters.firstIndex(where: { $0.id == id }) {
                waiter = pending.waiters.remove(at: index).continuation
            } else {
                pending.cancelledEarly.insert(id)
            }
            state = .pending(pending)
            return (waiter, pending.waiters.isEmpty && pending.callbacks.isEmpty && pending.wakeUps.isEmpty)
        }
        if isLast { cancelItem() }
        waiter?.resume(returning: .failure(CancellationError()))
    }

    /// Calls `body` once with the outcome: now and here if it is settled, else on the pool's callback queue.
    final func onCompletion(_ body: @escaping @Sendable (Outcome) -> Void) {
        let outcome: Outcome? = state.withLock { state in
            switch state {
            case .finished(let outcome):
                return outcome
            case .pending(var pending):
                pending.callbacks.append(body)
                // The handler will see the result, so the pool must live to give it.
                if !pending.isObserved, let core = pending.core {
                    pending.isObserved = true
                    core.addObserver()
                }
                state = .pending(pending)
                return nil
            }
        }
        if let outcome { body(outcome) }
    }

    /// Calls `wakeUp` once when the outcome is settled, or at once if it is; it must not block.
    ///
    /// - Returns: What ``removeWakeUp(_:)`` takes; `nil` when it was called at once.
    @discardableResult
    final func onSettled(_ wakeUp: @escaping @Sendable () -> Void) -> Int? {
        let id: Int? = state.withLock { state in
            guard case .pending(var pending) = state else { return nil }
            defer { state = .pending(pending) }
            pending.nextID += 1
            pending.wakeUps[pending.nextID] = wakeUp
            return pending.nextID
        }
        if id == nil { wakeUp() }
        return id
    }

    /// Forgets a wake-up that nobody waits for any more.
    final func removeWakeUp(_ id: Int) {
        let removed: (@Sendable () -> Void)? = state.withLock { state in
            guard case .pending(var pending) = state else { return nil }
            defer { state = .pending(pending) }
            return pending.wakeUps.removeValue(forKey: id)
        }
        // Released here, outside of the lock.
        _ = removed
    }

    // MARK: Cancelling

    /// Settles the outcome as cancelled and stops the item: it never starts, or is told.
    final func cancelItem() {
        let core: PoolCore? = state.withLock { state in
            guard case .pending(let pending) = state else { return nil }
            return pending.core
        }
        guard let core else { return }
        finish(.failure(CancellationError()))
        core.cancel(self)
    }

    // MARK: Being watched

    /// Counts a future that a caller holds.
    final func addHolder() {
        state.withLock { state in
            guard case .pending(var pending) = state, let core = pending.core else { return }
            pending.isObserved = true
            state = .pending(pending)
            core.addObserver()
        }
    }

    /// The caller let go of the future; a completion handler may still want the result.
    final func removeHolder() {
        let core: PoolCore? = state.withLock { state in
            guard case .pending(var pending) = state, pending.isObserved, pending.callbacks.isEmpty else { return nil }
            pending.isObserved = false
            state = .pending(pending)
            return pending.core
        }
        core?.removeObserver()
    }
}

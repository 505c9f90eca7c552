import Dispatch
import MultiprocessingSystem
import Synchronization

/// A single work item's chunk as those see it who wait for its end, whatever its value is.
///
/// Waiting, completing and cancelling are safe from any thread. The first outcome counts;
/// what comes later is dropped. Not generic, so that none of it has to look up types.
class PendingItem: Chunk, @unchecked Sendable {
    /// How a wait for an item ends.
    enum WaitEnd {
        case finished
        /// The waiting task was cancelled.
        case cancelled
        /// The wait took as long as it may.
        case timedOut
    }

    private typealias Waiter = UnsafeContinuation<WaitEnd, Never>

    /// What few items have: all who are told of the end, but for the first task that waits.
    ///
    /// Sendable is unchecked because it is guarded as the state that it is part of; then it is his who ended the item.
    private final class Others: @unchecked Sendable {
        /// Tasks that wait, by a number of their own.
        var waiters: [(id: Int, continuation: Waiter)] = []
        /// Waits that ended before they began, by cancellation or by time.
        var endedEarly: [Int: WaitEnd] = [:]
        var callbacks: [@Sendable (PendingItem) -> Void] = []
        /// Wake-ups of blocked threads: they do nothing that could block, so they run where the item ends.
        var wakeUps: [Int: @Sendable () -> Void] = [:]
    }

    private struct State {
        /// The task that waits, if one does, by a number of its own.
        var waiter: (id: Int, continuation: Waiter)?
        var others: Others?
        var nextID = 0
        /// Whether this item keeps its pool alive, because somebody can still see the result.
        var isObserved = false
        /// Whether this is one attempt of several, which do not end the reports.
        var isAttempt = false
        /// The pool, while the item is pending.
        var core: PoolCore?
        /// What the item says while it runs; made when somebody reads it or it says something.
        var reports: ItemReports?

        mutating func knownReports() -> ItemReports {
            if let reports { return reports }
            let made = ItemReports()
            reports = made
            return made
        }

        mutating func knownOthers() -> Others {
            if let others { return others }
            let made = Others()
            others = made
            return made
        }

        /// Takes the waiter with this number.
        mutating func takeWaiter(_ id: Int) -> Waiter? {
            if let waiter, waiter.id == id {
                self.waiter = nil
                return waiter.continuation
            }
            guard let index = others?.waiters.firstIndex(where: { $0.id == id }) else { return nil }
            return others?.waiters.remove(at: index).continuation
        }

        /// Whether nobody waits for the item's end.
        var isUnwanted: Bool {
            guard waiter == nil else { return false }
            guard let others else { return true }
            return others.waiters.isEmpty && others.callbacks.isEmpty && others.wakeUps.isEmpty
        }
    }

    private let state: Mutex<State>

    private let callerContext: CallerContext

    /// Follows `state`, for a look without the lock; set after what the outcome is was stored.
    private let finished: Atomic<Bool>

    /// The process that the item was submitted in.
    private let origin = ForkMark()

    /// Whether the item is pending in another process, which this one was forked off: here it never ends.
    final var isElsewhere: Bool { origin.isElsewhere && !isFinished }

    /// The error that the item ended with; not changed any more once the item is finished.
    @exclusivity(unchecked) private(set) final var failure: (any Error)?

    /// An item of a pool, which is kept alive for its result if somebody has the future.
    ///
    /// - Parameter caller: Who asked for it, if that is not the current task.
    init(core: PoolCore, caller: CallerContext? = nil) {
        state = Mutex(State(core: core))
        callerContext = caller ?? (core.needsPortableWork ? .none : .current(isForOne: true))
        finished = Atomic(false)
        super.init(count: 1)
    }

    /// Something of no pool that is waited for as an item is; who makes it ends it, and nobody else does.
    init() {
        state = Mutex(State())
        callerContext = .none
        finished = Atomic(false)
        super.init(count: 1)
    }

    /// An item that failed before there was a chunk to submit.
    init(failed error: any Error) {
        state = Mutex(State())
        callerContext = .none
        finished = Atomic(true)
        failure = error
        super.init(count: 1)
    }

    final override var caller: CallerContext { callerContext }

    /// Whether the item has ended.
    ///
    /// Safe from any thread.
    final var isFinished: Bool { finished.load(ordering: .acquiring) }

    // MARK: Completing

    /// Ends the item and resumes whoever waits; without effect when it has ended.
    ///
    /// - Parameter error: Why there is no value; `nil` if there is one.
    /// - Returns: Whether this was the item's end.
    @discardableResult
    final func finish(failing error: (any Error)?) -> Bool {
        var last = State()
        let isEnd = state.withLock { state in
            guard !finished.load(ordering: .relaxed) else { return false }
            failure = error
            finished.store(true, ordering: .releasing)
            swap(&state, &last)
            return true
        }
        guard isEnd else { return false }
        last.waiter?.continuation.resume(returning: .finished)
        if let others = last.others { tell(others, last.core) }
        if !last.isAttempt { last.reports?.finish() }
        if last.isObserved { last.core?.removeObserver() }
        return true
    }

    /// Tells of the end.
    private func tell(_ others: Others, _ core: PoolCore?) {
        for waiter in others.waiters { waiter.continuation.resume(returning: .finished) }
        for wakeUp in others.wakeUps.values { wakeUp() }
        let callbacks = others.callbacks
        guard !callbacks.isEmpty else { return }
        let queue = core?.callbackQueue ?? DispatchQueue.global()
        queue.async { [self] in
            for callback in callbacks { callback(self) }
        }
    }

    final override func abandon(_ error: any Error) {
        finish(failing: error)
    }

    // MARK: Waiting

    /// Suspends until the item has ended.
    ///
    /// When the waiting task is cancelled it need not wait, and the item is cancelled too
    /// unless somebody else waits for it.
    ///
    /// - Parameter deadline: When to give up, which leaves the item running; `nil` for never.
    nonisolated(nonsending) final func waitUntilFinished(by deadline: MonotonicTime? = nil) async -> WaitEnd {
        if isFinished { return .finished }
        let id = state.withLock { state in
            state.nextID += 1
            return state.nextID
        }
        var alarm: AlarmClock.Alarm?
        if let deadline {
            alarm = AlarmClock.shared.call(at: deadline) { self.endWait(id, .timedOut)?.resume(returning: .timedOut) }
            // Without a thread that could keep the limit, too early is better than never.
            if alarm == nil { return .timedOut }
        }
        defer { alarm.map(AlarmClock.shared.cancel) }
        return await withCancellation(isolation: #isolation) {
            await withUnsafeContinuation { continuation in
                if let answer = addWaiter(continuation, id: id) { continuation.resume(returning: answer) }
            }
        } onCancel: {
            cancelWaiter(id)
        }
    }

    /// Returns the answer when there is nothing to wait for.
    private func addWaiter(_ continuation: Waiter, id: Int) -> WaitEnd? {
        state.withLock { state in
            if finished.load(ordering: .relaxed) { return .finished }
            if let others = state.others, let end = others.endedEarly.removeValue(forKey: id) { return end }
            if state.waiter == nil {
                state.waiter = (id, continuation)
            } else {
                state.knownOthers().waiters.append((id, continuation))
            }
            return nil
        }
    }

    private func cancelWaiter(_ id: Int) {
        let waiter = endWait(id, .cancelled)
        if state.withLock({ !finished.load(ordering: .relaxed) && $0.isUnwanted }) { cancelItem() }
        waiter?.resume(returning: .cancelled)
    }

    /// Ends a wait before the item has ended; returns whom to tell, if there is somebody yet.
    private func endWait(_ id: Int, _ end: WaitEnd) -> Waiter? {
        state.withLock { state in
            guard !finished.load(ordering: .relaxed) else { return nil }
            if let waiter = state.takeWaiter(id) { return waiter }
            state.knownOthers().endedEarly[id] = end
            return nil
        }
    }

    /// Calls `body` once when the item has ended: now and here if it has, else on the pool's callback queue.
    ///
    /// - Parameter body: Gets the item, so that it need not keep it.
    final func onFinished(_ body: @escaping @Sendable (PendingItem) -> Void) {
        let isPending = state.withLock { state in
            guard !finished.load(ordering: .relaxed) else { return false }
            state.knownOthers().callbacks.append(body)
            // The handler will see the result, so the pool must live to give it.
            if !state.isObserved, let core = state.core {
                state.isObserved = true
                core.addObserver()
            }
            return true
        }
        if !isPending { body(self) }
    }

    /// Calls `wakeUp` once when the item has ended, or at once if it has; it must not block.
    ///
    /// - Returns: What ``removeWakeUp(_:)`` takes; `nil` when it was called at once.
    @discardableResult
    final func onSettled(_ wakeUp: @escaping @Sendable () -> Void) -> Int? {
        let id: Int? = state.withLock { state in
            guard !finished.load(ordering: .relaxed) else { return nil }
            state.nextID += 1
            state.knownOthers().wakeUps[state.nextID] = wakeUp
            return state.nextID
        }
        if id == nil { wakeUp() }
        return id
    }

    /// Forgets a wake-up that nobody waits for any more.
    final func removeWakeUp(_ id: Int) {
        // Released outside of the lock.
        _ = state.withLock { state in state.others?.wakeUps.removeValue(forKey: id) }
    }

    // MARK: Progress

    final override func receiveProgress(_ fraction: Double, _ text: String) {
        let reports = state.withLock { finished.load(ordering: .relaxed) ? nil : $0.knownReports() }
        reports?.add(fraction, text)
    }

    /// What the item says while it runs, from now on; `nil` if it has ended.
    final var reports: ItemReports? {
        state.withLock { finished.load(ordering: .relaxed) ? nil : $0.knownReports() }
    }

    /// Notes that this is one attempt of an item, and that what it says is said of the item.
    final func become(attemptOf item: PendingItem) {
        let reports = item.reports
        state.withLock { state in
            state.reports = reports
            state.isAttempt = true
        }
    }

    // MARK: Cancelling

    /// Ends the item as cancelled and stops its work: it never starts, or is told.
    final func cancelItem() {
        guard let core = state.withLock({ $0.core }), finish(failing: CancellationError()) else { return }
        cancelWork(in: core)
    }

    /// Has the work stopped of an item that was cancelled.
    func cancelWork(in core: PoolCore) { core.cancel(self) }

    // MARK: Being watched

    /// Counts a future that a caller holds.
    final func addHolder() {
        state.withLock { state in
            guard !state.isObserved, let core = state.core else { return }
            state.isObserved = true
            core.addObserver()
        }
    }

    /// The caller let go of the future; a completion handler may still want the result.
    final func removeHolder() {
        if isFinished { return }
        let core: PoolCore? = state.withLock { state in
            guard state.isObserved, state.others?.callbacks.isEmpty ?? true else { return nil }
            state.isObserved = false
            return state.core
        }
        core?.removeObserver()
    }
}

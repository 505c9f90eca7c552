import Synchronization

/// A single work item that is tried again when it fails as its policy says.
///
/// It is no chunk that a worker gets: each attempt is one of its own, so that what comes late of an attempt that was
/// given up cannot be taken for the next one's.
final class RetriedItem<Output: Sendable>: PendingValue<Output>, @unchecked Sendable {
    private struct Plan {
        let core: PoolCore
        let policy: RetryPolicy
        let makeAttempt: @Sendable () -> PendingValue<Output>
        /// The latest attempt.
        var current: PendingValue<Output>?
    }

    /// What is still to be done; `nil` once the item has ended.
    private let plan: Mutex<Plan?>

    /// Encodes the input when the pool's workers are other processes; once, for all attempts.
    ///
    /// - Throws: ``PoolError`` when the input or the work cannot be sent.
    init<Input: Sendable>(
        core: PoolCore,
        input: Input,
        work: ItemFunction<Input, Output>,
        options: CallOptions,
        _ policy: RetryPolicy
    ) throws {
        let caller = core.needsPortableWork ? CallerContext.none : .current(isForOne: false)
        let portable = core.needsPortableWork ? try work.portableChunk(of: input) : nil
        let kept = portable == nil ? input : nil
        plan = Mutex(
            Plan(core: core, policy: policy) {
                SingleChunk(
                    core: core, input: kept, portable: portable, work: work, caller: caller, options: options)
            })
        super.init(core: core, caller: caller)
    }

    /// Submits the first attempt; once.
    func start() {
        begin(1) { $0.submit($1) }
    }

    /// Makes an attempt and submits it, unless the item has ended meanwhile.
    private func begin(_ number: Int, _ submit: (PoolCore, Chunk) -> Void) {
        guard let make = plan.withLock({ $0?.makeAttempt }) else { return }
        let attempt = make()
        attempt.attempt = number
        let core = plan.withLock { plan in
            plan?.current = attempt
            return plan?.core
        }
        guard let core else { return }
        attempt.become(attemptOf: self)
        attempt.onSettled { [unowned attempt] in self.attemptEnded(attempt) }
        submit(core, attempt)
    }

    /// Called where the attempt ends, which may be any thread.
    private func attemptEnded(_ attempt: PendingValue<Output>) {
        guard let outcome = attempt.outcome, let (core, policy) = plan.withLock({ $0.map { ($0.core, $0.policy) } })
        else { return }
        if case .failure(let error) = outcome, core.takesRetries,
            policy.wants(anotherAfter: attempt.attempt, failing: error)
        {
            let pause = policy.delay.pause(after: attempt.attempt)
            return begin(attempt.attempt + 1) { $0.retry($1, after: pause) }
        }
        guard plan.withLock({ $0.take() }) != nil else { return }
        switch outcome {
        case .success(let value): settle(value)
        case .failure(let error): settle(failing: policy.told(error, ofAttempt: attempt.attempt))
        }
        end(failing: CancellationError(), nanoseconds: 0)
    }

    override func cancelWork(in core: PoolCore) {
        guard let attempt = plan.withLock({ $0.take() })?.current else { return }
        core.cancel(attempt)
    }
}

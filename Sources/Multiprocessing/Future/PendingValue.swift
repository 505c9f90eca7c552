import MultiprocessingSystem

/// A single work item's chunk, with its value once it has one.
class PendingValue<Output: Sendable>: PendingItem, @unchecked Sendable {
    typealias Outcome = Result<Output, any Error>

    // The owner's until the item is finished: see Chunk. Then, if there is no failure, nobody's to
    // change.
    @exclusivity(unchecked) private var value = ValueSlot()

    // The owner's. Kept until the chunk ends, so that whoever is told then finds the worker free.
    @exclusivity(unchecked) private var settledFailure: (any Error)?

    deinit {
        value.clear(Output.self)
    }

    /// How the item ended; `nil` while it is pending.
    final var outcome: Outcome? {
        isFinished ? finalOutcome : nil
    }

    private var finalOutcome: Outcome {
        if let failure { return .failure(failure) }
        guard !value.isEmpty else { fatalError("an item ended without a value and without an error") }
        return .success(value.value())
    }

    // MARK: Completing

    /// Takes the value with which the item ended.
    final func settle(_ output: Output) {
        value.put(output)
        finishedCount = 1
    }

    /// Takes the error with which the item ended.
    final func settle(failing error: any Error) {
        settledFailure = error
        finishedCount = 1
    }

    final override func discardResults(from start: Int) {
        guard start < finishedCount else { return }
        settledFailure = nil
        value.clear(Output.self)
        finishedCount = start
    }

    final override var failures: (count: Int, first: (any Error)?) { (settledFailure == nil ? 0 : 1, settledFailure) }

    final override func receiveFailure(_ error: any Error) {
        settle(failing: error)
    }

    override func end(failing error: any Error, nanoseconds: UInt64) {
        let failure = settledFailure.take() ?? (value.isEmpty ? error : nil)
        // A value that came too late is of no use to anybody.
        if !finish(failing: failure) { value.clear(Output.self) }
    }

    // MARK: Waiting

    /// Suspends until the outcome is settled; as ``PendingItem/waitUntilFinished(by:)``.
    nonisolated(nonsending) final func wait() async -> Outcome {
        if isElsewhere { return .failure(PoolError.forked) }
        return await waitUntilFinished() == .finished ? finalOutcome : .failure(CancellationError())
    }

    /// As ``wait()``, but not for longer than the limit.
    nonisolated(nonsending) final func wait(for limit: Duration) async -> Outcome {
        if isElsewhere { return .failure(PoolError.forked) }
        if limit <= .zero { return outcome ?? .failure(PoolError.waitTimedOut(limit)) }
        return switch await waitUntilFinished(by: .now().advanced(by: limit)) {
        case .finished: finalOutcome
        case .cancelled: .failure(CancellationError())
        case .timedOut: .failure(PoolError.waitTimedOut(limit))
        }
    }

    /// Calls `body` once with the outcome: now and here if it is settled, else on the pool's callback queue.
    final func onCompletion(_ body: @escaping @Sendable (Outcome) -> Void) {
        onFinished { item in
            // Safe: an item calls its callbacks with itself.
            body(unsafeDowncast(item, to: PendingValue<Output>.self).finalOutcome)
        }
    }
}

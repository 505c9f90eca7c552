import Dispatch
import MultiprocessingSystem

/// The result of a work item that may not have run yet.
///
/// ```swift
/// let future = pool.submit { try render(page: 7) }
/// let pixels = try await future.value
/// ```
///
/// Letting go of a future does not cancel its item.
public final class Future<Output: Sendable>: Sendable {
    let state: PendingValue<Output>

    init(_ state: PendingValue<Output>) {
        self.state = state
        state.addHolder()
    }

    /// A future of work that was refused.
    convenience init(failed error: any Error) {
        self.init(PendingValue(failed: error))
    }

    deinit {
        state.removeHolder()
    }

    /// The item's value, once there is one.
    ///
    /// Suspends until the item has ended. Several tasks may wait. Cancelling a waiting task
    /// makes it throw `CancellationError` at once; if it was the last to wait, and no completion
    /// handler is registered, the item is cancelled too.
    ///
    /// - Throws: What the item threw, `CancellationError`, or ``PoolError``.
    nonisolated(nonsending) public var value: Output {
        get async throws {
            try await state.wait().get()
        }
    }

    /// The item's value, if there is one in time.
    ///
    /// Suspends until the item has ended or the time is up, which leaves the item running: the
    /// future can be waited for again, or be cancelled. Cancelling the waiting task does what it
    /// does for ``value``.
    ///
    /// - Parameter timeout: How long to wait; zero or less does not wait.
    /// - Throws: What the item threw, `CancellationError`, or ``PoolError``: with the code
    ///   ``PoolError/Code/timedOut`` when the wait took too long.
    nonisolated(nonsending) public func value(timeout: Duration) async throws -> Output {
        try await state.wait(for: timeout).get()
    }

    /// The item's value or its error, once there is one; waits as ``value`` does.
    nonisolated(nonsending) public var result: Result<Output, any Error> {
        get async {
            await state.wait()
        }
    }

    /// Whether the item has ended, as a value, an error or cancelled.
    public var isFinished: Bool {
        state.isFinished
    }

    /// What the item says by ``Worker/report(_:_:)`` while it runs.
    ///
    /// Each sequence begins with the latest report, if there is one, and ends with the future. A reader that is slow finds at most
    /// 64 reports: the oldest are left out, never the latest. Reading it neither waits for the item nor cancels it.
    /// With ``WorkOptions/retry`` the reports of all attempts come, each of which begins anew.
    ///
    /// ```swift
    /// let future = pool.submit {
    ///     try train { step in
    ///         Worker.current?.report(step, "epoch \(Int(step * 10))")
    ///     }
    /// }
    /// for await report in future.progress {
    ///     print("\(Int(report.fraction * 100)) %, \(report.text)")
    /// }
    /// ```
    public var progress: some AsyncSequence<ProgressReport, Never> & Sendable {
        guard let reports = state.reports else { return AsyncStream<ProgressReport> { $0.finish() } }
        return reports.makeSequence()
    }

    /// Cancels the item; the future fails with `CancellationError` unless it is finished.
    ///
    /// An item that waits in the queue never starts. One that runs sees ordinary task
    /// cancellation, in a worker process too, and its worker is free again when it returns. If it has not returned after
    /// ``Pool/Configuration/gracePeriod``, its worker process is killed and replaced, with all that the item started; a
    /// thread is given up, and its place is filled.
    ///
    /// Never blocks, and does nothing when the item has ended.
    public func cancel() {
        state.cancelItem()
    }

    /// Calls `body` once, with the item's value or error.
    ///
    /// If the item has ended, `body` runs before this returns, on the calling thread; otherwise
    /// on a serial Dispatch queue that all of the pool's completion handlers share.
    /// Handlers that are added while the item is pending are called in that order.
    ///
    /// - Parameter body: What to do; it may block or call the pool, but holds up other handlers meanwhile.
    public func onCompletion(_ body: @escaping @Sendable (Result<Output, any Error>) -> Void) {
        state.onCompletion(body)
    }

    /// Blocks the calling thread until the item has ended, and returns its value.
    ///
    /// For code that is not asynchronous; a task awaits ``value``.
    ///
    /// - Parameter timeout: How long to wait; `nil` waits for ever, zero or less does not wait.
    /// - Throws: What the item threw, `CancellationError`, or ``PoolError``: with the code
    ///   ``PoolError/Code/timedOut`` when the wait took too long, which leaves the item running.
    @available(*, noasync, message: "it blocks the thread; use `try await future.value`")
    public func wait(timeout: Duration? = nil) throws -> Output {
        if let outcome = state.outcome { return try outcome.get() }
        if state.isElsewhere { throw PoolError.forked }
        let semaphore = DispatchSemaphore(value: 0)
        let wakeUp = state.onSettled { semaphore.signal() }
        defer { wakeUp.map(state.removeWakeUp) }
        if semaphore.wait(timeout: timeout.map(DispatchTime.after) ?? .distantFuture) == .success,
            let outcome = state.outcome
        {
            return try outcome.get()
        }
        throw PoolError.waitTimedOut(timeout ?? .zero)
    }
}

extension Future: CustomStringConvertible {
    /// Whether the item is pending, or the value or error that it ended with.
    public var description: String {
        switch state.outcome {
        case nil: "Future<\(Output.self)>(pending)"
        case .success(let value): "Future<\(Output.self)>(finished: \(value))"
        case .failure(is CancellationError): "Future<\(Output.self)>(cancelled)"
        case .failure(let error): "Future<\(Output.self)>(failed: \(error))"
        }
    }
}

extension DispatchTime {
    /// The moment after a delay: now if that is negative, and never if it is longer than any clock runs.
    static func after(_ delay: Duration) -> DispatchTime {
        let nanoseconds = delay.wholeNanoseconds
        // Half of what Dispatch can add, which is more than a century.
        return nanoseconds > UInt64(Int.max / 2) ? .distantFuture : .now() + .nanoseconds(Int(nanoseconds))
    }
}

extension Future: CaptureAdvising {
    static var captureAdvice: String {
        "wait for the value first, and capture that"
    }
}

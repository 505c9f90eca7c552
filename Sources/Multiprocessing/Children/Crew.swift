/// Workers that each run one function until its work is over, most often a loop over queues or connections.
///
/// Where a ``Pool`` hands items to its workers, these take their work themselves from what they are given:
///
/// ```swift
/// let crew = try Crew(.processes, workers: 4, (jobs, results)) {
///     (jobs, results) in
///     for try await job in jobs { try await results.send(resize(job)) }
/// }
/// // … send jobs, receive results …
/// jobs.close()
/// try await crew.join()
/// ```
///
/// All start at once, each with the same input. ``Worker/current`` tells them apart by its `index`, from 0. When one throws or
/// crashes the others go on; its error is that of its future in ``futures``, and ``join()`` throws it in the end. With
/// `options: .retry(.attempts(3))` the function runs again, in a new worker, where one has crashed.
///
/// A crew that is let go while nobody has its futures ends its workers.
public final class Crew<Output: Sendable>: Sendable {
    /// What each worker's function returns or throws; one for each worker, in no special order.
    public let futures: [Future<Output>]

    private let pool: Pool

    init<Input: Sendable>(
        _ backend: any Backend,
        _ workers: Int?,
        _ configuration: Pool.Configuration,
        _ options: WorkOptions,
        _ input: Input,
        work: (PoolCore) throws -> ItemFunction<Input, Output>
    ) throws {
        var configuration = configuration
        // One that has ended its function is not to run that of another, which is about to come.
        configuration.recycling.items = 1
        pool = try Pool(backend, workers: workers, configuration: configuration)
        let core = pool.core
        let call = try core.call(options)
        let work = try work(core).carrying(core.carrier)
        var futures: [Future<Output>] = []
        var starts: [() -> Void] = []
        // All are made before the first is started, so that what cannot be sent is refused before there is a worker.
        for _ in 0..<pool.workerCount {
            if let policy = call.retry {
                let item = try RetriedItem(core: core, input: input, work: work, options: call, policy)
                futures.append(Future(item))
                starts.append { item.start() }
            } else {
                let item = try SingleChunk(core: core, input: input, work: work, options: call)
                futures.append(Future(item))
                starts.append { core.submit(item) }
            }
        }
        self.futures = futures
        core.perform { $0.startAll() }
        for start in starts { start() }
        core.close()
        core.waitForStarts()
    }

    /// How many workers there were at the start.
    public var workerCount: Int { futures.count }

    /// Whether a worker still runs its function.
    public var isRunning: Bool { futures.contains { !$0.isFinished } }

    /// The processes of those workers that run at this moment; empty on threads.
    public var processIDs: [Int32] {
        (0..<futures.count).compactMap { pool.core.processID(at: $0) }
    }

    /// Suspends until every worker's function has ended and the workers are gone; returns what they returned.
    ///
    /// When the waiting task is cancelled so are the functions that run, as by ``cancel()``.
    ///
    /// - Returns: In the order of ``futures``.
    /// - Throws: The error of the first in that order that failed, once all have ended, or `CancellationError`.
    @discardableResult
    nonisolated(nonsending) public func join() async throws -> [Output] {
        var results: [Result<Output, any Error>] = []
        for future in futures { results.append(await future.result) }
        await pool.shutDown()
        try Task.checkCancellation()
        return try results.map { try $0.get() }
    }

    /// Blocks the calling thread until every worker's function has ended; returns what they returned.
    ///
    /// - Parameter timeout: How long to wait in all; `nil` waits for ever.
    /// - Returns: In the order of ``futures``.
    /// - Throws: The error of the first in that order that failed, once all have ended;
    ///   ``PoolError/Code/timedOut`` when the wait took too long, which leaves the workers running.
    @discardableResult
    public func join(timeout: Duration? = nil) throws -> [Output] {
        let clock = ContinuousClock()
        let deadline = timeout.map { clock.now + $0 }
        var results: [Result<Output, any Error>] = []
        for future in futures {
            do {
                results.append(.success(try future.wait(timeout: deadline.map { $0 - clock.now })))
            } catch {
                // Else the wait is over, and not the function.
                guard future.isFinished else { throw error }
                results.append(.failure(error))
            }
        }
        return try results.map { try $0.get() }
    }

    /// Cancels the functions that run, which see ordinary task cancellation; returns at once.
    ///
    /// What is still running after ``Pool/Configuration/gracePeriod`` is killed, and on threads given up.
    public func cancel() {
        for future in futures { future.cancel() }
    }

    /// Stops the workers now: processes are killed, and functions on threads are cancelled and given up.
    ///
    /// Suspends until the processes are gone. What was still running fails with ``PoolError/Code/shutDown``.
    public func terminate() async {
        await pool.terminate()
    }
}

/// Makes a crew for the length of `body`, and leaves no worker behind.
///
/// When `body` returns, the workers' functions are waited for, so `body` closes what they read from. When it throws, they
/// are stopped at once and the error is rethrown.
///
/// ```swift
/// let sum = try await withCrew(
///     try Crew(.processes, workers: 4, (jobs, results)) { (jobs, results) in
///         for try await job in jobs { try await results.send(job * job) }
///     }
/// ) { _ in
///     try await jobs.send(contentsOf: 1...100)
///     jobs.close()
///     var sum = 0
///     for _ in 1...100 { sum += try await results.receive() }
///     return sum
/// }
/// ```
///
/// - Parameters:
///   - crew: Made by the caller, in the call.
///   - body: Uses what the workers use; runs where the caller runs.
/// - Returns: What `body` returns.
/// - Throws: What `body` throws, and what ``Crew/join()`` throws when it returns.
nonisolated(nonsending) public func withCrew<Output: Sendable, Value>(
    _ crew: @autoclosure () throws -> Crew<Output>,
    _ body: nonisolated(nonsending) (Crew<Output>) async throws -> Value
) async throws -> Value {
    let crew = try crew()
    let value: Value
    do {
        value = try await body(crew)
    } catch {
        await crew.terminate()
        throw error
    }
    try await crew.join()
    return value
}

extension Crew: CaptureAdvising {
    static var captureAdvice: String {
        "give both a SharedQueue by which they reach each other"
    }
}

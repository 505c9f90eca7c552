import Dispatch
import Synchronization

/// A caller's task-local values, for tasks that are made later and elsewhere.
///
/// Swift copies them to a task when it is made, and in no other way. So the caller's task makes one, the
/// ``Maker``, which is kept until there is a worker, and makes there the tasks in which chunks run.
final class CallerLocals: Sendable {
    private let maker: Maker

    /// - Parameter isForOne: Whether a single task will be made.
    init(priority: TaskPriority, isForOne: Bool) {
        maker = Maker(isForOne: isForOne)
        maker.begin(priority: priority)
    }

    deinit {
        maker.end()
    }

    /// Has `body` called, on the executor, in a task that has the values.
    ///
    /// - Parameter body: Makes the task that does the work; it must not block.
    func make(on executor: QueueExecutor, _ body: @escaping @Sendable () -> Void) {
        maker.make(on: executor, body)
    }
}

/// The task that has the values, as an executor of its own: it runs where the next task is wanted.
private final class Maker: TaskExecutor {
    private struct Request {
        let executor: QueueExecutor
        let body: @Sendable () -> Void
    }

    private struct State {
        var requests = RingQueue<Request>()
        /// The maker's task, which was not begun.
        var job: UnownedJob?
        /// The maker's task, which waits for a request.
        var waiter: UnsafeContinuation<Void, Never>?
        var hasEnded = false
    }

    private let state = Mutex(State())
    private let isForOne: Bool

    init(isForOne: Bool) {
        self.isForOne = isForOne
    }

    func begin(priority: TaskPriority) {
        // Hands its only job to `enqueue` before this returns.
        _ = Task(executorPreference: self, priority: priority) {
            while let request = await self.next() {
                request.body()
                if self.isForOne { return }
            }
        }
    }

    func make(on executor: QueueExecutor, _ body: @escaping @Sendable () -> Void) {
        let (job, waiter) = state.withLock { state in
            state.requests.append(Request(executor: executor, body: body))
            return (state.job.take(), state.waiter.take())
        }
        if let job { run(job, on: executor) }
        waiter?.resume()
    }

    func end() {
        let (job, waiter) = state.withLock { state in
            state.hasEnded = true
            return (state.job.take(), state.waiter.take())
        }
        // A task that nobody runs would stay for ever.
        if let job { run(job, on: nil) }
        waiter?.resume()
    }

    private func next() async -> Request? {
        while true {
            let (request, hasEnded) = state.withLock { ($0.requests.popFirst(), $0.hasEnded) }
            if let request { return request }
            if hasEnded { return nil }
            await withUnsafeContinuation { waiter in
                let mustWait = state.withLock { state in
                    guard state.requests.isEmpty, !state.hasEnded else { return false }
                    state.waiter = waiter
                    return true
                }
                if !mustWait { waiter.resume() }
            }
        }
    }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        let (isKept, executor) = state.withLock { state in
            if state.requests.isEmpty, !state.hasEnded {
                state.job = job
                return (true, nil as QueueExecutor?)
            }
            return (false, state.requests.first?.executor)
        }
        if !isKept { run(job, on: executor) }
    }

    private func run(_ job: UnownedJob, on executor: QueueExecutor?) {
        let queue = executor?.queue ?? DispatchQueue.global()
        queue.async { job.runSynchronously(on: self.asUnownedTaskExecutor()) }
    }
}

import Dispatch
import MultiprocessingSystem
import Synchronization

/// One worker that is a thread: runs one chunk at a time on a queue of its own.
///
/// All that the worker runs, runs in a task whose executor is the queue, so that the work
/// sees task cancellation, and asynchronous work stays on the worker's thread. One task
/// serves chunk after chunk while there is work; after a cancellation, and for a caller of
/// another priority, the next chunk gets a new one. That task has no task-local values but
/// the worker's own: the chunks of a caller who has some run in tasks that have them.
final class ThreadWorker: ProgressReporting {
    private let number: Int
    private let events: WorkerEvents
    private let executor: QueueExecutor
    /// What its items have it keep.
    private let locals = WorkerLocals()
    private let state = Mutex(State())

    /// Whether there is a chunk; follows `state`, for a look without the lock.
    private let hasChunk = Atomic(false)
    private let wait = BusyWait(.worker)

    private let isHandingOver = Atomic(false)

    private static let handOverQueue = DispatchQueue(label: "Multiprocessing.results")

    private struct State {
        /// The chunk to run next, or running now.
        var chunk: Chunk?
        /// What comes behind it, the last first.
        var others: [Chunk] = []
        /// Under which name the pool knows the worker.
        var id = WorkerID(index: 0, generation: 0)
        /// The task that serves, while there is something to serve.
        var task: Task<Void, Never>?
        /// The priority of that task.
        var priority = TaskPriority.medium
        /// The task that runs the chunk, if that is another.
        var chunkTask: Task<Void, Never>?
        /// Whether a task is serving or about to.
        var isServing = false
        /// The serving task, or that of the chunk, was cancelled, and must not run another chunk.
        var isTaskSpent = false
        /// The chunk is somebody else's now, and the item that runs yet is nobody's.
        var isInterrupted = false
        /// The pool has given the worker up: what it is still given does not start.
        var isAbandoned = false

        func markCancelled() {
            if !isInterrupted { chunk?.markCancelled() }
            for other in others { other.markCancelled() }
        }
    }

    init(number: Int, events: WorkerEvents) {
        self.number = number
        self.events = events
        executor = QueueExecutor(label: "Multiprocessing.worker.\(number)")
    }

    func assign(_ chunk: Chunk, then others: [Chunk], _ id: WorkerID) {
        let mustServe = state.withLock { state in
            state.chunk = chunk
            state.others = others.reversed()
            hasChunk.store(true, ordering: .releasing)
            state.id = id
            if state.isAbandoned { state.markCancelled() }
            defer { state.isServing = true }
            return !state.isServing
        }
        if mustServe { serve() }
        if chunk.isPrompt { handOverLater() }
    }

    /// Has what came of some items handed over, now and then, while others of their chunk run.
    private func handOverLater() {
        guard !isHandingOver.exchange(true, ordering: .acquiringAndReleasing) else { return }
        scheduleHandOver(HandOverPace())
    }

    private func scheduleHandOver(_ pace: HandOverPace) {
        // Not a timer of Dispatch's: see the clock.
        let alarm = AlarmClock.shared.call(at: .now().advanced(by: pace.interval)) { [weak self] in
            guard let self else { return }
            Self.handOverQueue.async { self.handOver(pace) }
        }
        // Without a clock what has come is given out when the chunk has ended.
        if alarm == nil { isHandingOver.store(false, ordering: .releasing) }
    }

    private func handOver(_ pace: HandOverPace) {
        var pace = pace
        if let chunk = promptChunk {
            if pace.isDue(chunk) { pace.note(chunk.handOverFinished()) }
            return scheduleHandOver(pace)
        }
        isHandingOver.store(false, ordering: .sequentiallyConsistent)
        // A chunk that came between the two looks for its hand-over itself; this is for the gap.
        if promptChunk != nil { handOverLater() }
    }

    private var promptChunk: Chunk? {
        state.withLock { state in
            guard !state.isInterrupted, !state.isAbandoned, let chunk = state.chunk, chunk.isPrompt else { return nil }
            return chunk
        }
    }

    /// Takes back what is not begun.
    func reclaim(_ id: WorkerID) {
        let (chunks, running) = state.withLock { state in
            defer { state.others = [] }
            return (state.others, state.isInterrupted ? nil : state.chunk)
        }
        let part = running?.splitUnbegun()
        events.reclaimed((part.map { [$0] } ?? []) + chunks.reversed(), from: id)
    }

    func cancel(_ chunk: Chunk) {
        let task: Task<Void, Never>? = state.withLock { state in
            guard state.chunk === chunk else { return nil }
            state.isTaskSpent = true
            return state.chunkTask ?? state.task
        }
        task?.cancel()
    }

    /// Reports the item that runs, if it has a limit.
    func inspect(_ id: WorkerID) {
        let chunk = state.withLock { $0.isInterrupted ? nil : $0.chunk }
        guard let chunk, let (item, since) = chunk.runningItem else { return }
        events.working(on: chunk, item: item, since: since, id)
    }

    /// Takes the item that runs from the thread, and tells it to stop.
    func interrupt(_ id: WorkerID, running chunk: Chunk, item: Int?) {
        let (taking, task): (Taking, Task<Void, Never>?) = state.withLock { state in
            guard state.chunk === chunk, !state.isInterrupted else { return (.other, nil) }
            let task = state.chunkTask ?? state.task
            guard chunk.limits.timeout != nil else {
                // The thread has it to itself until the end, so nobody is to wait for that.
                state.isTaskSpent = true
                return (.goesOn, task)
            }
            guard case .taken(let item) = chunk.takeRunning(item) else { return (.other, nil) }
            state.isInterrupted = true
            state.isTaskSpent = true
            return (.taken(item), task)
        }
        switch taking {
        case .taken(let item): events.interrupted(id, holding: .begun(chunk, end: item + 1))
        case .goesOn: events.interrupted(id, holding: .goesOn)
        case .other: inspect(id)
        }
        // Handlers of the work's own run in this, and may take their time: not the time of who waits for limits.
        if let task { DispatchQueue(label: "Multiprocessing.cancellation").async { task.cancel() } }
    }

    private enum Taking {
        case taken(Int)
        case goesOn
        case other
    }

    /// Cancels what runs, and what is still to come.
    func abandonWork() {
        let (task, isBusy) = state.withLock { state in
            state.isAbandoned = true
            state.isTaskSpent = true
            state.markCancelled()
            return (state.chunkTask ?? state.task, state.chunk != nil)
        }
        task?.cancel()
        if !isBusy { tearDown {} }
    }

    /// Lets go of what the worker has kept, on its thread; the worker runs nothing any more.
    ///
    /// - Parameter onEnd: Called behind that, at once if there is nothing.
    func tearDown(_ onEnd: @escaping @Sendable () -> Void) {
        if locals.isEmpty { return onEnd() }
        executor.queue.async { [locals] in
            locals.tearDown()
            onEnd()
        }
    }

    private func place(_ attempt: Int = 1) -> ThreadPlace {
        ThreadPlace(worker: Worker(index: number, attempt: attempt), locals: locals, reporter: self)
    }

    func report(_ fraction: Double, _ text: String) -> Bool {
        let (chunk, id) = state.withLock { state in (state.isInterrupted ? nil : state.chunk, state.id) }
        guard let chunk else { return false }
        // One that may be stopped knows which item runs; of the others only the first is anybody's.
        events.progressed(on: id, chunk: chunk, item: chunk.runningItem?.item ?? 0, fraction: fraction, text: text)
        return true
    }

    // MARK: Serving

    private func serve() {
        // Made under the lock, so that whoever cancels the chunk finds its task. Making a task
        // only enqueues it.
        state.withLock { state in
            state.isTaskSpent = false
            state.priority = state.chunk?.caller.priority ?? .medium
            // Detached: it must have nothing of the caller who happened to wake it.
            state.task = Task.detached(executorPreference: executor, priority: state.priority) { [self] in
                TaskLocalStorage.learn(key: ThreadPlace.$current) { body in
                    ThreadPlace.$current.withValue(self.place()) { body() }
                }
                await ThreadPlace.$current.withValue(place()) {
                    await serveChunks()
                }
            }
        }
    }

    private func serveChunks() async {
        while let next = takeNext() {
            guard case .chunk(let chunk, let id) = next else { return serve() }
            let start = MonotonicTime.now().nanoseconds
            if let locals = chunk.caller.locals, !chunk.isCancelled {
                await run(chunk, with: locals)
            } else if chunk.attempt > 1 {
                await ThreadPlace.$current.withValue(place(chunk.attempt)) { await chunk.run() }
            } else {
                await chunk.run()
            }
            let nanoseconds = MonotonicTime.now().nanoseconds - start
            let end = finishChunk()
            if end.isAbandoned { locals.tearDown() }
            // Reported from here, because the pool's answer is most often the next chunk.
            if end.wasInterrupted {
                events.recovered(id)
            } else {
                events.ended(chunk, on: id, nanoseconds: nanoseconds, isLast: end.isLast)
            }
            if end.isSpent {
                if !end.isLast { serve() }
                return
            }
        }
    }

    /// Runs a chunk in a task that has its caller's task-local values.
    private func run(_ chunk: Chunk, with locals: CallerLocals) async {
        await withUnsafeContinuation { continuation in
            locals.make(on: executor) { [self] in
                let task = Task(executorPreference: executor, priority: chunk.caller.priority) {
                    await ThreadPlace.$current.withValue(self.place(chunk.attempt)) { await chunk.run() }
                    continuation.resume()
                }
                // Not begun yet, because this is its executor's thread.
                let isCancelled = state.withLock { state in
                    state.chunkTask = task
                    return state.isTaskSpent
                }
                if isCancelled { task.cancel() }
            }
        }
        // Let go of outside of the lock.
        _ = state.withLock { $0.chunkTask.take() }
    }

    private enum Next {
        case chunk(Chunk, WorkerID)
        /// The chunk has to be run in a task of another priority.
        case otherPriority
    }

    /// The chunk to run; without one the task ends, and the next assignment makes another.
    ///
    /// Whoever waits for single items one after another has the next at once, so it waits for a moment.
    private func takeNext() -> Next? {
        if !hasChunk.load(ordering: .relaxed) {
            _ = wait.wait { hasChunk.load(ordering: .acquiring) }
        }
        return state.withLock { state in
            guard let chunk = state.chunk else {
                state.isServing = false
                state.task = nil
                return nil
            }
            let caller = chunk.caller
            if caller.locals == nil, caller.priority != state.priority { return .otherPriority }
            return .chunk(chunk, state.id)
        }
    }

    private struct ChunkEnd {
        /// Whether it was the last.
        let isLast: Bool
        /// Whether the task was cancelled with it.
        let isSpent: Bool
        /// Whether it was the last of a worker that the pool has given up.
        let isAbandoned: Bool
        /// Whether its item was taken from the thread.
        let wasInterrupted: Bool
    }

    /// Lets go of the chunk.
    private func finishChunk() -> ChunkEnd {
        state.withLock { state in
            state.chunk = state.others.popLast()
            let isLast = state.chunk == nil
            hasChunk.store(!isLast, ordering: .releasing)
            if state.isTaskSpent, isLast {
                state.isServing = false
                state.task = nil
            }
            defer { state.isInterrupted = false }
            return ChunkEnd(
                isLast: isLast, isSpent: state.isTaskSpent, isAbandoned: isLast && state.isAbandoned,
                wasInterrupted: state.isInterrupted)
        }
    }
}

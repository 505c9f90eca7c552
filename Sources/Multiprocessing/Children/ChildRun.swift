import MultiprocessingSystem
import Synchronization

/// The life of one child: a pool of one worker that is closed behind its only item.
final class ChildRun: Sendable {
    let core: PoolCore

    /// Ends when the process is gone, or the thread has nothing more to do.
    let end: Future<ChildExit>

    private let story: Story

    /// What the pool reports of the worker, apart from the run so that the pool does not keep the run.
    private final class Story: Sendable {
        struct State {
            var item: PendingItem?
            /// With what the worker ended before what it ran had.
            var death: PoolError?
            /// With what the worker ended after that, or when nobody waited for it any more.
            var lateDeath: PoolError?
            var processID: Int32?
            /// Whether the item was given up, and not waited for.
            var isAbandoned = false
        }

        let state = Mutex(State())

        func workerEnded(_ error: PoolError, _ isHolding: Bool) {
            state.withLock { state in
                if state.processID == nil { state.processID = error.processID }
                if isHolding { state.death = error } else { state.lateDeath = error }
            }
        }
    }

    /// - Throws: ``PoolError`` when no worker could ever run here.
    init(_ backend: any Backend, name: String?) throws {
        var backend = backend
        if let name, var named = backend as? ProcessBackend {
            named.name = name
            backend = named
        }
        var rules = SchedulerRules()
        rules.hasNoReplacements = true
        // Nothing can end a thread: it is waited for, however long it takes.
        if !backend.needsPortableWork { rules.gracePeriod = .max }
        let story = Story()
        self.story = story
        core = try PoolCore(
            backend: backend, workerCount: 1, carrying: [], rules: rules, onWorkerEnd: { story.workerEnded($0, $1) })
        end = Future(PendingValue())
    }

    /// Starts the child with the one thing that it runs; blocks while the kernel starts the process.
    func start<Output>(_ item: PendingValue<Output>) {
        story.state.withLock { $0.item = item }
        core.submit(item)
        core.close()
        core.onFinished { [end = end.state, story] in
            end.settle(Self.exit(of: item.outcome, story))
            end.endOnce(failing: CancellationError(), nanoseconds: 0)
            story.state.withLock { $0.item = nil }
        }
        core.waitForStarts()
        _ = processID
    }

    /// Lets go of a pool that was given nothing to do.
    func discard() {
        core.abandon()
    }

    private static func exit<Output>(of outcome: Result<Output, any Error>?, _ story: Story) -> ChildExit {
        let (death, lateDeath, isAbandoned) = story.state.withLock { ($0.death, $0.lateDeath, $0.isAbandoned) }
        switch outcome {
        case .success?: return .returned
        case nil: return .abandoned
        case .failure(let error)?:
            if let death { return ChildExit(death) }
            // Cancelled, and killed because it did not come to an end by itself.
            if error is CancellationError, let signal = lateDeath?.signal { return .signaled(signal) }
            return isAbandoned ? .abandoned : .threw
        }
    }

    // MARK: The process

    /// The process, also when it is gone; `nil` for a thread, and for a process that could not be started yet.
    var processID: Int32? {
        if let known = story.state.withLock({ $0.processID }) { return known }
        guard let found = core.processID(at: 0) else { return nil }
        story.state.withLock { $0.processID = found }
        return found
    }

    /// Sends SIGTERM, or tells a thread by cancellation.
    func terminate(_ item: PendingItem) {
        if end.isFinished { return }
        if core.needsPortableWork {
            if !core.signal(Signal.terminate.rawValue, at: 0) { abandon() }
        } else {
            core.tell(item, at: 0)
        }
    }

    /// Kills the process with its group, or gives up a thread.
    func kill() {
        if end.isFinished { return }
        if !core.signal(Signal.kill.rawValue, at: 0) { abandon() }
    }

    /// Gives up a thread, or a process that could not be started up to now.
    private func abandon() {
        story.state.withLock { state in
            if state.item?.isFinished == false { state.isAbandoned = true }
        }
        core.abandon()
    }

    /// The error as it is told of a child and not of a pool.
    func told(_ error: any Error) -> any Error {
        guard let error = error as? PoolError else { return error }
        let (death, isAbandoned) = story.state.withLock { ($0.death, $0.isAbandoned) }
        if isAbandoned, error.code == .shutDown {
            return error.saying("the child was killed before what it ran had ended")
        }
        return death?.ofChild() ?? error
    }
}

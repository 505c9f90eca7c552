internal import CMultiprocessing
internal import Synchronization

/// Starts tasks that run where the caller is, up to where they first have to wait.
///
/// `Task.immediate` does so too, and waits for an actor even if nobody uses it: each call of a method then is handed to
/// another thread, and its end to a third. A task that is started here goes on within the actor, and comes back.
package enum PromptTask {
    /// Tells a task whether it has gone on without waiting so far.
    package final class Run: Sendable {
        private let thread = Run.currentThread
        private let isOver = Atomic(false)

        /// Whether who has started the task still waits for it to end or to wait.
        package var isUninterrupted: Bool {
            // Who has started it is on that thread until it notes the end.
            thread == Self.currentThread && !isOver.load(ordering: .relaxed)
        }

        private static var currentThread: UInt { UInt(bitPattern: mp_job_place()) }

        fileprivate func end() {
            isOver.store(true, ordering: .relaxed)
        }
    }

    /// The common pool of threads as an executor, from which a job may go on to an actor: `SerialExecutorRef::generic`
    /// of the Swift runtime, two words that are zero.
    private static let commonPool = unsafeBitCast((0, 0), to: UnownedSerialExecutor.self)

    /// Runs `body` in a new task until it ends, or waits for what somebody else has to do: then it waits in its place.
    ///
    /// The caller is on no actor, and lends its thread also to actors' methods that block it.
    @discardableResult
    package static func start(_ body: @escaping @Sendable (Run) async -> Void) -> Task<Void, Never> {
        let current = Run()
        var first: UnownedJob?
        let task = withUnsafeMutablePointer(to: &first) { first in
            let place = mp_job_place()
            place?.pointee = UnsafeMutableRawPointer(first)
            defer { place?.pointee = nil }
            // The job is enqueued here, by this thread.
            return Task { @Starter in await body(current) }
        }
        first?.runSynchronously(on: commonPool)
        current.end()
        return task
    }
}

/// Where such tasks begin, and are given their first thread.
@globalActor
private actor Starter {
    static let shared = Starter()
    private static let executor = Executor()

    nonisolated var unownedExecutor: UnownedSerialExecutor { Self.executor.asUnownedSerialExecutor() }

    private final class Executor: SerialExecutor {
        func enqueue(_ job: consuming ExecutorJob) {
            let job = UnownedJob(job)
            if let place = mp_job_place(), let first = place.pointee {
                place.pointee = nil
                first.assumingMemoryBound(to: UnownedJob?.self).pointee = job
            } else {
                // The last bit of a task, which does nothing any more.
                job.runSynchronously(on: asUnownedSerialExecutor())
            }
        }
    }
}

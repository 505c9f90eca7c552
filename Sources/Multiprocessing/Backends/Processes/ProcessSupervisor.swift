import Dispatch
import MultiprocessingSystem

/// Starts a pool's worker processes.
///
/// It runs on a Dispatch queue of its own, never on Swift's cooperative threads: a program that
/// blocks those to wait for a result must still get its worker.
///
/// What a worker does from then on is reported by its ``WorkerLink``; when a start fails or a worker
/// ends, the pool decides whether another is wanted.
actor ProcessSupervisor {
    private let command: Command
    private let events: WorkerEvents
    private let links: WorkerLinks

    /// Watches every worker of the pool; made with the first.
    private var loop: WorkerLoop?

    private nonisolated let executor = SupervisorExecutor()

    nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    init(command: Command, events: WorkerEvents, links: WorkerLinks) {
        self.command = command
        self.events = events
        self.links = links
    }

    /// Starts a worker; returns at once.
    nonisolated func start(_ worker: WorkerID) {
        perform { $0.attempt(worker) }
    }

    /// Ends the loop's thread, after the last worker has ended; returns at once.
    nonisolated func close() {
        perform { supervisor in
            supervisor.loop?.events.shutDown()
            supervisor.loop = nil
        }
    }

    /// Runs `body` on the supervisor, without a task on its way there.
    private nonisolated func perform(_ body: @escaping @Sendable (isolated ProcessSupervisor) -> Void) {
        executor.queue.async { self.assumeIsolated { body($0) } }
    }

    private func attempt(_ worker: WorkerID) {
        guard links.isWanted(worker) else {
            links.remove(worker)
            events.workerEnded(worker, holding: .unbegun, error: .poolShutDown)
            return
        }
        do throws(SystemError) {
            let loop = try watch()
            let link = try WorkerLink(id: worker, command: command, loop: loop, events: events) {
                [links, events] failure in
                links.remove(worker)
                guard let failure else { return }
                events.startFailed(
                    worker, error: .workerDiedAtStart(failure), wasKilled: failure.wasKilledFromOutside)
            }
            let isWanted = links.insert(link)
            link.open()
            if !isWanted { link.kill() }
        } catch {
            links.remove(worker)
            events.startFailed(worker, error: .workerNotStarted(error))
        }
    }

    private func watch() throws(SystemError) -> WorkerLoop {
        if let loop { return loop }
        let made = try WorkerLoop()
        loop = made
        return made
    }
}

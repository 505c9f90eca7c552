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
    private let launcher: any Launcher
    private let limits: ResourceLimits
    private let events: WorkerEvents
    private let links: WorkerLinks

    /// Watches every worker of the pool; made with the first.
    private var loop: WorkerLoop?

    /// Watches what they use, if that is limited.
    private var watch: ResourceWatch?

    /// Whether the launcher is about to prepare for later starts.
    private var isPreparing = false

    private nonisolated let executor = SupervisorExecutor()

    nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    init(launcher: any Launcher, limits: ResourceLimits, events: WorkerEvents, links: WorkerLinks) {
        self.launcher = launcher
        self.limits = limits
        self.events = events
        self.links = links
    }

    /// Starts a worker; returns at once.
    nonisolated func start(_ worker: WorkerID) {
        perform { $0.attempt(worker) }
    }

    /// Returns when the starts that were asked for up to now have been tried.
    nonisolated func waitForStarts() {
        executor.queue.sync {}
    }

    /// Ends the loop's thread, after the last worker has ended, and what the launcher has prepared; returns at once.
    ///
    /// - Parameter completion: Called when they have ended.
    nonisolated func close(_ completion: @escaping @Sendable () -> Void) {
        perform { supervisor in
            supervisor.loop?.events.shutDown()
            supervisor.loop = nil
            supervisor.watch?.close()
            supervisor.watch = nil
            supervisor.launcher.close()
            completion()
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
            let loop = try makeLoop()
            let watch = try makeWatch()
            let link = try WorkerLink(id: worker, launcher: launcher, loop: loop, events: events) {
                [links, events] failure in
                links.remove(worker)
                guard let failure else { return }
                events.startFailed(
                    worker, error: .workerDiedAtStart(failure), wasKilled: failure.wasKilledFromOutside)
            }
            let isWanted = links.insert(link)
            link.open()
            if !isWanted { link.kill() }
            watch?.begin(link)
            // A program whose workers never end pays for nothing.
            if worker.generation > 1 { prepare(after: launcher.preparationPause, on: loop) }
        } catch {
            links.remove(worker)
            events.startFailed(worker, error: .workerNotStarted(error))
        }
    }

    private func prepare(after pause: Duration?, on loop: WorkerLoop) {
        guard let pause, !isPreparing else { return }
        isPreparing = true
        loop.events.schedule(after: pause) { [weak self] in
            self?.perform { supervisor in
                supervisor.isPreparing = false
                guard let loop = supervisor.loop else { return }
                supervisor.prepare(after: supervisor.launcher.prepare(), on: loop)
            }
        }
    }

    private func makeWatch() throws(SystemError) -> ResourceWatch? {
        if let watch { return watch }
        guard limits.areWatched else { return nil }
        let made = try ResourceWatch(limits)
        watch = made
        return made
    }

    private func makeLoop() throws(SystemError) -> WorkerLoop {
        if let loop { return loop }
        let made = try WorkerLoop()
        loop = made
        return made
    }
}

import Dispatch
import Glibc
import MultiprocessingSystem

/// Starts a pool's worker processes, and tries again when a start fails.
///
/// It runs on a Dispatch queue of its own, never on Swift's cooperative threads: a program that
/// blocks those to wait for a result must still get its worker.
///
/// What a worker does from then on is reported by its ``WorkerLink``; when one ends, the pool
/// decides whether another is wanted.
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
        perform { $0.attempt(worker, Attempt()) }
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

    /// How often a start was tried.
    private struct Attempt {
        /// This one, from 1.
        var number = 1

        /// Starts before it that were ended by a signal from outside, which says nothing about the next.
        var kills = 0

        static let limit = 3

        /// At some milliseconds for each, this is seconds of being killed all the time.
        static let killLimit = 500
    }

    private func attempt(_ worker: WorkerID, _ attempt: Attempt) {
        guard links.isWanted(worker) else {
            links.remove(worker)
            events.workerEnded(worker, holding: .nothing, error: .shutDown)
            return
        }
        do throws(SystemError) {
            let loop = try watch()
            let link = try WorkerLink(id: worker, command: command, loop: loop, events: events) {
                [weak self, links] failure in
                guard let failure else { return links.remove(worker) }
                links.reset(worker)
                self?.perform { supervisor in
                    supervisor.startFailed(
                        worker, attempt, .workerDiedAtStart(failure), wasKilled: failure.wasKilledFromOutside)
                }
            }
            let isWanted = links.insert(link)
            link.open()
            if !isWanted { link.kill() }
        } catch {
            startFailed(worker, attempt, .workerNotStarted(error), wasKilled: false)
        }
    }

    private func watch() throws(SystemError) -> WorkerLoop {
        if let loop { return loop }
        let made = try WorkerLoop()
        loop = made
        return made
    }

    private func startFailed(_ worker: WorkerID, _ attempt: Attempt, _ error: PoolError, wasKilled: Bool) {
        var next = attempt
        if wasKilled, attempt.kills < Attempt.killLimit {
            next.kills += 1
            wait(milliseconds: 2) { [next] in $0.attempt(worker, next) }
        } else if attempt.number < Attempt.limit {
            next.number += 1
            // What is short now, memory, processes or descriptors, may be there in a moment.
            wait(milliseconds: 10 * attempt.number * attempt.number) { [next] in $0.attempt(worker, next) }
        } else {
            links.remove(worker)
            var error = error
            error.attempts = attempt.number + attempt.kills
            events.startFailed(worker, error: error)
        }
    }

    /// Runs `body` on the supervisor after a delay.
    ///
    /// Not by a Dispatch timer, nor `Task.sleep`, which is one: the first of them takes a
    /// descriptor, and Dispatch ends a program that has none left.
    private nonisolated func wait(
        milliseconds: Int,
        _ body: @escaping @Sendable (isolated ProcessSupervisor) -> Void
    ) {
        do throws(SystemError) {
            _ = try NativeThread(name: "mp-retry", stackSize: 256 << 10) {
                usleep(UInt32(milliseconds) * 1_000)
                self.perform(body)
            }
        } catch {
            // Without a thread to be had there is nothing to wait with.
            perform(body)
        }
    }
}

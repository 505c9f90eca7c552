import MultiprocessingSystem
import Synchronization

/// The workers of one pool that are processes.
///
/// Work goes straight to a worker's link, from whichever thread submits it. Starting and
/// replacing workers takes time and attempts, and is the supervisor's.
final class ProcessWorkers: WorkerGroup {
    private let supervisor: ProcessSupervisor
    private let links: WorkerLinks

    init(events: WorkerEvents, launcher: any Launcher, limits: ResourceLimits) {
        links = WorkerLinks()
        supervisor = ProcessSupervisor(launcher: launcher, limits: limits, events: events, links: links)
    }

    func start(_ worker: WorkerID) {
        links.expect(worker)
        supervisor.start(worker)
    }

    func assign(_ chunk: Chunk, then others: [Chunk], to worker: WorkerID) {
        links[worker]?.assign(chunk, then: others)
    }

    func reclaim(from worker: WorkerID) {
        links[worker]?.reclaim()
    }

    func inquire(_ worker: WorkerID) {
        links[worker]?.inquire()
    }

    func inspect(_ worker: WorkerID) {
        links[worker]?.inspect()
    }

    func interrupt(_ worker: WorkerID, running chunk: Chunk, item: Int?) {
        links[worker]?.interrupt(chunk, item: item)
    }

    func processID(of worker: WorkerID) -> Int32? {
        links[worker]?.process.id.rawValue
    }

    func memory(of worker: WorkerID) -> UInt64? {
        guard let link = links[worker], let gauge = try? ProcessGauge(link.process.id) else { return nil }
        return gauge.privateMemory()
    }

    func waitForStarts() {
        supervisor.waitForStarts()
    }

    func signal(_ worker: WorkerID, _ number: Int32) -> Bool {
        guard let link = links[worker] else { return false }
        let signal = Signal(rawValue: number)
        if signal == .kill {
            // It ends as one that somebody else has killed: the work that it runs says so.
            link.kill(reportingAsKilled: false)
            return true
        }
        return (try? link.process.send(signal)) ?? false
    }

    func watch(_ worker: WorkerID) -> (any WorkerWatch)? {
        links[worker]?.watch()
    }

    func watchActor(_ actor: UInt64, on worker: WorkerID) {
        guard let link = links[worker] else { return }
        link.control.send(.watchActor(actor), link)
    }

    func cancel(_ chunk: Chunk, on worker: WorkerID) {
        links[worker]?.cancel(chunk)
    }

    func stop(_ worker: WorkerID) {
        links[worker]?.stop()
    }

    func kill(_ worker: WorkerID) {
        // One that is still being started is killed by its supervisor, as soon as it can be.
        links.kill(worker)
    }

    func close(_ completion: @escaping @Sendable () -> Void) {
        supervisor.close(completion)
    }
}

/// The links of the workers that are alive, by place.
final class WorkerLinks: Sendable {
    private enum Place {
        /// A worker is being started; it may be unwanted by the time it is.
        case expected(WorkerID, isKilled: Bool)
        case link(WorkerLink)
    }

    private let places = Mutex<[Int: Place]>([:])

    /// The link of a worker; `nil` when it is gone, or another has its place.
    subscript(worker: WorkerID) -> WorkerLink? {
        places.withLock { places in
            guard case .link(let link) = places[worker.index], link.id == worker else { return nil }
            return link
        }
    }

    func expect(_ worker: WorkerID) {
        places.withLock { $0[worker.index] = .expected(worker, isKilled: false) }
    }

    /// Whether the worker that is being started is still wanted.
    func isWanted(_ worker: WorkerID) -> Bool {
        places.withLock { places in
            guard case .expected(worker, let isKilled) = places[worker.index] else { return false }
            return !isKilled
        }
    }

    /// Takes the link of a worker that was started; false if it is not wanted any more.
    func insert(_ link: WorkerLink) -> Bool {
        places.withLock { places in
            guard case .expected(link.id, let isKilled) = places[link.id.index] else { return false }
            places[link.id.index] = .link(link)
            return !isKilled
        }
    }

    func remove(_ worker: WorkerID) {
        places.withLock { places in
            switch places[worker.index] {
            case .expected(worker, _):
                places[worker.index] = nil
            case .link(let link) where link.id == worker:
                places[worker.index] = nil
            default:
                break
            }
        }
    }

    func kill(_ worker: WorkerID) {
        let link: WorkerLink? = places.withLock { places in
            switch places[worker.index] {
            case .expected(worker, _):
                places[worker.index] = .expected(worker, isKilled: true)
                return nil
            case .link(let link) where link.id == worker:
                return link
            default:
                return nil
            }
        }
        link?.kill()
    }
}

import Multiprocessing
import Synchronization

/// Worker processes of which a test sees what they report, and which it can interrupt.
///
/// It stands between the pool and its workers. The pool knows nothing of interruptions here: what was running is
/// lost, and the rest goes on, on the same worker once that has recovered or on another when it ends.
final class TappedWorkers: Sendable {
    enum Fact: Equatable {
        case working(item: Int, since: UInt64?)
        /// How many items had ended, and where those end that had begun; `nil` when none had.
        case interrupted(finished: Int, end: Int?)
        case recovered
        case workerEnded(isUnbegun: Bool)
        case progressed(item: Int, fraction: Double, text: String)
    }

    /// What the lost item fails with.
    static let lost: PoolError? = {
        do {
            _ = try Pool(workers: 0)
            return nil
        } catch {
            return error as? PoolError
        }
    }()

    private struct State {
        var events: WorkerEvents?
        var group: (any WorkerGroup)?
        var worker: WorkerID?
        var facts: [Fact] = []
        var reported: (chunk: Chunk, item: Int)?
        var held: (chunk: Chunk, end: Int)?
        var assigned: [Chunk] = []
    }

    private let state = Mutex(State())

    var facts: [Fact] { state.withLock { $0.facts } }

    private var target: (any WorkerGroup, WorkerID)? {
        state.withLock { state in
            guard let group = state.group, let worker = state.worker else { return nil }
            return (group, worker)
        }
    }

    func inspect() {
        if let (group, worker) = target { group.inspect(worker) }
    }

    /// Interrupts the item that the worker was last reported to run, or any of the chunk that it was given.
    func interrupt() {
        let (reported, assigned) = state.withLock { ($0.reported, $0.assigned.first) }
        guard let (group, worker) = target, let chunk = reported?.chunk ?? assigned else { return }
        group.interrupt(worker, running: chunk, item: reported?.item)
    }

    func kill() {
        if let (group, worker) = target { group.kill(worker) }
    }

    /// The backend to make the pool with.
    var backend: some Backend { TappedBackend(tap: self) }

    private struct TappedBackend: WorkerBackend {
        let tap: TappedWorkers
        var needsPortableWork: Bool { true }

        func makeWorkers(count: Int, reportingTo events: WorkerEvents) throws -> any WorkerGroup {
            let group = try ProcessBackend.processes.makeWorkers(count: count, reportingTo: WorkerEvents(to: tap))
            tap.state.withLock { state in
                state.events = events
                state.group = group
            }
            return TappedGroup(tap: tap, base: group)
        }
    }

    private final class TappedGroup: WorkerGroup {
        private let tap: TappedWorkers
        private let base: any WorkerGroup

        init(tap: TappedWorkers, base: any WorkerGroup) {
            self.tap = tap
            self.base = base
        }

        func start(_ worker: WorkerID) {
            tap.state.withLock { $0.worker = worker }
            base.start(worker)
        }

        func assign(_ chunk: Chunk, then others: [Chunk], to worker: WorkerID) {
            for chunk in [chunk] + others { chunk.limits.timeout = 1 }
            tap.state.withLock { $0.assigned = [chunk] + others }
            base.assign(chunk, then: others, to: worker)
        }

        func reclaim(from worker: WorkerID) { base.reclaim(from: worker) }
        func inquire(_ worker: WorkerID) { base.inquire(worker) }
        func inspect(_ worker: WorkerID) { base.inspect(worker) }
        func interrupt(_ worker: WorkerID, running chunk: Chunk, item: Int?) {
            base.interrupt(worker, running: chunk, item: item)
        }
        func processID(of worker: WorkerID) -> Int32? { base.processID(of: worker) }
        func watch(_ worker: WorkerID) -> (any WorkerWatch)? { nil }
        func watchActor(_ actor: UInt64, on worker: WorkerID) { base.watchActor(actor, on: worker) }
        func cancel(_ chunk: Chunk, on worker: WorkerID) { base.cancel(chunk, on: worker) }
        func stop(_ worker: WorkerID) { base.stop(worker) }
        func kill(_ worker: WorkerID) { base.kill(worker) }
        func close(_ completion: @escaping @Sendable () -> Void) {
            base.close(completion)
            tap.state.withLock { state in
                state.group = nil
                state.events = nil
            }
        }
    }
}

extension TappedWorkers: WorkerReporting {
    private var events: WorkerEvents? { state.withLock { $0.events } }

    func workerReady(_ worker: WorkerID) { events?.ready(worker) }

    func workEnded(on worker: WorkerID, with chunk: Chunk, nanoseconds: UInt64) {
        events?.ended(chunk, on: worker, nanoseconds: nanoseconds, isLast: true)
    }

    func sent(_ byteCount: Int, to worker: WorkerID) { events?.sent(byteCount, to: worker) }

    func chunkEnded(on worker: WorkerID, with chunk: Chunk, nanoseconds: UInt64) {
        events?.ended(chunk, on: worker, nanoseconds: nanoseconds, isLast: false)
    }

    func reclaimed(_ chunks: [Chunk], from worker: WorkerID) { events?.reclaimed(chunks, from: worker) }

    func startFailed(_ worker: WorkerID, error: PoolError, wasKilled: Bool) {
        events?.startFailed(worker, error: error, wasKilled: wasKilled)
    }

    func working(on chunk: Chunk, item: Int, since: UInt64?, _ worker: WorkerID) {
        state.withLock { state in
            state.facts.append(.working(item: item, since: since))
            state.reported = (chunk, item)
        }
    }

    func interrupted(_ worker: WorkerID, holding: HeldWork) {
        state.withLock { state in
            if case .begun(let chunk, let end) = holding {
                state.facts.append(.interrupted(finished: chunk.finishedCount, end: end))
                state.held = (chunk, end)
            } else {
                state.facts.append(.interrupted(finished: 0, end: nil))
            }
        }
    }

    func progressed(on worker: WorkerID, chunk: Chunk, item: Int, fraction: Double, text: String) {
        state.withLock { $0.facts.append(.progressed(item: item, fraction: fraction, text: text)) }
    }

    func actorEnded(_ actor: UInt64, on worker: WorkerID) { events?.actorEnded(actor, on: worker) }

    func recovered(_ worker: WorkerID) {
        let (held, assigned, group) = state.withLock { state in
            state.facts.append(.recovered)
            defer { state.held = nil }
            return (state.held, state.assigned, state.group)
        }
        // What goes on: the chunk without what was lost, and those behind it.
        var rest = assigned.filter { !$0.isEnded }
        if let held, let lost = Self.lost {
            held.chunk.lose(through: held.end, lost)
            held.chunk.failLost()
            if held.chunk.remainingCount == 0 {
                rest.removeAll { $0 === held.chunk }
                events?.ended(held.chunk, on: worker, nanoseconds: 0, isLast: rest.isEmpty)
            }
        }
        if let first = rest.first { group?.assign(first, then: Array(rest.dropFirst()), to: worker) }
    }

    func workerEnded(_ worker: WorkerID, holding: HeldWork, error: PoolError) {
        let held = state.withLock { state in
            if case .unbegun = holding {
                state.facts.append(.workerEnded(isUnbegun: true))
            } else {
                state.facts.append(.workerEnded(isUnbegun: false))
            }
            defer { state.held = nil }
            return state.held
        }
        let told = held.map { HeldWork.begun($0.chunk, end: $0.end) } ?? holding
        events?.workerEnded(worker, holding: told, error: error)
    }
}

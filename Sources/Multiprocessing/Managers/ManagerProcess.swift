import Distributed
import MultiprocessingRuntime
import MultiprocessingSystem
import Synchronization

/// The process of a manager: a worker of which only the actors count.
final class ManagerProcess: Sendable {
    /// What makes an actor again, under the number that references to it have.
    private struct Recipe: Sendable {
        let make: @Sendable (PoolCore) async throws -> Void
    }

    private struct State {
        /// What runs the process that there is.
        var core: PoolCore?
        /// What is made again when the process is.
        var recipes: [Recipe] = []
        /// The start of another process, while it takes place.
        var restart: Task<Void, Never>?
        /// When processes have died.
        var deaths: [MonotonicTime] = []
        var isOver = false
    }

    private let backend: any Backend
    /// Where the process is reached, if it is to be reached there again when it was started anew.
    private let address: ActorAddress?
    private let state = Mutex(State())

    /// So many deaths within so long, and no other process is started.
    private static let deathLimit = 5
    private static let deathPeriod = Duration.seconds(10)

    private init(_ backend: any Backend, restarts: Bool) {
        var backend = backend
        if var named = backend as? ProcessBackend, named.name == nil {
            named.name = "manager"
            backend = named
        }
        self.backend = backend
        address = restarts ? .random() : nil
    }

    deinit {
        state.withLock { $0.core.take() }?.removeObserver()
    }

    /// - Parameter restarts: Whether a process that dies is started again, with its actors.
    /// - Throws: ``PoolError`` when the process could not be started.
    static func start(_ backend: any Backend, restarts: Bool) async throws -> ManagerProcess {
        let process = ManagerProcess(backend, restarts: restarts)
        let core = try await process.startCore()
        process.state.withLock { $0.core = core }
        // It may have died before anybody would have noticed here.
        if core.processID(at: 0) == nil { process.noteEnd() }
        return process
    }

    private func startCore() async throws -> PoolCore {
        var rules = SchedulerRules()
        // Its actors would not be there.
        rules.hasNoReplacements = true
        let core = try PoolCore(
            backend: backend, workerCount: 1, carrying: [], rules: rules,
            onWorkerEnd: { [weak self] _, _ in self?.noteEnd() })
        do {
            try await core.start()
            if let address { try await Self.run(AdoptAddress(address: address), on: core) }
        } catch {
            core.abandon()
            throw error
        }
        return core
    }

    private static func run<Input: VoidJob>(_ job: Input, on core: PoolCore) async throws {
        let item = try SingleChunk(core: core, input: job, work: try core.work(Input.self), options: CallOptions())
        core.submit(item)
        try await Future(item).value
    }

    /// The process that there is; `nil` when there is none.
    var processID: Int32? { state.withLock { $0.core }?.processID(at: 0) }

    // MARK: Hosting

    /// Makes an actor in the process.
    ///
    /// - Parameter work: Makes the work that makes it.
    func host<Act: DistributedActor>(
        work: @escaping @Sendable (PoolCore) throws -> ItemFunction<WorkerActorSystem, Act>
    ) async throws -> Act where Act.ActorSystem == WorkerActorSystem {
        // It may die again when it has just been started again.
        while let restart = state.withLock({ $0.isOver ? nil : $0.restart }) { await restart.value }
        guard let core = state.withLock({ $0.isOver ? nil : $0.core }) else { throw PoolError.managerIsOver() }
        let actor: Act
        do {
            actor = try await Self.make(core, work)
            actor.id.host?.keep(self)
            guard address != nil else { return actor }
            try await Self.run(KeepActor(made: actor.id.number, number: actor.id.number), on: core)
        } catch let error as PoolError where error.code == .shutDown && isReplaced(core) {
            // Its process died before it was begun, or before it could be kept.
            return try await host(work: work)
        }
        let number = actor.id.number
        state.withLock { state in
            state.recipes.append(
                Recipe { core in
                    let made = try await Self.make(core, work)
                    try await Self.run(KeepActor(made: made.id.number, number: number), on: core)
                })
        }
        return actor
    }

    /// Whether a process is not the manager's any more, though the manager goes on.
    private func isReplaced(_ core: PoolCore) -> Bool {
        state.withLock { state in !state.isOver && state.core !== core }
    }

    private static func make<Act: DistributedActor>(
        _ core: PoolCore,
        _ work: (PoolCore) throws -> ItemFunction<WorkerActorSystem, Act>
    ) async throws -> Act where Act.ActorSystem == WorkerActorSystem {
        let item = try SingleChunk(
            core: core, input: WorkerActorSystem.shared, work: try work(core), options: CallOptions())
        core.submit(item)
        return try await Future(item).value
    }

    // MARK: Starting again

    /// The process has died, or was told to end.
    private func noteEnd() {
        guard address != nil else { return }
        state.withLock { state in
            // A process that dies while it starts is the business of who starts it.
            guard !state.isOver, state.restart == nil, state.core != nil else { return }
            state.restart = Task { await self.restart() }
        }
    }

    private func restart() async {
        let last = state.withLock { $0.core.take() }
        last?.removeObserver()
        while mayStartAgain() {
            // Tried again, as often as processes may die.
            guard let core = await startWithActors() else { continue }
            let isWanted = state.withLock { state in
                state.restart = nil
                guard !state.isOver else { return false }
                state.core = core
                return true
            }
            // Gone when whoever ends the manager is told that it has ended.
            if !isWanted { await core.terminate() }
            // As when it is started first.
            if isWanted, core.processID(at: 0) == nil { noteEnd() }
            return
        }
        state.withLock { state in
            state.isOver = true
            state.restart = nil
        }
    }

    /// Starts a process that has all actors of the last one; `nil`, and there is none, if that fails.
    private func startWithActors() async -> PoolCore? {
        guard let core = try? await startCore() else { return nil }
        do {
            for recipe in state.withLock({ $0.recipes }) { try await recipe.make(core) }
            return core
        } catch {
            // Nobody is to find a process where some actors are and others are not.
            await core.terminate()
            return nil
        }
    }

    private func mayStartAgain() -> Bool {
        let now = MonotonicTime.now()
        return state.withLock { state in
            state.deaths = state.deaths.filter { now.duration(since: $0) < Self.deathPeriod }
            state.deaths.append(now)
            return !state.isOver && state.deaths.count <= Self.deathLimit
        }
    }

    // MARK: The end

    func shutDown() async {
        let (core, restart) = state.withLock { state in
            state.isOver = true
            return (state.core, state.restart)
        }
        await restart?.value
        await core?.shutDown()
    }
}

/// Has a new process be reached where the last one was.
private struct AdoptAddress: VoidJob {
    let address: ActorAddress

    func run() async throws { try WorkerActorSystem.shared.hosted.adopt(address) }
}

/// Has an actor be kept for as long as its process, also under the number that an earlier one had.
private struct KeepActor: VoidJob {
    let made: UInt64
    let number: UInt64

    func run() async throws { WorkerActorSystem.shared.hosted.keep(made, as: number) }
}

extension PoolError {
    static func managerIsOver() -> PoolError {
        PoolError(.shutDown, "the manager has ended, and hosts no more actors; make another one")
    }
}

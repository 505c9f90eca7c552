import Distributed
import MultiprocessingRuntime

/// The process of a manager: a worker of which only the actors count.
final class ManagerProcess: Sendable {
    let core: PoolCore

    /// - Throws: ``PoolError`` when the process could not be started.
    init(_ backend: any Backend) async throws {
        var backend = backend
        if var named = backend as? ProcessBackend, named.name == nil {
            named.name = "manager"
            backend = named
        }
        var rules = SchedulerRules()
        // Its actors would not be there.
        rules.hasNoReplacements = true
        core = try PoolCore(backend: backend, workerCount: 1, carrying: [], rules: rules)
        do {
            try await core.start()
        } catch {
            core.abandon()
            throw error
        }
    }

    deinit {
        core.removeObserver()
    }

    func host<Act: DistributedActor>(
        work: (PoolCore) throws -> ItemFunction<WorkerActorSystem, Act>
    ) async throws -> Act where Act.ActorSystem == WorkerActorSystem {
        let item = try SingleChunk(
            core: core, input: WorkerActorSystem.shared, work: try work(core), options: CallOptions())
        core.submit(item)
        let actor = try await Future(item).value
        actor.id.host?.keep(self)
        return actor
    }
}

public import Distributed
import MultiprocessingRuntime
import MultiprocessingSystem
import Synchronization

/// Actors in workers.
extension Pool {
    /// Makes an actor in one of the pool's workers, and returns a reference to it.
    ///
    /// ```swift
    /// let parser = try await pool.host { Parser(actorSystem: $0) }
    /// let tree = try await parser.parse(untrusted)
    /// ```
    ///
    /// For state that has to be contained when it crashes: calls then fail with ``ActorCallError/Code/hostGone``, in doubt
    /// if they had been sent, and the pool replaces the worker as ever; the actor is gone. Calls reach the actor also
    /// while its worker runs an item. An item that ends its worker, by a crash or because it does not stop when its time
    /// is up, ends the worker's actors too.
    ///
    /// The worker that has the fewest actors is chosen; one that is busy with items is waited for, for a tenth of a
    /// second, while others are idle. The actor is made between items. From then on, for as long as a process has a
    /// reference (<doc:Actors> has the rules), the worker is not replaced by ``Configuration/recycling``, nor let go by
    /// ``Configuration/idleTimeout`` or ``resize(to:)``; one that is too many then runs no items.
    ///
    /// A reference in this process keeps a pool that is let go of. ``shutDown()`` and ``terminate()`` end the actors, for
    /// all who have references: later calls fail as not begun.
    ///
    /// On ``Backend/threads`` the actor lives in this process, whose own calls are ordinary ones, and is made by the calling
    /// task; a crash of it is one of the program.
    ///
    /// - Parameters:
    ///   - allowsRecycling: Whether the worker may be replaced or let go under the actor as if it had none.
    ///   - make: Makes the actor with the actor system of the process that it is called in; for processes it has to be
    ///     portable.
    /// - Throws: What `make` throws; ``PoolError/Code/notPortable`` when it cannot be sent; ``PoolError/Code/shutDown``
    ///   when the pool has ended, ``PoolError/Code/workerCrashed`` when the worker ends meanwhile, and what
    ///   other work fails with when no worker can be started.
    public func host<Act: DistributedActor>(
        allowsRecycling: Bool = false,
        _ make: @escaping @Sendable (WorkerActorSystem) throws -> Act
    ) async throws -> Act where Act.ActorSystem == WorkerActorSystem {
        guard core.needsPortableWork else { return try keep { try make(.shared) } }
        return try await host(allowsRecycling, core.work(FunctionBox(make)))
    }

    /// Makes a distributed actor in one of the workers by an asynchronous closure, and returns a reference to it.
    ///
    /// - Parameters:
    ///   - allowsRecycling: Whether the worker may be replaced or let go under the actor as if it had none.
    ///   - make: Makes the actor with the actor system of the process that it is called in; for processes it has to be
    ///     portable.
    /// - Throws: What `make` throws; ``PoolError/Code/notPortable`` when it cannot be sent; ``PoolError/Code/shutDown``
    ///   when the pool has ended, ``PoolError/Code/workerCrashed`` when the worker ends meanwhile, and what
    ///   other work fails with when no worker can be started.
    public func host<Act: DistributedActor>(
        allowsRecycling: Bool = false,
        _ make: @escaping @Sendable (WorkerActorSystem) async throws -> Act
    ) async throws -> Act where Act.ActorSystem == WorkerActorSystem {
        guard core.needsPortableWork else {
            let actor = try await make(.shared)
            return try keep { actor }
        }
        return try await host(allowsRecycling, core.work(AsyncFunctionBox(make)))
    }

    private func host<Act: DistributedActor>(
        _ allowsRecycling: Bool, _ work: ItemFunction<WorkerActorSystem, Act>
    ) async throws -> Act where Act.ActorSystem == WorkerActorSystem {
        let item = try SingleChunk(core: core, input: .shared, work: work, options: CallOptions())
        item.placement = ActorPlacement(keepsWorker: !allowsRecycling)
        item.label = "host"
        core.submit(item)
        let actor = try await Future(item).value
        actor.id.host?.keep(PoolKeeper(core))
        return actor
    }

    /// Keeps an actor of this process for others to call.
    private func keep<Act: DistributedActor>(_ make: () throws -> Act) throws -> Act
    where Act.ActorSystem == WorkerActorSystem {
        if let refusal = core.refusal { throw refusal }
        let actor = try make()
        let hosted = WorkerActorSystem.shared.hosted
        try hosted.export(actor.id.number)
        localActors.withLock { actors in
            // Now and then, so that those that are gone are not kept in mind.
            if actors.count.nonzeroBitCount == 1 { actors.removeAll { !hosted.contains($0) } }
            actors.append(actor.id.number)
        }
        return actor
    }

    /// Lets nobody else call the actors of this process any more that the pool has hosted.
    func withdrawActors() {
        let actors = localActors.withLock { actors in
            defer { actors = [] }
            return actors
        }
        for actor in actors { WorkerActorSystem.shared.hosted.withdraw(actor) }
    }
}

/// Keeps a pool for those who have references to its workers' actors.
private final class PoolKeeper: Sendable {
    private let core: PoolCore

    init(_ core: PoolCore) {
        self.core = core
        core.addObserver()
    }

    deinit {
        core.removeObserver()
    }
}

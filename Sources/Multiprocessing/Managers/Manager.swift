public import Distributed
import MultiprocessingRuntime
import MultiprocessingSystem
import Synchronization

/// Hosts distributed actors that many processes use: in a process of its own, or in this one.
///
/// ```swift
/// let manager = try await Manager(.processes)
/// let counter = try await manager.host { Counter(actorSystem: $0) }
/// try await pool.forEach(1...100) { _ = try await counter.add($0) }
/// await manager.shutDown()
/// ```
///
/// On ``Backend/processes`` it is one process, this executable started again, in which nothing else runs: a crash of an
/// actor ends the actors of this manager, whose calls fail with ``ActorCallError/Code/hostGone`` from then on, and
/// nothing else. On ``Backend/threads`` the actors live in this process, whose own calls are then ordinary ones.
///
/// The process ends by ``shutDown()``, with this program, or when neither the manager nor a reference to one of its
/// actors is left in the process that made it.
public final class Manager: Sendable {
    private struct State {
        /// The actors that this process hosts.
        var actors: [WorkerActorID] = []
        var isOver = false
    }

    /// The process; `nil` when this one is the host.
    private let process: ManagerProcess?
    private let state = Mutex(State())

    /// Makes a manager, whose process is there when this returns.
    ///
    /// One that restarts is reached by the same references when its process has died and was started again: its actors are
    /// made anew by the closures that made them, with their initial state, in their order. Calls that were under way fail in
    /// doubt, calls until it is back as not begun. Its actors live as long as the manager, whoever refers to them. After
    /// five deaths within ten seconds it stays dead.
    ///
    /// - Parameters:
    ///   - backend: Whether it is a process, and what surrounds that, or this process.
    ///   - restarts: Whether a process that dies is started again; in this process nothing is.
    /// - Throws: ``PoolError/Code/workerStartFailed`` when the process could not be started, and `CancellationError`.
    public init(_ backend: any Backend = .processes, restarts: Bool = false) async throws {
        process = backend.needsPortableWork ? try await ManagerProcess.start(backend, restarts: restarts) : nil
    }

    /// The process that hosts the actors; `nil` once it is gone.
    public var processID: Int32? {
        process.map { $0.processID } ?? ProcessID.current.rawValue
    }

    // MARK: Hosting

    /// Makes an actor in the manager's process, and returns a reference to it.
    ///
    /// Actors are made one after another.
    ///
    /// - Parameter make: Makes the actor with the actor system of the process that it is called in; for a process it
    ///   has to be portable.
    /// - Throws: What `make` throws; ``PoolError/Code/notPortable`` when it cannot be sent; ``PoolError/Code/shutDown``
    ///   after ``shutDown()`` or the end of the process, ``PoolError/Code/workerCrashed`` when it ends meanwhile.
    public func host<Act: DistributedActor>(
        _ make: @escaping @Sendable (WorkerActorSystem) throws -> Act
    ) async throws -> Act where Act.ActorSystem == WorkerActorSystem {
        guard let process else { return try keep(make(.shared)) }
        return try await process.host { try $0.work(FunctionBox(make)) }
    }

    /// Makes an actor in the manager's process by an asynchronous closure, and returns a reference to it.
    ///
    /// - Parameter make: Makes the actor with the actor system of the process that it is called in; for a process it
    ///   has to be portable.
    /// - Throws: What `make` throws; ``PoolError/Code/notPortable`` when it cannot be sent; ``PoolError/Code/shutDown``
    ///   after ``shutDown()`` or the end of the process, ``PoolError/Code/workerCrashed`` when it ends meanwhile.
    public func host<Act: DistributedActor>(
        _ make: @escaping @Sendable (WorkerActorSystem) async throws -> Act
    ) async throws -> Act where Act.ActorSystem == WorkerActorSystem {
        guard let process else { return try keep(await make(.shared)) }
        return try await process.host { try $0.work(AsyncFunctionBox(make)) }
    }

    /// Keeps an actor of this process for others to call.
    private func keep<Act: DistributedActor>(_ actor: Act) throws -> Act where Act.ActorSystem == WorkerActorSystem {
        let isOver = state.withLock { state in
            if !state.isOver { state.actors.append(actor.id) }
            return state.isOver
        }
        if isOver { throw PoolError.managerIsOver() }
        try WorkerActorSystem.shared.hosted.export(actor.id.number)
        return actor
    }

    // MARK: The end

    /// Ends the manager and its actors, for all who have references.
    ///
    /// Suspends until the process is gone. Calls that are under way fail, in doubt, and later ones with
    /// ``ActorCallError/Code/hostGone``. On threads other processes cannot call the actors any more
    /// (``ActorCallError/Code/noSuchActor``), and this one can for as long as it has references.
    public func shutDown() async {
        let actors = state.withLock { state in
            state.isOver = true
            defer { state.actors = [] }
            return state.actors
        }
        for id in actors { WorkerActorSystem.shared.hosted.withdraw(id.number) }
        await process?.shutDown()
    }
}

extension Manager: CaptureAdvising {
    static var captureAdvice: String {
        "capture a reference to one of its actors, which is a value"
    }
}

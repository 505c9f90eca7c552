public import Distributed

/// A place where so many wait for one another, again and again.
///
/// ```swift
/// let everybody = try await manager.barrier(parties: 4)
/// let crew = try Crew(.processes, workers: 4, everybody) { everybody in
///     _ = try await everybody.wait(timeout: .seconds(60))
/// }
/// ```
public distributed actor ManagedBarrier {
    /// The system that its calls go through.
    public typealias ActorSystem = WorkerActorSystem

    /// How many wait for one another.
    private let partyCount: Int
    private var arrived = 0
    private var isDown = false
    private var line = WaitingLine()

    /// Makes a barrier in this process.
    ///
    /// - Parameters:
    ///   - parties: How many wait for one another.
    ///   - actorSystem: ``WorkerActorSystem/shared``, which a manager passes.
    /// - Throws: ``SharedStateError/Code/invalidArgument`` for fewer than one.
    public init(parties: Int, actorSystem: WorkerActorSystem) throws {
        partyCount = parties
        self.actorSystem = actorSystem
        guard parties > 0 else {
            throw SharedStateError(.invalidArgument, "a barrier of \(parties) parties is none; give it one or more")
        }
    }

    /// Waits until all parties do.
    ///
    /// - Parameter timeout: How long to wait; `nil` for ever. When it is up the barrier is broken.
    /// - Returns: A number of its own for each party, from zero in the order in which they came.
    /// - Throws: ``SharedStateError/Code/barrierBroken`` when it was aborted or reset, or a party has waited for too
    ///   long, was cancelled or died; `CancellationError`.
    @discardableResult
    public distributed func wait(timeout: Duration? = nil) async throws -> Int {
        if isDown { throw Self.broken }
        let place = arrived
        arrived += 1
        let line = line
        if arrived == partyCount {
            begin()
            line.admitAll()
            return place
        }
        do {
            try await line.wait(line.join(), timeout: timeout, "the others did not come to the barrier")
        } catch {
            if line === self.line { abort() }
            throw (error as? SharedStateError)?.code == .timedOut ? Self.broken : error
        }
        return place
    }

    /// Breaks the barrier: who waits, and who comes, fails until it is reset.
    public distributed func abort() {
        isDown = true
        fail()
    }

    /// Makes the barrier as it was at the beginning; who waits fails.
    public distributed func reset() {
        isDown = false
        fail()
    }

    /// Whether it is broken.
    public nonisolated var isBroken: Bool { get async throws { try await readIsBroken() } }

    distributed func readIsBroken() -> Bool { isDown }

    /// How many wait.
    public nonisolated var waitingCount: Int { get async throws { try await readWaitingCount() } }

    distributed func readWaitingCount() -> Int { arrived }

    /// How many wait for one another.
    public nonisolated var parties: Int { get async throws { try await readParties() } }

    distributed func readParties() -> Int { partyCount }

    private func begin() {
        arrived = 0
        line = WaitingLine()
    }

    private func fail() {
        let line = line
        begin()
        line.failAll(Self.broken)
    }

    private static var broken: SharedStateError {
        SharedStateError(
            .barrierBroken,
            """
            the barrier was aborted or reset, or one of the parties has waited for too long, was cancelled or died; \
            reset it when all parties are ready to begin again
            """)
    }
}

public import Distributed

/// Something that has happened, or not yet, for all that have a reference to it.
///
/// ```swift
/// let isReady = try await manager.event()
/// let future = pool.submit { try await isReady.wait(timeout: .seconds(60)) }
/// try await isReady.set()
/// ```
public distributed actor ManagedEvent {
    /// The system that its calls go through.
    public typealias ActorSystem = WorkerActorSystem

    private var hasHappened = false
    private let line = WaitingLine()

    /// Makes an event in this process, which is not set.
    ///
    /// - Parameter actorSystem: ``WorkerActorSystem/shared``, which a manager passes.
    public init(actorSystem: WorkerActorSystem) {
        self.actorSystem = actorSystem
    }

    /// Whether it is set.
    public nonisolated var isSet: Bool { get async throws { try await readIsSet() } }

    distributed func readIsSet() -> Bool { hasHappened }

    /// Sets it, and lets all go on that wait.
    public distributed func set() {
        hasHappened = true
        line.admitAll()
    }

    /// Makes it one that is not set.
    public distributed func clear() { hasHappened = false }

    /// Waits until it is set.
    ///
    /// - Parameter timeout: How long to wait; `nil` for ever.
    /// - Returns: Whether it was set; `false` when the time was up.
    /// - Throws: `CancellationError`.
    @discardableResult
    public distributed func wait(timeout: Duration? = nil) async throws -> Bool {
        if hasHappened { return true }
        do {
            try await line.wait(line.join(), timeout: timeout, "the event was not set")
            return true
        } catch let error as SharedStateError where error.code == .timedOut {
            return false
        }
    }
}

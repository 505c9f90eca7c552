public import Distributed

/// One value that many processes read and change, each operation as a whole.
///
/// ```swift
/// let best = try await manager.value(0)
/// try await pool.forEach(guesses) { guess in
///     try await best.update { $0 = max($0, guess) }
/// }
/// print(try await best.get())
/// ```
public distributed actor ManagedValue<Value: Codable & Sendable> {
    /// The system that its calls go through.
    public typealias ActorSystem = WorkerActorSystem

    private var value: Value

    /// Makes a value in this process.
    ///
    /// - Parameters:
    ///   - value: What it is at the beginning.
    ///   - actorSystem: ``WorkerActorSystem/shared``, which a manager passes.
    public init(_ value: Value, actorSystem: WorkerActorSystem) {
        self.value = value
        self.actorSystem = actorSystem
    }

    /// What it is now.
    public distributed func get() -> Value { value }

    /// Makes it another.
    public distributed func set(_ value: Value) { self.value = value }

    /// Changes it where it lives, so that no other change comes between.
    ///
    /// - Parameter body: Changes it, and runs in its process: there it has to be portable. If it throws, nothing is
    ///   changed.
    /// - Returns: What `body` returns.
    /// - Throws: What `body` throws, ``PoolError/Code/notPortable``, and ``ActorCallError``.
    @discardableResult
    public nonisolated func update<Result: Codable & Sendable>(
        _ body: @escaping @Sendable (inout Value) throws -> Result
    ) async throws -> Result {
        try await apply(PortableUpdate(body)).value()
    }

    /// Changes it by a closure that returns nothing.
    ///
    /// - Parameter body: Changes it, and runs in its process: there it has to be portable. If it throws, nothing is
    ///   changed.
    /// - Throws: What `body` throws, ``PoolError/Code/notPortable``, and ``ActorCallError``.
    public nonisolated func update(_ body: @escaping @Sendable (inout Value) throws -> Void) async throws {
        _ = try await apply(PortableUpdate(body))
    }

    distributed func apply(_ update: PortableUpdate<Value>) throws -> UpdateResult {
        var changed = value
        let result = try update.body(&changed)
        value = changed
        return result
    }
}

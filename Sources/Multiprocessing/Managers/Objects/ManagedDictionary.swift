public import Distributed

/// A dictionary that many processes read and change, each operation as a whole.
///
/// ```swift
/// let table = try await manager.dictionary(of: String.self, Int.self)
/// try await table.set("visits", 1)
/// try await table.update("visits", default: 0) { $0 += 1 }
/// ```
///
/// Values may be references to other actors, such as a ``ManagedArray``, which are then shared too.
public distributed actor ManagedDictionary<Key: Hashable & Codable & Sendable, Value: Codable & Sendable> {
    /// The system that its calls go through.
    public typealias ActorSystem = WorkerActorSystem

    private var contents: [Key: Value]

    /// Makes a dictionary in this process.
    ///
    /// - Parameters:
    ///   - contents: What is in it at the beginning.
    ///   - actorSystem: ``WorkerActorSystem/shared``, which a manager passes.
    public init(_ contents: [Key: Value] = [:], actorSystem: WorkerActorSystem) {
        self.contents = contents
        self.actorSystem = actorSystem
    }

    /// The value of a key; `nil` if there is none.
    public distributed func get(_ key: Key) -> Value? { contents[key] }

    /// Gives a key a value.
    public distributed func set(_ key: Key, _ value: Value) { contents[key] = value }

    /// Gives keys values, all at once.
    public distributed func merge(_ values: [Key: Value]) { contents.merge(values) { $1 } }

    /// Removes a key, and returns the value that it had.
    @discardableResult
    public distributed func remove(_ key: Key) -> Value? { contents.removeValue(forKey: key) }

    /// Removes all keys.
    public distributed func removeAll() { contents = [:] }

    // No property here is a distributed one: to use such a one of another module's generic actor crashes Swift 6.3's
    // optimizer.

    /// The keys, in no order.
    public nonisolated var keys: [Key] { get async throws { try await readKeys() } }

    distributed func readKeys() -> [Key] { Array(contents.keys) }

    /// The values, in no order.
    public nonisolated var values: [Value] { get async throws { try await readValues() } }

    distributed func readValues() -> [Value] { Array(contents.values) }

    /// A copy of the whole.
    public nonisolated var all: [Key: Value] { get async throws { try await readAll() } }

    distributed func readAll() -> [Key: Value] { contents }

    /// How many keys there are.
    public nonisolated var count: Int { get async throws { try await readCount() } }

    distributed func readCount() -> Int { contents.count }

    /// Changes the value of a key where the dictionary lives, so that no other change comes between.
    ///
    /// - Parameters:
    ///   - key: The key.
    ///   - value: What is changed if the key has no value.
    ///   - body: Changes the value, and runs in the dictionary's process: there it has to be portable. If it throws,
    ///     nothing is changed.
    /// - Returns: What `body` returns.
    /// - Throws: What `body` throws, ``PoolError/Code/notPortable``, and ``ActorCallError``.
    @discardableResult
    public nonisolated func update<Result: Codable & Sendable>(
        _ key: Key,
        default value: Value,
        _ body: @escaping @Sendable (inout Value) throws -> Result
    ) async throws -> Result {
        try await apply(key, value, PortableUpdate(body)).value()
    }

    /// Changes the value of a key by a closure that returns nothing.
    ///
    /// - Parameters:
    ///   - key: The key.
    ///   - value: What is changed if the key has no value.
    ///   - body: Changes the value, and runs in the dictionary's process: there it has to be portable. If it throws,
    ///     nothing is changed.
    /// - Throws: What `body` throws, ``PoolError/Code/notPortable``, and ``ActorCallError``.
    public nonisolated func update(
        _ key: Key,
        default value: Value,
        _ body: @escaping @Sendable (inout Value) throws -> Void
    ) async throws {
        _ = try await apply(key, value, PortableUpdate(body))
    }

    distributed func apply(_ key: Key, _ value: Value, _ update: PortableUpdate<Value>) throws -> UpdateResult {
        var changed = contents[key] ?? value
        let result = try update.body(&changed)
        contents[key] = changed
        return result
    }
}

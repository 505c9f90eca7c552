public import Distributed
import MultiprocessingCoding
import MultiprocessingRuntime

/// Named values of any types that many processes read and change.
///
/// ```swift
/// let settings = try await manager.namespace()
/// try await settings.set("limit", 10)
/// let limit = try await settings["limit", as: Int.self].get()
/// ```
public distributed actor ManagedNamespace {
    /// The system that its calls go through.
    public typealias ActorSystem = WorkerActorSystem

    private var contents: [String: NamedValue] = [:]

    /// Makes a namespace in this process.
    ///
    /// - Parameter actorSystem: ``WorkerActorSystem/shared``, which a manager passes.
    public init(actorSystem: WorkerActorSystem) {
        self.actorSystem = actorSystem
    }

    /// Gives a name a value.
    public distributed func set<Value: Codable & Sendable>(_ name: String, _ value: Value) {
        contents[name] = NamedValue(value: value)
    }

    /// The value of a name; `nil` if there is none.
    ///
    /// - Parameters:
    ///   - name: The name.
    ///   - type: Of which type it is.
    /// - Throws: ``SharedStateError/Code/invalidArgument`` when it is of another type.
    public nonisolated func get<Value: Codable & Sendable>(
        _ name: String,
        as type: Value.Type = Value.self
    ) async throws -> Value? {
        try await find(name, ValueType<Value>())
    }

    /// Removes a name; returns whether it had a value.
    @discardableResult
    public distributed func remove(_ name: String) -> Bool { contents.removeValue(forKey: name) != nil }

    /// The names that have values, sorted.
    public nonisolated var names: [String] { get async throws { try await readNames() } }

    distributed func readNames() -> [String] { contents.keys.sorted() }

    /// A name, whose value is read and set by what this returns.
    public nonisolated subscript<Value: Codable & Sendable>(
        _ name: String,
        as type: Value.Type
    ) -> Member<Value> {
        Member(name: name, namespace: self)
    }

    distributed func find<Value: Codable & Sendable>(_ name: String, _ type: ValueType<Value>) throws -> Value? {
        guard let found = contents[name] else { return nil }
        guard let value = found.value as? Value else {
            throw SharedStateError(
                .invalidArgument,
                """
                the value of \(name) is a \(readableName(of: Swift.type(of: found.value))), and was asked for as a \
                \(readableName(of: Value.self)); ask for it as what was set
                """)
        }
        return value
    }

    /// One name of a ``ManagedNamespace``, with values of one type.
    public struct Member<Value: Codable & Sendable>: Sendable {
        let name: String
        let namespace: ManagedNamespace

        /// The value; `nil` if there is none.
        ///
        /// - Throws: As ``ManagedNamespace/get(_:as:)``.
        public func get() async throws -> Value? { try await namespace.get(name) }

        /// Gives the name a value.
        ///
        /// - Throws: ``ActorCallError``.
        public func set(_ value: Value) async throws { try await namespace.set(name, value) }
    }
}

/// A value of whatever type.
private struct NamedValue: Sendable {
    let value: any Sendable
}

/// Says of which type a value is.
struct ValueType<Value>: Codable, Sendable {}

/// Objects that are ready to be hosted.
extension Manager {
    /// Makes a dictionary.
    ///
    /// - Parameters:
    ///   - key: The type of its keys.
    ///   - value: The type of its values, which may be that of other actors.
    /// - Throws: As `host(_:)`.
    public func dictionary<Key: Hashable & Codable & Sendable, Value: Codable & Sendable>(
        of key: Key.Type,
        _ value: Value.Type
    ) async throws -> ManagedDictionary<Key, Value> {
        try await host { ManagedDictionary<Key, Value>(actorSystem: $0) }
    }

    /// Makes an array.
    ///
    /// - Parameter element: The type of its elements, which may be that of other actors.
    /// - Throws: As `host(_:)`.
    public func array<Element: Codable & Sendable>(of element: Element.Type) async throws -> ManagedArray<Element> {
        try await host { ManagedArray<Element>(actorSystem: $0) }
    }

    /// Makes a value.
    ///
    /// - Parameter value: What it is at the beginning.
    /// - Throws: As `host(_:)`, and ``PoolError/Code/notPortable`` for a value that cannot be encoded.
    public func value<Value: Codable & Sendable>(_ value: Value) async throws -> ManagedValue<Value> {
        try await host { ManagedValue<Value>(value, actorSystem: $0) }
    }

    /// Makes a namespace.
    ///
    /// - Throws: As `host(_:)`.
    public func namespace() async throws -> ManagedNamespace {
        try await host { ManagedNamespace(actorSystem: $0) }
    }

    /// Makes a queue.
    ///
    /// - Parameters:
    ///   - element: The type of its elements.
    ///   - capacity: How many elements it has at most; `nil` for as many as there is memory for.
    /// - Throws: As `host(_:)`, and ``SharedStateError/Code/invalidArgument``.
    public func queue<Element: Codable & Sendable>(
        of element: Element.Type,
        capacity: Int? = nil
    ) async throws -> ManagedQueue<Element> {
        try await host { try ManagedQueue<Element>(capacity: capacity, actorSystem: $0) }
    }

    /// Makes a lock.
    ///
    /// - Throws: As `host(_:)`.
    public func lock() async throws -> ManagedLock {
        try await host { ManagedLock(actorSystem: $0) }
    }

    /// Makes a semaphore.
    ///
    /// - Parameters:
    ///   - permits: How many permits there are.
    ///   - isBounded: Whether more than these can never be free.
    /// - Throws: As `host(_:)`, and ``SharedStateError/Code/invalidArgument``.
    public func semaphore(_ permits: Int, isBounded: Bool = true) async throws -> ManagedSemaphore {
        try await host { try ManagedSemaphore(permits, isBounded: isBounded, actorSystem: $0) }
    }

    /// Makes an event, which is not set.
    ///
    /// - Throws: As `host(_:)`.
    public func event() async throws -> ManagedEvent {
        try await host { ManagedEvent(actorSystem: $0) }
    }

    /// Makes a condition with a lock of its own.
    ///
    /// - Throws: As `host(_:)`.
    public func condition() async throws -> ManagedCondition {
        try await host { ManagedCondition(actorSystem: $0) }
    }

    /// Makes a barrier.
    ///
    /// - Parameter parties: How many wait for one another.
    /// - Throws: As `host(_:)`, and ``SharedStateError/Code/invalidArgument``.
    public func barrier(parties: Int) async throws -> ManagedBarrier {
        try await host { try ManagedBarrier(parties: parties, actorSystem: $0) }
    }
}

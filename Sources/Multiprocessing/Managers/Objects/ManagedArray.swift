public import Distributed

/// An array that many processes read and change, each operation as a whole.
///
/// ```swift
/// let found = try await manager.array(of: String.self)
/// try await pool.forEach(pages) { page in
///     if page.contains("error") { try await found.append(page) }
/// }
/// print(try await found.elements)
/// ```
public distributed actor ManagedArray<Element: Codable & Sendable> {
    /// The system that its calls go through.
    public typealias ActorSystem = WorkerActorSystem

    private var contents: [Element]

    /// Makes an array in this process.
    ///
    /// - Parameters:
    ///   - contents: What is in it at the beginning.
    ///   - actorSystem: ``WorkerActorSystem/shared``, which a manager passes.
    public init(_ contents: [Element] = [], actorSystem: WorkerActorSystem) {
        self.contents = contents
        self.actorSystem = actorSystem
    }

    /// Adds an element at the end.
    public distributed func append(_ element: Element) { contents.append(element) }

    /// Adds elements at the end, one behind the other.
    public distributed func append(contentsOf elements: [Element]) { contents += elements }

    /// The element at a place.
    ///
    /// - Throws: ``SharedStateError/Code/invalidArgument`` when there is none.
    public distributed func get(_ index: Int) throws -> Element {
        try check(index, contents.count)
        return contents[index]
    }

    /// The elements at places.
    ///
    /// - Throws: ``SharedStateError/Code/invalidArgument`` when one of them is not there.
    public distributed func get(_ range: Range<Int>) throws -> [Element] {
        try check(range.lowerBound, contents.count + 1)
        try check(range.upperBound, contents.count + 1)
        return Array(contents[range])
    }

    /// Puts another element at a place.
    ///
    /// - Throws: ``SharedStateError/Code/invalidArgument`` when there is none.
    public distributed func set(_ index: Int, _ element: Element) throws {
        try check(index, contents.count)
        contents[index] = element
    }

    /// Puts an element in front of the one at a place, or at the end.
    ///
    /// - Throws: ``SharedStateError/Code/invalidArgument`` when the array is shorter.
    public distributed func insert(_ element: Element, at index: Int) throws {
        try check(index, contents.count + 1)
        contents.insert(element, at: index)
    }

    /// Removes the element at a place, and returns it.
    ///
    /// - Throws: ``SharedStateError/Code/invalidArgument`` when there is none.
    @discardableResult
    public distributed func remove(at index: Int) throws -> Element {
        try check(index, contents.count)
        return contents.remove(at: index)
    }

    /// Removes the last element, and returns it; `nil` if there is none.
    public distributed func popLast() -> Element? { contents.popLast() }

    /// Removes all elements.
    public distributed func removeAll() { contents = [] }

    /// A copy of the elements.
    public nonisolated var elements: [Element] { get async throws { try await readElements() } }

    distributed func readElements() -> [Element] { contents }

    /// How many elements there are.
    public nonisolated var count: Int { get async throws { try await readCount() } }

    distributed func readCount() -> Int { contents.count }

    /// Changes the elements where the array lives, so that no other change comes between.
    ///
    /// - Parameter body: Changes them, and runs in the array's process: there it has to be portable. If it throws,
    ///   nothing is changed.
    /// - Returns: What `body` returns.
    /// - Throws: What `body` throws, ``PoolError/Code/notPortable``, and ``ActorCallError``.
    @discardableResult
    public nonisolated func update<Result: Codable & Sendable>(
        _ body: @escaping @Sendable (inout [Element]) throws -> Result
    ) async throws -> Result {
        try await apply(PortableUpdate(body)).value()
    }

    /// Changes the elements by a closure that returns nothing.
    ///
    /// - Parameter body: Changes them, and runs in the array's process: there it has to be portable. If it throws,
    ///   nothing is changed.
    /// - Throws: What `body` throws, ``PoolError/Code/notPortable``, and ``ActorCallError``.
    public nonisolated func update(_ body: @escaping @Sendable (inout [Element]) throws -> Void) async throws {
        _ = try await apply(PortableUpdate(body))
    }

    distributed func apply(_ update: PortableUpdate<[Element]>) throws -> UpdateResult {
        var changed = contents
        let result = try update.body(&changed)
        contents = changed
        return result
    }

    private func check(_ index: Int, _ limit: Int) throws {
        guard index >= 0, index < limit else {
            throw SharedStateError(
                .invalidArgument,
                "the index \(index) is out of range: the array has \(contents.count) elements; look at its count")
        }
    }
}

import MultiprocessingSystem

extension SharedWait {
    /// Blocks until `look` finds something; `nil` when the time has passed.
    static func block<Value>(_ timeout: Duration?, _ look: (WaitRound) -> Look<Value>) throws -> Value? {
        let deadline = timeout.map { MonotonicTime.now().advanced(by: $0) }
        let outcome = try SharedStateError.catching { () throws(SystemError) in try block(until: deadline, look) }
        return try outcome.foundInTime()
    }

    /// Suspends until `look` finds something; `nil` when the time has passed.
    ///
    /// - Parameter place: What keeps the word mapped while the task waits.
    nonisolated(nonsending) static func suspend<Value: Sendable>(
        _ timeout: Duration?,
        keeping place: SharedSlot,
        on word: FutexWord,
        exclusively: Bool,
        _ look: @escaping @Sendable (WaitRound) -> Look<Value>
    ) async throws -> Value? {
        let deadline = timeout.map { MonotonicTime.now().advanced(by: $0) }
        let outcome: WaitOutcome<Value>
        do {
            outcome = try await suspend(on: word, exclusively: exclusively, until: deadline) { round in
                withExtendedLifetime(place) { look(round) }
            }
        } catch {
            throw SharedStateError.system(error)
        }
        return try outcome.foundInTime()
    }
}

extension WaitOutcome {
    /// What was found; `nil` when the time has passed.
    fileprivate func foundInTime() throws -> Value? {
        switch self {
        case .done(let value): value
        case .timedOut: nil
        case .cancelled: throw CancellationError()
        }
    }
}

extension SharedSlot {
    /// Makes memory of its own for something that does not fit into a slot.
    static func make(_ kind: SharedKind, size: Int, name: String) throws(SharedStateError) -> SharedSlot {
        let pages = try SharedPages.make(size: size, name: name)
        return SharedSlot(try SharedObject.make(kind, pages: pages))
    }

    /// All of an object's memory.
    ///
    /// - Throws: If it is smaller than what is read of it.
    init(checking object: SharedObject, size: Int) throws(SharedStateError) {
        guard let pages = object.pages, pages.count >= size else {
            throw SharedStateError(.damaged, "what came as shared memory is too small; make a new one")
        }
        self.init(object)
    }

    private init(_ object: SharedObject) {
        // Pages are never empty.
        self.init(object, pointer: object.pages.unsafelyUnwrapped.bytes.baseAddress.unsafelyUnwrapped)
    }
}

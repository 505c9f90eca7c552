import MultiprocessingSystem

/// What the locks have in common: how they are used once they can be entered and left.
protocol LockHandle: Sendable {
    /// Takes the lock, blocking; returns who died with it, if nobody has recovered since.
    func enter(_ timeout: Duration?) throws -> DeadOwner?

    /// Takes the lock, suspending.
    nonisolated(nonsending) func suspendToEnter(_ timeout: Duration?) async throws -> DeadOwner?

    /// Lets the lock go.
    func leave() throws(SharedStateError)

    /// Says that what the lock guards is in order again.
    func recovered() throws(SharedStateError)
}

extension LockHandle {
    /// Takes the lock, and has what it guards put in order if it has to be.
    func enter(_ timeout: Duration?, recovering recover: ((DeadOwner) throws -> Void)?) throws {
        guard let dead = try enter(timeout) else { return }
        try leavingOnError {
            guard let recover else { throw SharedStateError.ownerDied(dead) }
            try recover(dead)
            try recovered()
        }
    }

    nonisolated(nonsending) func suspendToEnter(
        _ timeout: Duration?, recovering recover: ((DeadOwner) async throws -> Void)?
    ) async throws {
        guard let dead = try await suspendToEnter(timeout) else { return }
        do {
            guard let recover else { throw SharedStateError.ownerDied(dead) }
            try await recover(dead)
            try recovered()
        } catch {
            try? leave()
            throw error
        }
    }

    /// Runs `body`; the lock is let go if it throws, and what it threw counts.
    @inline(__always)
    func leavingOnError<Result>(_ body: () throws -> Result) throws -> Result {
        do {
            return try body()
        } catch {
            try? leave()
            throw error
        }
    }

    /// Runs `body`, and lets the lock go.
    @inline(__always)
    func leaving<Result>(_ body: () throws -> Result) throws -> Result {
        let result = try leavingOnError(body)
        try leave()
        return result
    }

    nonisolated(nonsending) func leaving<Result>(_ body: () async throws -> Result) async throws -> Result {
        let result: Result
        do {
            result = try await body()
        } catch {
            try? leave()
            throw error
        }
        try leave()
        return result
    }
}

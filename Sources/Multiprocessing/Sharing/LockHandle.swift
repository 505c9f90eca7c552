/// What the locks have in common: how they are entered and left.
@usableFromInline
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
    /// Does what only the owner may do; ends the process if the caller is not.
    func insist(_ body: () throws(SharedStateError) -> Void, of function: StaticString = #function) {
        do throws(SharedStateError) {
            try body()
        } catch {
            fatalError("\(Self.self).\(function): \(error)")
        }
    }

    /// Takes the lock, and has what it guards put in order if it has to be.
    @usableFromInline
    func enter(_ timeout: Duration?, recovering recover: ((DeadOwner) throws -> Void)?) throws {
        guard let dead = try enter(timeout) else { return }
        do {
            guard let recover else { throw SharedStateError.ownerDied(dead) }
            try recover(dead)
            try recovered()
        } catch {
            leaveQuietly()
            throw error
        }
    }

    @usableFromInline
    nonisolated(nonsending) func suspendToEnter(
        _ timeout: Duration?, recovering recover: ((DeadOwner) async throws -> Void)?
    ) async throws {
        guard let dead = try await suspendToEnter(timeout) else { return }
        do {
            guard let recover else { throw SharedStateError.ownerDied(dead) }
            try await recover(dead)
            try recovered()
        } catch {
            leaveQuietly()
            throw error
        }
    }

    /// Lets the lock go where another error is thrown already.
    @usableFromInline
    func leaveQuietly() { try? leave() }
}

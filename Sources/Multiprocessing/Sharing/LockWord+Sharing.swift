import MultiprocessingSystem

extension LockWord {
    /// Takes the lock, blocking; returns who died with it, if nobody has recovered since.
    func enter(_ timeout: Duration?, _ what: String) throws -> DeadOwner? {
        if let timeout, timeout <= .zero { return try tryEnter(what) }
        return try SharedStateError.catching { () throws(SystemError) in
            try lock(until: timeout.map { MonotonicTime.now().advanced(by: $0) })
        }
        .found(orThrow: { .timedOut("the \(what) was not to be had", after: timeout) })
        .deadOwner
    }

    /// Takes the lock, suspending.
    ///
    /// - Parameter owner: What keeps the memory mapped while the task waits.
    nonisolated(nonsending) func suspendToEnter(
        _ timeout: Duration?, keeping owner: SharedSlot, _ what: String
    ) async throws -> DeadOwner? {
        if let timeout, timeout <= .zero { return try tryEnter(what) }
        if spin() { return nil }
        let page = try SharedStateError.catching { () throws(SystemError) in try LifePage.current }
        let deadline = timeout.map { MonotonicTime.now().advanced(by: $0) }
        let outcome: WaitOutcome<Acquired>
        do {
            outcome = try await SharedWait.suspend(on: word, exclusively: true, until: deadline) { round in
                withExtendedLifetime(owner) { look(round, page) }
            }
        } catch {
            throw SharedStateError.system(error)
        }
        return try outcome.found(orThrow: { .timedOut("the \(what) was not to be had", after: timeout) }).deadOwner
    }

    private func tryEnter(_ what: String) throws(SharedStateError) -> DeadOwner? {
        guard let acquisition = try tryEnter() else { throw .timedOut("the \(what) was not to be had", after: .zero) }
        return acquisition.previousOwner
    }

    /// Takes the lock whatever happens to the task, blocking; returns who died with it.
    func enterAgain() throws(SharedStateError) -> DeadOwner? {
        try SharedStateError.catching { () throws(SystemError) in try lock(isCancellable: false) }.deadOwner
    }

    /// The same, suspending.
    nonisolated(nonsending) func suspendToEnterAgain(keeping owner: SharedSlot) async throws(SharedStateError)
        -> DeadOwner?
    {
        if let taken = try tryEnter() { return taken.previousOwner }
        let page = try SharedStateError.catching { () throws(SystemError) in try LifePage.current }
        do {
            return try await SharedWait.suspend(on: word, exclusively: true, until: nil, isCancellable: false) {
                round in
                withExtendedLifetime(owner) { look(round, page) }
            }.deadOwner
        } catch {
            throw .system(error)
        }
    }

    /// Takes the lock if that needs no waiting; `nil` if another has it.
    func tryEnter() throws(SharedStateError) -> Acquisition? {
        try SharedStateError.catching { () throws(SystemError) in try tryLock() }
            .map { Acquisition(previousOwner: $0.deadOwner) }
    }
}

extension LockWord.Acquired {
    /// Who died with the lock, if nobody has recovered since.
    var deadOwner: DeadOwner? {
        switch self {
        case .clean: nil
        case .afterDeath(let number): DeadOwner(number)
        }
    }
}

extension WaitOutcome<LockWord.Acquired> {
    /// Who died with the lock, of a wait that ends with the lock only.
    fileprivate var deadOwner: DeadOwner? {
        if case .done(let acquired) = self { acquired.deadOwner } else { nil }
    }
}

extension DeadOwner {
    init(_ number: UInt32) {
        self.init(processID: LifePage.existing?.processID(of: number), number: number)
    }
}

extension WaitOutcome {
    /// What was waited for; throws if the time passed or the task was cancelled.
    func found(orThrow timedOut: () -> SharedStateError) throws -> Value {
        switch self {
        case .done(let value): value
        case .timedOut: throw timedOut()
        case .cancelled: throw CancellationError()
        }
    }
}

extension LockWord {
    /// Who has it, for people.
    var ownerText: String {
        let owner = state.owner
        if owner == 0 { return "free" }
        if owner == LifePage.number { return "held by this process" }
        return "held by \(DeadOwner(owner))"
    }
}

/// Who has something that one process at a time can have: the state of a lock in an actor.
///
/// It is used in the isolation of the actor that has it, and nowhere else.
struct Ownership {
    /// What was had by a process that died.
    enum Loss: Equatable { case none, ownerDied }

    private var isOwned = false
    /// The owner, if it is another process.
    private var owner: ActorCaller?
    private var ending: UInt64 = 0
    private(set) var isAbandoned = false

    var isFree: Bool { !isOwned }

    /// Whether the owner is this process of several; `nil` stands for the host itself.
    func isOwned(by caller: ActorCaller) -> Bool { isOwned && owner === caller }

    /// Makes a process the owner.
    ///
    /// - Parameter onDeath: Called, on any thread, when the process dies while it is that.
    mutating func give(to caller: ActorCaller?, onDeath: @escaping @Sendable () -> Void) {
        isOwned = true
        owner = caller
        ending = caller?.onEnd(onDeath) ?? 0
    }

    /// Nobody is the owner any more.
    mutating func take() {
        owner?.forget(ending)
        owner = nil
        isOwned = false
    }

    /// The same because the owner died.
    mutating func abandon() {
        take()
        isAbandoned = true
    }

    mutating func recover() {
        isAbandoned = false
    }
}

extension SharedStateError {
    static func managedOwnerDied(_ what: String) -> SharedStateError {
        SharedStateError(
            .ownerDied,
            """
            a process died while it held \(what), and what that guards may be half changed; put it in order, and call \
            markRecovered()
            """)
    }

    static func managedNotHeld(_ what: String) -> SharedStateError {
        SharedStateError(.notHeld, "\(what) is not held by anybody; release once what was acquired")
    }
}

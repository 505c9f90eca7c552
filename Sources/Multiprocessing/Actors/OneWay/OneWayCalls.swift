public import Distributed
import MultiprocessingCoding
import MultiprocessingRuntime
import Synchronization

/// Sends calls to one distributed actor without waiting for their answers.
///
/// Within `body`, a call of a method that returns nothing has ended for its caller once it is on its way:
///
/// ```swift
/// try await withOneWayCalls(to: visits) { calls in
///     for page in pages { try await visits.note(page) }
///     try await calls.finish()
/// }
/// ```
///
/// Each call is made at most once, and this process's calls to the actor, with answers or without, are begun in the order
/// in which they were made. Whether one was made is not known before ``OneWayCalls/finish()``: what the method throws, and
/// what becomes of a call whose host dies, is counted in ``OneWayCalls/failureCount``. When `body` ends nothing is waited
/// for, and a program that ends may take with it what was not yet sent.
///
/// A call suspends while the host has not ended 4,096 one-way calls of this process, or 4 MiB of them. That wait is
/// what cancellation ends, with `CancellationError`, and what ``withCallTimeout(_:_:)`` limits: then the call was not sent. A call
/// that was sent is not cancelled, not even when this process dies. References and handles among its arguments are
/// kept until it has ended.
///
/// Calls to other actors wait for their answers. So do those to an actor that lives in this process: what it throws is
/// thrown by the call, since there is no way that would have to be saved.
///
/// - Parameters:
///   - actor: Calls of its methods that return a value fail with ``ActorCallError/Code/refused``, and are not sent.
///   - body: Runs where the caller runs; tasks that it makes inherit this.
/// - Returns: What `body` returns.
/// - Throws: What `body` throws. A call throws ``ActorCallError``: ``ActorCallError/Code/hostGone`` when the host has ended, at
///   every call from then on, also if the host is back, so that none is made behind a gap.
nonisolated(nonsending) public func withOneWayCalls<Act: DistributedActor, Value>(
    to actor: Act,
    _ body: nonisolated(nonsending) (OneWayCalls) async throws -> Value
) async rethrows -> Value where Act.ID == WorkerActorID {
    let calls = OneWayCalls(to: actor.id, within: OneWayCalls.current)
    guard actor.id.host != nil else { return try await body(calls) }
    return try await OneWayCalls.$current.withValue(calls) { try await body(calls) }
}

/// One-way calls to an actor, as ``withOneWayCalls(to:_:)`` makes them.
public final class OneWayCalls: Sendable {
    /// Those of the task.
    @TaskLocal static var current: OneWayCalls?

    private struct State {
        /// The connection of the first call.
        var connection: HostConnection?
        /// The method that was called last, and its number there.
        var target = ""
        var method: UInt32 = 0
        /// How many calls are under way.
        var count = 0
        var failureCount = 0
        /// One that nobody was told of.
        var failure: (any Error)?
        var waiters: [OneWayWaiter] = []
    }

    /// Tells the process's objects of this kind apart.
    let number: UInt32
    private let actor: WorkerActorID
    /// Those within which these are made.
    private let outer: OneWayCalls?
    private let state = Mutex(State())

    private static let count = Atomic<UInt32>(0)

    fileprivate init(to actor: WorkerActorID, within outer: OneWayCalls?) {
        number = Self.count.wrappingAdd(1, ordering: .relaxed).newValue
        self.actor = actor
        self.outer = outer
    }

    /// Those of the task to an actor.
    static func current(to actor: WorkerActorID) -> OneWayCalls? {
        var next = current
        while let calls = next, calls.actor != actor { next = calls.outer }
        return next
    }

    /// How many of the calls have failed, as far as is known: whose method threw, or was not there, or whose host died.
    public var failureCount: Int { state.withLock { $0.failureCount } }

    /// Suspends until no call is under way any more.
    ///
    /// - Throws: What one of the calls threw, if any failed since the last `finish`; ``ActorCallError/Code/hostGone`` if the
    ///   host died under it. `CancellationError` if the task is cancelled, and then the
    ///   calls go on.
    public func finish() async throws {
        let waiter = OneWayWaiter()
        try await waiter.wait {
            let isOver = state.withLock { state in
                if state.count > 0 { state.waiters.append(waiter) }
                return state.count == 0
            }
            if isOver { waiter.end() }
        }
        if let failure = state.withLock({ $0.failure.take() }) { throw failure }
    }

    // MARK: Sending

    /// Sends a call; suspends while there is no room for it.
    ///
    /// - Throws: ``ActorCallError``, ``PoolError/Code/notPortable``, `CancellationError`.
    func send(_ target: String, _ type: Any.Type, _ invocation: ActorInvocationEncoder) async throws {
        guard let host = actor.host else { throw ActorCallError.noSuchActor(actor.number) }
        let known = state.withLock { $0.connection }
        let connection = try known ?? host.connection()
        if known == nil { state.withLock { $0.connection = connection } }
        let arguments = try invocation.finish(for: connection.peer)
        var method: UInt32 = 0
        var name: ByteBuffer?
        if connection.peer == nil, invocation.generics.isEmpty {
            method = try number(of: target, type, invocation, connection)
        } else {
            name = try ActorFrame.Call(target, of: actor.number, type, invocation.generics, to: connection.peer).bytes()
            try Route.check(arguments?.bytes.count ?? 0, for: connection.peer)
        }
        let size = OneWayFrame.size((arguments?.bytes.count ?? 0) + (name?.count ?? 0))
        try await enter(size, connection)
        let attachments = arguments?.attachments ?? []
        let kept = invocation.kept
        var number: UInt64 = 0
        if !kept.isEmpty || !attachments.isEmpty {
            number = connection.window.keep(KeptArguments(values: kept, attachments: attachments))
        }
        let key = OneWayFrame.Key(calls: self.number, actor: actor.number, isNamed: name != nil)
        let isSent = connection.gather(key, attachments) { $0.append(method, name, arguments?.bytes, number: number) }
        // One that counts as under way when the host went is told of as such.
        if !isSent, connection.window.leave(size, self, number) {
            note(-1)
            throw connection.endError
        }
    }

    private func enter(_ size: Int, _ connection: HostConnection) async throws {
        // Counted first: its end may be told at once.
        note(1)
        do {
            switch connection.window.enter(size, self) {
            case .entered: break
            case .over: throw connection.endError
            case .mustWait:
                try await connection.window.enterLater(size, self, timeout: CallTimeout.current) {
                    connection.askForEnds()
                }
            }
        } catch {
            note(-1)
            throw error
        }
    }

    private func number(
        of target: String, _ type: Any.Type, _ invocation: ActorInvocationEncoder, _ connection: HostConnection
    ) throws -> UInt32 {
        let known = state.withLock { $0.target == target ? $0.method : 0 }
        if known > 0 { return known }
        let method = try connection.method(target, type, invocation)
        state.withLock { state in
            state.target = target
            state.method = method
        }
        return method
    }

    // MARK: What came of them

    /// Takes what is known of some calls that were under way.
    func take(_ count: Int, failureCount: Int, _ failure: (any Error)?) {
        state.withLock { state in
            state.failureCount += min(failureCount, count)
            if state.failure == nil { state.failure = failure }
        }
        note(-count)
    }

    private func note(_ change: Int) {
        let waiters = state.withLock { state in
            state.count += change
            guard state.count == 0 else { return [] as [OneWayWaiter] }
            defer { state.waiters = [] }
            return state.waiters
        }
        for waiter in waiters { waiter.end() }
    }
}

extension ActorCallError {
    /// A one-way call that would have an answer.
    static func returnsValue(_ target: RemoteCallTarget, _ type: Any.Type) -> ActorCallError {
        ActorCallError(
            .refused,
            """
            \(target) returns a value (\(readableName(of: type))), which nobody would get from a one-way call; call it outside \
            of withOneWayCalls
            """)
    }
}

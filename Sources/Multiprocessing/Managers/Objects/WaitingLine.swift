import MultiprocessingSystem
import Synchronization

/// Those who wait at an actor for their turn, in the order in which they came.
///
/// The actor that owns the line decides whom it lets go on. Who is cancelled, or has waited for too long, leaves by
/// itself, at any time.
///
/// To stand in the line is a step of its own, in which nothing else can come between: who looked, in its actor, and found
/// that it has to wait, is in the line before the actor does anything else, whatever the wait itself is isolated to.
final class WaitingLine: Sendable {
    private struct Place {
        let number: UInt64
        let caller: ActorCaller?
        /// Who waits, once it does.
        var continuation: CheckedContinuation<Void, any Error>?
    }

    private struct State {
        var places: [Place] = []
        var count: UInt64 = 0
        /// What came of those that had not begun to wait.
        var early: [UInt64: Result<Void, any Error>] = [:]
    }

    private let state = Mutex(State())

    var count: Int { state.withLock { $0.places.count } }

    /// Stands in the line, behind all others; ``wait(_:timeout:_:isCancellable:)`` has to follow.
    ///
    /// - Returns: What names the place.
    func join() -> UInt64 {
        let caller = ActorCaller.current
        return state.withLock { state in
            state.count += 1
            state.places.append(Place(number: state.count, caller: caller))
            return state.count
        }
    }

    /// Waits until somebody is let go on who stands in the line.
    ///
    /// - Parameters:
    ///   - number: The place.
    ///   - timeout: How long to wait.
    ///   - what: What did not happen if the time is up, as a sentence.
    ///   - isCancellable: Whether a cancelled task gives up; one that has to have something back does not.
    /// - Throws: `CancellationError`, ``SharedStateError/Code/timedOut``, and what ``failAll(_:)`` was given.
    nonisolated(nonsending) func wait(
        _ number: UInt64, timeout: Duration?, _ what: String, isCancellable: Bool = true
    ) async throws {
        if let timeout, timeout <= .zero { leave(number, SharedStateError.timedOut(what, after: timeout)) }
        let deadline = timeout.map { MonotonicTime.now().advanced(by: $0) }
        let alarm = deadline.flatMap { deadline in
            AlarmClock.shared.call(at: deadline) {
                self.leave(number, SharedStateError.timedOut(what, after: timeout))
            }
        }
        defer { if let alarm { AlarmClock.shared.cancel(alarm) } }
        // Without a thread that could keep the limit, too early is better than never.
        if deadline != nil, alarm == nil { leave(number, SharedStateError.timedOut(what, after: timeout)) }
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let end: Result<Void, any Error>? = state.withLock { state in
                    if let index = state.places.firstIndex(where: { $0.number == number }) {
                        state.places[index].continuation = continuation
                        return nil
                    }
                    return state.early.removeValue(forKey: number)
                }
                if let end { continuation.resume(with: end) }
            }
        } onCancel: {
            if isCancellable { leave(number, CancellationError()) }
        }
    }

    private func leave(_ number: UInt64, _ error: any Error) {
        end(.failure(error)) { places in places.firstIndex { $0.number == number } }
    }

    /// Ends the wait of one who stands in the line.
    ///
    /// - Returns: The place that it had; `nil` if there is none.
    @discardableResult
    private func end(_ result: Result<Void, any Error>, choosing choose: ([Place]) -> Int?) -> Place? {
        let place: Place? = state.withLock { state in
            guard let index = choose(state.places) else { return nil }
            let place = state.places.remove(at: index)
            if place.continuation == nil { state.early[place.number] = result }
            return place
        }
        place?.continuation?.resume(with: result)
        return place
    }

    /// Lets the first go on.
    ///
    /// - Returns: The process that it called from, as ``ActorCaller/current``; nothing if nobody waits.
    func admitFirst() -> ActorCaller?? {
        guard let place = end(.success(()), choosing: { $0.indices.first }) else { return nil }
        return .some(place.caller)
    }

    /// Lets all go on.
    func admitAll() {
        endAll(.success(()))
    }

    /// Has all fail.
    func failAll(_ error: any Error) {
        endAll(.failure(error))
    }

    private func endAll(_ result: Result<Void, any Error>) {
        let places = state.withLock { state in
            defer { state.places = [] }
            for place in state.places where place.continuation == nil { state.early[place.number] = result }
            return state.places
        }
        for place in places { place.continuation?.resume(with: result) }
    }
}

/// How long somebody waits who may have to wait several times.
struct WaitLimit {
    private let deadline: ContinuousClock.Instant?

    init(_ timeout: Duration?) {
        deadline = timeout.map { .now + $0 }
    }

    var remaining: Duration? { deadline.map { $0 - .now } }
}

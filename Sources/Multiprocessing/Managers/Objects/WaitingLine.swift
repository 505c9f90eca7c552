import MultiprocessingSystem
import Synchronization

/// Those who wait at an actor for their turn, in the order in which they came.
///
/// The actor that owns the line decides whom it lets go on. Who is cancelled, or has waited for too long, leaves by
/// itself, at any time.
final class WaitingLine: Sendable {
    private struct Place {
        let number: UInt64
        let caller: ActorCaller?
        let continuation: CheckedContinuation<Void, any Error>
    }

    private struct State {
        var places: [Place] = []
        var count: UInt64 = 0
    }

    private let state = Mutex(State())

    var count: Int { state.withLock { $0.places.count } }

    /// Waits until somebody is let go on, in the caller's isolation: it stands in the line before anything else runs there.
    ///
    /// - Parameters:
    ///   - timeout: How long to wait.
    ///   - what: What did not happen if the time is up, as a sentence.
    ///   - isCancellable: Whether a cancelled task gives up; one that has to have something back does not.
    /// - Throws: `CancellationError`, ``SharedStateError/Code/timedOut``, and what ``failAll(_:)`` was given.
    nonisolated(nonsending) func wait(timeout: Duration?, _ what: String, isCancellable: Bool = true) async throws {
        if let timeout, timeout <= .zero { throw SharedStateError.timedOut(what, after: timeout) }
        let number = state.withLock { state in
            state.count += 1
            return state.count
        }
        let deadline = timeout.map { MonotonicTime.now().advanced(by: $0) }
        let alarm = deadline.flatMap { deadline in
            AlarmClock.shared.call(at: deadline) {
                self.leave(number, SharedStateError.timedOut(what, after: timeout))
            }
        }
        defer { if let alarm { AlarmClock.shared.cancel(alarm) } }
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let place = Place(number: number, caller: ActorCaller.current, continuation: continuation)
                state.withLock { $0.places.append(place) }
                // Cancellation, and the alarm, may have come before and found nobody.
                if isCancellable, Task.isCancelled { leave(number, CancellationError()) }
                if let deadline, deadline <= .now() { leave(number, SharedStateError.timedOut(what, after: timeout)) }
            }
        } onCancel: {
            if isCancellable { leave(number, CancellationError()) }
        }
    }

    private func leave(_ number: UInt64, _ error: any Error) {
        let place: Place? = state.withLock { state in
            guard let index = state.places.firstIndex(where: { $0.number == number }) else { return nil }
            return state.places.remove(at: index)
        }
        place?.continuation.resume(throwing: error)
    }

    /// Lets the first go on.
    ///
    /// - Returns: The process that it called from, as ``ActorCaller/current``; nothing if nobody waits.
    func admitFirst() -> ActorCaller?? {
        let place: Place? = state.withLock { $0.places.isEmpty ? nil : $0.places.removeFirst() }
        guard let place else { return nil }
        place.continuation.resume()
        return .some(place.caller)
    }

    /// Lets all go on; returns how many they were.
    @discardableResult
    func admitAll() -> Int {
        let places = takeAll()
        for place in places { place.continuation.resume() }
        return places.count
    }

    /// Has all fail; returns how many they were.
    @discardableResult
    func failAll(_ error: any Error) -> Int {
        let places = takeAll()
        for place in places { place.continuation.resume(throwing: error) }
        return places.count
    }

    private func takeAll() -> [Place] {
        state.withLock { state in
            defer { state.places = [] }
            return state.places
        }
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

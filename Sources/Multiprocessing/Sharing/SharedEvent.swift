import MultiprocessingSystem

/// A sign that processes set, clear and wait for.
///
/// It travels like any value; a copy is the same event. Nobody owns it: a process that dies changes nothing.
///
/// ```swift
/// let ready = try SharedEvent()
/// let work = pool.submit { try ready.wait(); return try serve() }
/// try prepare()
/// ready.set()
/// ```
public struct SharedEvent: Portable, Hashable {
    private let slot: SharedSlot

    /// Makes an event that is not set.
    ///
    /// - Throws: ``SharedStateError`` if the system has no memory or descriptors left.
    public init() throws {
        slot = try SharedSlot.make()
    }

    private var word: FutexWord { FutexWord(slot.pointer) }
    private var state: EventState { EventState(rawValue: word.load()) }

    /// Whether it is set, which may have changed already.
    public var isSet: Bool { state.isSet }

    /// Sets it: all who wait go on, and whoever waits later does not have to.
    public func set() {
        if change(\.set) { word.wakeAll() }
    }

    /// Clears it: whoever waits from now on waits until it is set again.
    public func clear() { _ = change(\.cleared) }

    /// Whether there was something to change.
    private func change(_ next: (EventState) -> EventState) -> Bool {
        var state = state
        while true {
            let changed = next(state)
            if changed == state { return false }
            let (isDone, original) = word.compareExchange(expected: state.rawValue, desired: changed.rawValue)
            if isDone { return true }
            state = EventState(rawValue: original)
        }
    }

    /// Waits until it is set; blocks the calling thread.
    ///
    /// - Parameter timeout: How long to wait; `nil` without a limit.
    /// - Returns: `false` if it was not set in that time.
    /// - Throws: `CancellationError` if the task that runs here is cancelled.
    @discardableResult
    public func wait(timeout: Duration? = nil) throws -> Bool {
        let start = state
        if start.isSet { return true }
        return try SharedWait.block(timeout) { _ in look(start) } != nil
    }

    /// Waits until it is set; suspends the task.
    ///
    /// - Parameter timeout: How long to wait; `nil` without a limit.
    /// - Returns: `false` if it was not set in that time.
    /// - Throws: `CancellationError` if the task is cancelled while it waits.
    @discardableResult
    nonisolated(nonsending) public func wait(timeout: Duration? = nil) async throws -> Bool {
        let start = state
        if start.isSet { return true }
        let found = try await SharedWait.suspend(timeout, keeping: slot, on: word, exclusively: false) { _ in
            look(start)
        }
        return found != nil
    }

    private func look(_ start: EventState) -> Look<Bool> {
        let state = state
        return state.ends(start) ? .done(true) : .sleep(on: word, while: state.rawValue)
    }
}

extension SharedEvent {
    /// Writes the handle; the encoder has to be one of this library's.
    public func encode(to encoder: any Encoder) throws { try encoder.encode(shared: slot, .event, for: self) }

    /// Finds the event that was sent.
    public init(from decoder: any Decoder) throws { slot = try decoder.sharedSlot(.event, for: Self.self) }
}

extension SharedEvent: CustomStringConvertible {
    /// Whether it is set.
    public var description: String { "SharedEvent(\(isSet ? "set" : "not set"))" }
}

import MultiprocessingSystem
import Synchronization

/// Waiting for several connections.
extension Connection {
    /// Waits until something can be received from one of several connections; suspends the task.
    ///
    /// ```swift
    /// var open = connections
    /// while !open.isEmpty {
    ///     for connection in try await Connection.first(of: open) {
    ///         if let line = try? connection.tryReceive() {
    ///             print(line)
    ///         } else {
    ///             open.removeAll { $0 == connection }
    ///         }
    ///     }
    /// }
    /// ```
    ///
    /// - Parameters:
    ///   - connections: Each at most once.
    ///   - timeout: How long to wait; `nil` without a limit. Zero or less looks only what is there.
    /// - Returns: Those that have a message, or will never have one; in the given order. Another may take the message
    ///   first. Empty when the time passed, and when there are none to wait for.
    /// - Throws: `CancellationError` when the task was cancelled; ``SharedStateError`` if the system refuses the wait.
    nonisolated(nonsending) public static func first(
        of connections: [Connection], timeout: Duration? = nil
    ) async throws -> [Connection] {
        let ready = try readyNow(connections)
        if !ready.isEmpty || connections.isEmpty || timeout.map({ $0 <= .zero }) ?? false { return ready }
        try Task.checkCancellation()
        let gate = Gate()
        let watches = try watch(connections, gate)
        let alarm = timeout.flatMap { timeout in
            AlarmClock.shared.call(at: .now().advanced(by: timeout)) { gate.open() }
        }
        defer {
            for (connection, watch) in zip(connections, watches) { watch.map(connection.end.stopWatching) }
            alarm.map(AlarmClock.shared.cancel)
        }
        // Without a thread that could keep the limit, too early is better than never.
        if timeout != nil, alarm == nil { return [] }
        await withTaskCancellationHandler {
            await withUnsafeContinuation { gate.wait($0) }
        } onCancel: {
            gate.open()
        }
        try Task.checkCancellation()
        return try readyNow(connections)
    }

    /// Waits until something can be received from one of several connections; blocks the calling thread.
    ///
    /// Another thread that closes one of them here meanwhile is not noticed before something comes, or the time passes.
    ///
    /// - Parameters:
    ///   - connections: Each at most once.
    ///   - timeout: How long to wait; `nil` without a limit. Zero or less looks only what is there.
    /// - Returns: Those that have a message, or will never have one; in the given order. Another may take the message
    ///   first. Empty when the time passed, and when there are none to wait for.
    /// - Throws: ``SharedStateError`` if the system refuses the wait.
    public static func first(of connections: [Connection], timeout: Duration? = nil) throws -> [Connection] {
        if connections.isEmpty { return [] }
        let deadline = timeout.map { MonotonicTime.now().advanced(by: Swift.max($0, .zero)) }
        while true {
            let ready = try ready(connections, until: deadline)
            if !ready.isEmpty { return ready }
            if let deadline, MonotonicTime.now() >= deadline { return [] }
        }
    }

    private static func readyNow(_ connections: [Connection]) throws -> [Connection] {
        try ready(connections, until: .now())
    }

    private static func ready(_ connections: [Connection], until deadline: MonotonicTime?) throws -> [Connection] {
        let sockets = connections.map { try? $0.end.socket() }
        // One that is closed here will never have a message.
        let closed = sockets.indices.filter { sockets[$0] == nil }
        let open = sockets.indices.filter { sockets[$0] != nil }
        do throws(SystemError) {
            let found = try Readiness.wait(
                for: .read, of: open.compactMap { sockets[$0]?.number }, until: closed.isEmpty ? deadline : .now())
            return (closed + found.map { open[$0] }).sorted().map { connections[$0] }
        } catch {
            throw SharedStateError.connection(error)
        }
    }

    private static func watch(_ connections: [Connection], _ gate: Gate) throws -> [UInt64?] {
        var watches: [UInt64?] = []
        do {
            for connection in connections { watches.append(try connection.end.watch { gate.open() }) }
        } catch {
            for (connection, watch) in zip(connections, watches) { watch.map(connection.end.stopWatching) }
            throw error
        }
        return watches
    }
}

/// Lets one task through, once it was opened.
private final class Gate: Sendable {
    private enum State {
        case shut
        case awaited(UnsafeContinuation<Void, Never>)
        case open
    }

    private let state = Mutex(State.shut)

    func wait(_ continuation: UnsafeContinuation<Void, Never>) {
        let isOpen = state.withLock { state in
            if case .open = state { return true }
            state = .awaited(continuation)
            return false
        }
        if isOpen { continuation.resume() }
    }

    func open() {
        let continuation: UnsafeContinuation<Void, Never>? = state.withLock { state in
            defer { state = .open }
            if case .awaited(let continuation) = state { return continuation }
            return nil
        }
        continuation?.resume()
    }
}

import MultiprocessingCoding
import MultiprocessingSystem
import Synchronization

/// What this process has of one end of a connection: its socket, and who waits for it.
final class ConnectionEnd: Sendable {
    /// What came of an attempt that does not wait.
    enum Attempt<Value> {
        case done(Value)
        /// The socket has to become ready.
        case mustWait
        /// More descriptors are on their way than may be; nothing tells when that ends.
        case mustRetry
    }

    /// How a wait has ended.
    enum WaitEnd {
        case ready
        case timedOut
        case cancelled
        case closed
    }

    private struct State: ~Copyable {
        /// `nil` once this process has closed the end.
        var socket: OpenDescriptor?
        /// Ends what blocks when the end is closed; made for the first that blocks.
        var alarm: Alarm?
        /// Memory of packets that were read.
        var packets: [ReceivedPacket] = []
    }

    private final class Alarm: Sendable {
        let flag: EventFlag

        init() throws(SystemError) {
            flag = try EventFlag()
        }
    }

    private let state: Mutex<State>
    private let waiters = ConnectionWaiters()
    private let spin = BusyWait(.worker)

    /// How often one who blocks the thread of a task looks whether the task was cancelled.
    private static let cancellationSlice = Duration.milliseconds(50)

    /// How long to wait before something that is ``Attempt/mustRetry`` is tried again.
    private static let retryPause = Duration.milliseconds(2)

    init(_ socket: OpenDescriptor) {
        state = Mutex(State(socket: socket))
    }

    var isClosed: Bool { state.withLock { $0.socket == nil } }

    /// The socket, kept open for the caller.
    func socket() throws -> OpenDescriptor {
        guard let socket = state.withLock({ $0.socket }) else { throw SharedStateError.connectionClosedHere }
        return socket
    }

    /// Lets go of the socket, and of all who wait for it.
    func close() {
        let (socket, alarm) = state.withLock { ($0.socket.take(), $0.alarm.take()) }
        alarm?.flag.raise()
        waiters.close()
        _ = consume socket
    }

    // MARK: Packets

    /// Sends a packet; does not wait.
    func trySend(_ packet: borrowing ConnectionPacket, _ body: UnsafeRawBufferPointer) throws -> Attempt<Void> {
        let socket = try socket()
        do throws(SystemError) {
            let result = try packet.head.withUnsafeBytes { head throws(SystemError) in
                try Socket.send(
                    head, packet.hasBody ? body : nil, descriptors: packet.descriptors, over: socket.number)
            }
            switch result {
            case .sent: return .done(())
            case .wouldBlock: return .mustWait
            case .peerGone: throw SystemError(.brokenPipe, "sendmsg")
            }
        } catch {
            switch error.errno {
            case .brokenPipe: throw SharedStateError.nobodyAtTheOtherEnd
            case .tooManyReferences: return .mustRetry
            default: throw SharedStateError.connection(error)
            }
        }
    }

    /// Takes the next packet; does not wait.
    func tryReceive() throws -> Attempt<ReceivedPacket> {
        let socket = try socket()
        let packet = state.withLock { $0.packets.popLast() } ?? ReceivedPacket()
        do throws(SystemError) {
            switch try Socket.receive(into: packet.memory, descriptors: &packet.descriptors, from: socket.number) {
            case .received(let count):
                packet.count = count
                return .done(packet)
            case .wouldBlock:
                recycle(packet)
                return .mustWait
            case .endOfStream:
                throw SystemError(.brokenPipe, "recvmsg")
            }
        } catch {
            switch error.errno {
            case .brokenPipe: throw SharedStateError.nobodyAtTheOtherEnd
            case .messageTooLong: throw SharedStateError.damagedMessage
            default: throw SharedStateError.connection(error)
            }
        }
    }

    /// Keeps a packet's memory for the next.
    func recycle(_ packet: ReceivedPacket) {
        packet.count = 0
        packet.descriptors = ReceivedDescriptors()
        state.withLock { state in
            if state.socket != nil, state.packets.count < 4 { state.packets.append(packet) }
        }
    }

    // MARK: Waiting

    /// Tries until there is a result; blocks the calling thread.
    ///
    /// - Parameter what: What did not come if the time is up.
    func block<Value>(
        _ interest: Interest, timeout: Duration?, _ what: String, _ attempt: () throws -> Attempt<Value>
    ) throws -> Value {
        var result = try attempt()
        if case .done(let value) = result { return value }
        let deadline = timeout.map { MonotonicTime.now().advanced(by: max($0, .zero)) }
        let isTask = withUnsafeCurrentTask { $0 != nil }
        if timeout.map({ $0 > .zero }) ?? true { try lookOften(&result, attempt) }
        while true {
            switch result {
            case .done(let value): return value
            case .mustWait, .mustRetry: break
            }
            if isTask { try Task.checkCancellation() }
            if let deadline, MonotonicTime.now() >= deadline { throw SharedStateError.timedOut(what, after: timeout) }
            if case .mustRetry = result {
                ThisProcess.pause(milliseconds: 2)
            } else {
                try sleep(interest, until: deadline, isTask: isTask)
            }
            result = try attempt()
        }
    }

    /// Tries again and again for some microseconds, where that is worth it.
    private func lookOften<Value>(_ result: inout Attempt<Value>, _ attempt: () throws -> Attempt<Value>) throws {
        var failure: (any Error)?
        _ = spin.wait {
            do {
                result = try attempt()
            } catch {
                failure = error
                return true
            }
            if case .done = result { return true }
            return false
        }
        if let failure { throw failure }
    }

    private func sleep(_ interest: Interest, until deadline: MonotonicTime?, isTask: Bool) throws {
        let socket = try socket()
        let alarm = try alarm()
        var end = deadline
        if isTask {
            let slice = MonotonicTime.now().advanced(by: Self.cancellationSlice)
            end = min(deadline ?? slice, slice)
        }
        do throws(SystemError) {
            _ = try Readiness.wait(for: interest, of: [socket.number], orAlarm: alarm.flag.number, until: end)
        } catch {
            throw SharedStateError.connection(error)
        }
        withExtendedLifetime(socket) {}
    }

    private func alarm() throws -> Alarm {
        try state.withLock { state in
            guard state.socket != nil else { throw SharedStateError.connectionClosedHere }
            if let alarm = state.alarm { return alarm }
            do throws(SystemError) {
                let made = try Alarm()
                state.alarm = made
                return made
            } catch {
                throw SharedStateError.system(error)
            }
        }
    }

    /// Tries until there is a result; suspends the task.
    nonisolated(nonsending) func suspend<Value>(
        _ interest: Interest, timeout: Duration?, _ what: String, _ attempt: () throws -> Attempt<Value>
    ) async throws -> Value {
        var result = try attempt()
        if case .done(let value) = result { return value }
        let deadline = timeout.map { MonotonicTime.now().advanced(by: max($0, .zero)) }
        if timeout.map({ $0 > .zero }) ?? true, !Task.isCancelled {
            try lookOften(&result, attempt)
            if case .mustWait = result, try nap(interest, until: deadline) { result = try attempt() }
        }
        while true {
            switch result {
            case .done(let value):
                return value
            case .mustWait:
                let socket = try socket()
                switch try await waiters.wait(for: interest, of: socket, until: deadline) {
                case .ready: break
                case .timedOut:
                    // It may have become ready in the last moment.
                    if case .done(let value) = try attempt() { return value }
                    throw SharedStateError.timedOut(what, after: timeout)
                case .cancelled: throw CancellationError()
                case .closed: throw SharedStateError.connectionClosedHere
                }
            case .mustRetry:
                if let deadline, MonotonicTime.now() >= deadline {
                    throw SharedStateError.timedOut(what, after: timeout)
                }
                try await Task.sleep(for: Self.retryPause)
            }
            result = try attempt()
        }
    }

    /// Waits for a moment on this thread; returns whether that was worth it.
    private func nap(_ interest: Interest, until deadline: MonotonicTime?) throws -> Bool {
        let socket = try socket()
        do throws(SystemError) {
            return try WaitNap.take(until: deadline) { end throws(SystemError) in
                try Readiness.wait(for: interest, of: [socket.number], until: end).isEmpty ? nil : true
            } ?? false
        } catch {
            throw SharedStateError.connection(error)
        }
    }

    /// Calls `body` when something can be received, or nothing ever will be; at once if this process has closed the end.
    ///
    /// - Returns: What ``stopWatching(_:)`` takes.
    func watch(_ body: @escaping @Sendable () -> Void) throws -> UInt64? {
        guard let socket = state.withLock({ $0.socket }) else {
            body()
            return nil
        }
        return try waiters.add(.read, of: socket) { _ in body() }
    }

    func stopWatching(_ id: UInt64) {
        waiters.remove(id)
    }
}

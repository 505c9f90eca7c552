import MultiprocessingCoding
import MultiprocessingRuntime
import MultiprocessingSystem
import Synchronization

/// The calls of this process to the actors of another.
final class HostConnection: Sendable {
    private struct Entry {
        let call: any PendingCalling
        /// How many bytes will have gone out with the call; zero while that is not known.
        var position: UInt64 = 0
    }

    private struct State {
        var calls: [UInt64: Entry] = [:]
        var isOver = false
        /// Why the host takes no calls of this process.
        var refusal: (any Error)?
    }

    /// In place of a call's number: what follows is about all calls.
    static let everyCall: UInt64 = 0

    private let link: ActorLink
    private let sender = Sender()
    private let count = Atomic<UInt64>(0)
    private let state = Mutex(State())

    /// - Throws: ``ActorCallError``.
    init(to address: ActorAddress) throws {
        let loop = try ActorLoop.shared()
        do {
            let socket = try Socket.connecting(toAbstract: address.socketName)
            guard socket.isOfThisUser() else { throw ActorCallError.otherUser() }
            link = ActorLink(socket, on: loop)
        } catch let error as SystemError where error.errno == .connectionRefused {
            throw ActorCallError.hostGone(isInDoubt: false)
        } catch let error as SystemError {
            throw ActorCallError.unavailable(error)
        }
        let hello = ByteBuffer()
        Frame.append(.hello, to: hello) { Hello(.scan()).append(to: $0) }
        link.send(hello)
        link.open { header, reader in
            try self.receive(header, &reader)
        } onEnd: { sentCount in
            self.end(sentCount)
        }
    }

    var isOver: Bool { state.withLock { $0.isOver } }

    func close() {
        link.close()
    }

    func makeNumber() -> UInt64 {
        count.wrappingAdd(1, ordering: .relaxed).newValue
    }

    // MARK: Calling

    /// Sends a call, unless its time is up.
    func begin(_ number: UInt64, _ call: any PendingCalling, _ frame: ByteBuffer, _ signals: CallSignals) {
        if let limit = signals.expiredLimit { return call.fail(ActorCallError.timedOut(limit, isInDoubt: false)) }
        let isOver = state.withLock { state in
            if !state.isOver { state.calls[number] = Entry(call: call) }
            return state.isOver
        }
        if isOver { return call.fail(ActorCallError.hostGone(isInDoubt: false)) }
        guard let position = link.send(frame) else {
            take(number)?.fail(ActorCallError.hostGone(isInDoubt: false))
            return
        }
        state.withLock { $0.calls[number]?.position = position }
        // Whoever set a signal before the call was in the list has found nothing there.
        if signals.isCancelled { link.send(ActorFrame.make(.cancelCall, number)) }
        if let limit = signals.expiredLimit { giveUp(number, after: limit) }
    }

    /// Tells the method's task that nobody needs what it does.
    func cancel(_ number: UInt64) {
        let isUnderWay = state.withLock { $0.calls[number] != nil }
        if isUnderWay { link.send(ActorFrame.make(.cancelCall, number)) }
    }

    /// Ends a call whose time is up.
    func giveUp(_ number: UInt64, after limit: Duration) {
        guard let call = take(number) else { return }
        link.send(ActorFrame.make(.cancelCall, number))
        call.fail(ActorCallError.timedOut(limit, isInDoubt: true))
    }

    private func take(_ number: UInt64) -> (any PendingCalling)? {
        state.withLock { $0.calls.removeValue(forKey: number) }?.call
    }

    /// Tells the host of a reference that there is, or is no more.
    func tell(_ kind: Frame.Kind, _ actor: UInt64) {
        link.send(ActorFrame.make(kind, actor))
    }

    // MARK: Answers

    private func receive(_ header: Frame.Header, _ reader: inout ByteReader) throws {
        if header.kind == .keys { return try sender.keys.append(from: &reader) }
        let number: UInt64 = try reader.read()
        if number == Self.everyCall, header.kind == .refused {
            var incoming = Incoming(reader, from: sender)
            let error = try ErrorCoding.decode(from: &incoming)
            return state.withLock { $0.refusal = error }
        }
        // One that was given up.
        guard let call = take(number) else { return }
        var incoming = Incoming(reader, from: sender)
        switch header.kind {
        case .returned:
            call.complete(&incoming)
        case .threw, .refused:
            call.fail((try? ErrorCoding.decode(from: &incoming)) ?? PortableFailure.unknownFrame)
        default:
            call.fail(ActorCallError.hostGone(isInDoubt: true))
            throw PortableFailure.unknownFrame
        }
    }

    private func end(_ sentCount: UInt64) {
        let (calls, refusal) = state.withLock { state in
            state.isOver = true
            return (state.calls.removeAllValues(), state.refusal)
        }
        for entry in calls {
            if let refusal {
                entry.call.fail(refusal)
                continue
            }
            // What had not gone out as a whole was not begun.
            entry.call.fail(ActorCallError.hostGone(isInDoubt: entry.position <= sentCount))
        }
    }
}

extension Dictionary {
    /// Empties the dictionary, and hands out what was in it.
    fileprivate mutating func removeAllValues() -> [Value] {
        defer { self = [:] }
        return Array(values)
    }
}

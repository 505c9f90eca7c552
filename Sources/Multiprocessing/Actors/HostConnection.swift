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
        /// How many bytes went out before the end.
        var sentCount: UInt64 = 0
        /// Whether the host has let this process in; before that it begins no call.
        var isAccepted = false
        /// The number under which somebody waits for the proof; zero for nobody.
        var proofWaiter: UInt64 = 0
        /// Why the host takes no calls of this process.
        var refusal: (any Error)?
    }

    /// In place of a call's number: what follows is about all calls.
    static let everyCall: UInt64 = 0

    private let link: ActorLink
    private let sender: Sender
    /// The host as the coders know it; `nil` for another process of this program.
    let peer: (any NetworkPeer)?
    private let count = Atomic<UInt64>(0)
    private let state = Mutex(State())
    /// The numbers of methods that the host was told of.
    private let methods = Mutex<[String: UInt32]>([:])

    /// Connects to another process of this program.
    ///
    /// - Throws: ``ActorCallError``.
    init(to address: ActorAddress) throws {
        peer = nil
        sender = Sender()
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
        open()
    }

    /// Begins to connect to a server; what is sent before it has proved itself goes out then.
    ///
    /// - Parameters:
    ///   - socket: One that connects, or has.
    ///   - proof: How the server proves itself.
    ///   - onProved: Called then, on the loop's thread; the connection ends if it throws.
    /// - Throws: ``ActorCallError``.
    init(
        _ socket: consuming Socket,
        to peer: any NetworkPeer,
        _ proof: ActorLink.Proof,
        onProved: @escaping ActorLink.Proved
    ) throws {
        self.peer = peer
        sender = Sender(userInfo: [.otherBuild: peer], attachmentLimit: 0)
        link = ActorLink(
            socket, on: try ActorLoop.shared(), messageLimit: Route.messageLimit, proof: proof)
        open(onProved: onProved)
    }

    private func open(onProved: ActorLink.Proved? = nil) {
        link.open { header, reader in
            try self.receive(header, &reader)
        } onProved: { handshake in
            try onProved?(handshake)
            self.noteProof()
        } onEnd: { sentCount, failure in
            self.end(sentCount, failure)
        }
    }

    // MARK: Proof

    private func noteProof() {
        let waiter = state.withLock { state in
            state.isAccepted = true
            return state.calls.removeValue(forKey: state.proofWaiter)?.call as? ProofWaiter
        }
        waiter?.succeed()
    }

    /// Suspends until the server has proved itself.
    ///
    /// - Throws: ``ActorCallError``, `CancellationError`.
    func waitForProof(_ limit: Duration) async throws {
        let number = makeNumber()
        let alarm = AlarmClock.shared.call(at: .now().advanced(by: limit)) {
            self.take(number)?.fail(ActorCallError.unreachable("nobody has answered within \(limit)"))
        }
        defer { if let alarm { AlarmClock.shared.cancel(alarm) } }
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let waiter = ProofWaiter(continuation)
                let (isProved, isOver) = state.withLock { state in
                    if !state.isAccepted, !state.isOver {
                        // It is no call, and never in doubt.
                        state.calls[number] = Entry(call: waiter, position: .max)
                        state.proofWaiter = number
                    }
                    return (state.isAccepted, state.isOver)
                }
                if isProved {
                    waiter.succeed()
                } else if isOver {
                    waiter.fail(state.withLock { $0.refusal } ?? ActorCallError.unreachable("it ended the connection"))
                }
                if Task.isCancelled { take(number)?.fail(CancellationError()) }
            }
        } onCancel: {
            self.take(number)?.fail(CancellationError())
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
        guard let position = link.send(frame, call.attachments) else {
            take(number)?.fail(ActorCallError.hostGone(isInDoubt: false))
            return
        }
        // The end may have come between the two, and has left it to this to say how far the call came.
        let end = state.withLock { state in
            state.calls[number]?.position = position
            return state.isOver ? End(of: state) : nil
        }
        if let end, let call = take(number) { return fail(call, at: position, end) }
        // Whoever set a signal before the call was in the list has found nothing there.
        if signals.isCancelled { link.send(ActorFrame.make(.cancelCall, number)) }
        if let limit = signals.expiredLimit { giveUp(number, after: limit) }
    }

    /// The number of a method, of which the host is told before its first call.
    func method(_ target: String, _ actor: Any.Type, _ invocation: ActorInvocationEncoder) throws -> UInt32 {
        if let known = methods.withLock({ $0[target] }) { return known }
        let method = ActorFrame.Method(
            actor: try SealedTypeNames.name(of: actor), target: target,
            parameters: try invocation.parameters.map(SealedTypeNames.name),
            result: try SealedTypeNames.name(of: invocation.result))
        return methods.withLock { methods in
            if let known = methods[target] { return known }
            let number = UInt32(methods.count + 1)
            let frame = ByteBuffer(capacity: 256)
            Frame.append(.method, number: number, to: frame) { method.append(to: $0) }
            // Under the lock, so that it is on its way before anybody knows the number; it does not wait.
            link.send(frame)
            methods[target] = number
            return number
        }
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
        switch header.kind {
        case .keys: return try sender.keys.append(from: &reader)
        case .attachment: return try link.takeAttachment(header, &reader, from: sender)
        case .forget: return try sender.attachments.forget(try reader.read())
        default: break
        }
        let number: UInt64 = try reader.read()
        if number == Self.everyCall, header.kind == .refused {
            var incoming = Incoming(reader, from: sender)
            let error = try ErrorCoding.decode(from: &incoming)
            return state.withLock { $0.refusal = error }
        }
        if number == Self.everyCall, header.kind == .returned { return state.withLock { $0.isAccepted = true } }
        // One that was given up.
        guard let call = take(number) else { return }
        var incoming = Incoming(reader, from: sender)
        switch header.kind {
        case .returned:
            call.complete(&incoming)
        case .threw:
            let error = (try? ErrorCoding.decode(from: &incoming)) ?? PortableFailure.unknownFrame
            // The method's own call to another actor was not begun, perhaps, but the method was.
            call.fail((error as? ActorCallError)?.inDoubt ?? error)
        case .refused:
            call.fail((try? ErrorCoding.decode(from: &incoming)) ?? PortableFailure.unknownFrame)
        default:
            call.fail(ActorCallError.hostGone(isInDoubt: true))
            throw PortableFailure.unknownFrame
        }
    }

    /// How the connection ended.
    private struct End {
        let refusal: (any Error)?
        let isAccepted: Bool
        let sentCount: UInt64

        init(of state: borrowing State) {
            refusal = state.refusal
            isAccepted = state.isAccepted
            sentCount = state.sentCount
        }
    }

    private func end(_ sentCount: UInt64, _ failure: (any Error)?) {
        let (calls, end) = state.withLock { state in
            state.isOver = true
            state.sentCount = sentCount
            if state.refusal == nil { state.refusal = failure as? ActorCallError }
            let known = state.calls.filter { $0.value.position != 0 }
            for number in known.keys { state.calls[number] = nil }
            return (Array(known.values), End(of: state))
        }
        for entry in calls { fail(entry.call, at: entry.position, end) }
    }

    /// Ends a call that had no answer, and of which so many bytes would have gone out with it.
    private func fail(_ call: any PendingCalling, at position: UInt64, _ end: End) {
        // What had not gone out as a whole was not begun, nor what went to a host that let nobody in any more.
        let isInDoubt = end.isAccepted && position <= end.sentCount
        if let refusal = end.refusal, !isInDoubt || peer == nil {
            call.fail(refusal)
        } else {
            call.fail(ActorCallError.hostGone(isInDoubt: isInDoubt))
        }
    }
}

/// Who waits for a server to prove itself.
private final class ProofWaiter: PendingCalling {
    var attachments: [Attachment] { [] }
    private let continuation: CheckedContinuation<Void, any Error>

    init(_ continuation: CheckedContinuation<Void, any Error>) {
        self.continuation = continuation
    }

    func succeed() {
        continuation.resume()
    }

    func complete(_ incoming: inout Incoming) {
        // No answer has its number.
        continuation.resume()
    }

    func fail(_ error: any Error) {
        let isVague = (error as? ActorCallError)?.code == .hostGone
        continuation.resume(
            throwing: isVague ? ActorCallError.unreachable("it ended the connection before it proved itself") : error)
    }
}

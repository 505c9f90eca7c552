import Distributed
import MultiprocessingCoding
import MultiprocessingRuntime
import MultiprocessingSystem
import Synchronization

/// Another process that calls actors of this one.
final class ActorCaller: Sendable {
    /// The process whose call runs; `nil` for a call that this process makes itself.
    @TaskLocal static var current: ActorCaller?

    private enum Running {
        /// Its task is about to be known.
        case begun
        case task(Task<Void, Never>)
    }

    private struct State {
        var calls: [UInt64: Running] = [:]
        var hasGreeted = false
        /// Those that the process has named, by their numbers less one.
        var methods: [Result<DistributedMethod, any Error>] = []
        /// What is called at the end, once it is due.
        var endings: [UInt64: @Sendable () -> Void] = [:]
        var endingCount: UInt64 = 0
        /// How many references the process has to each actor.
        var held: [UInt64: Int] = [:]
        var isOver = false

        /// - Returns: False if the process had no reference.
        mutating func drop(_ number: UInt64) -> Bool {
            guard let count = held[number] else { return false }
            held[number] = count > 1 ? count - 1 : nil
            return true
        }
    }

    private let link: ActorLink
    private let actors: HostedActors
    private let sender: Sender
    private let state: Mutex<State>
    /// What the caller may do if it is another program; `nil` for a process of this one.
    private let guest: Guest?

    /// Of answers that the caller does not read.
    private static let unsentLimit = 4 << 20

    init(_ socket: consuming Socket, on loop: ActorLoop, to actors: HostedActors) {
        link = ActorLink(socket, on: loop, unsentLimit: Self.unsentLimit)
        self.actors = actors
        guest = nil
        sender = Sender()
        state = Mutex(State())
    }

    /// - Parameters:
    ///   - proof: How the caller, which is another program, proves itself.
    ///   - guest: What it may do then.
    init(
        _ socket: consuming Socket,
        on loop: ActorLoop,
        to actors: HostedActors,
        _ proof: ActorLink.Proof,
        as guest: Guest
    ) {
        link = ActorLink(
            socket, on: loop, unsentLimit: Self.unsentLimit, messageLimit: Route.messageLimit, proof: proof)
        self.actors = actors
        self.guest = guest
        sender = Sender(userInfo: [.otherBuild: guest], attachmentLimit: 0)
        // Its proof is its greeting.
        state = Mutex(State(hasGreeted: true))
    }

    /// Tells a process why it cannot call, and ends the connection.
    static func turnAway(_ socket: consuming Socket, on loop: ActorLoop, _ error: ActorCallError) {
        ActorResultHandler(of: HostConnection.everyCall, to: ActorLink(socket, on: loop)).refuse(error)
    }

    /// - Parameter onProved: Called when a caller that has to has proved itself.
    func open(onProved: (@Sendable () -> Void)? = nil) {
        link.open { header, reader in
            try self.receive(header, &reader)
        } onProved: { _ in
            onProved?()
        } onEnd: { _, _ in
            self.end()
        }
    }

    /// Ends the connection.
    func close() {
        link.close()
    }

    private func receive(_ header: Frame.Header, _ reader: inout ByteReader) throws {
        guard state.withLock({ $0.hasGreeted }) else { return try greet(header, &reader) }
        switch header.kind {
        case .keys:
            try guest?.checkKeys(sender.keys.count, reader.remaining)
            try sender.keys.append(from: &reader)
        case .attachment:
            try link.takeAttachment(header, &reader, from: sender)
        case .forget:
            try sender.attachments.forget(try reader.read())
        case .find:
            try find(&reader)
        case .method:
            // A program of another build names what it calls, each time.
            guard guest == nil else { throw PortableFailure.unknownFrame }
            let method = Result { try ActorFrame.Method.read(from: &reader).resolve() }
            try state.withLock { state in
                state.methods.append(method)
                if state.methods.count != header.number { throw PortableFailure.unknownFrame }
            }
        case .call where header.number > 0:
            try begin(header.number, &reader)
        case .call:
            try begin(try ActorFrame.Call.read(from: &reader), reader)
        case .cancelCall:
            let number: UInt64 = try reader.read()
            if case .task(let task) = state.withLock({ $0.calls[number] }) { task.cancel() }
        case .hold:
            let number: UInt64 = try reader.read()
            // What is not there is not counted either.
            guard actors.actor(number) != nil else { return }
            state.withLock { $0.held[number, default: 0] += 1 }
            actors.hold(number)
        case .drop:
            let number: UInt64 = try reader.read()
            // One that was told of on an earlier connection is not counted on this one.
            if state.withLock({ $0.drop(number) }) { actors.drop(number, 1) }
        default:
            throw PortableFailure.unknownFrame
        }
    }

    /// Checks that the caller names code and types as this process does.
    private func greet(_ header: Frame.Header, _ reader: inout ByteReader) throws {
        // Names of keys may come ahead.
        if header.kind == .keys { return try sender.keys.append(from: &reader) }
        guard header.kind == .hello else { throw PortableFailure.unknownFrame }
        if let image = try Hello(from: &reader).difference(from: .scan()) {
            ActorResultHandler(of: HostConnection.everyCall, to: link).refuse(ActorCallError.otherBuild(of: image))
            throw PortableFailure.otherBuild(of: image)
        }
        state.withLock { $0.hasGreeted = true }
        // From here on the caller's calls are begun: before it knows that it is let in, none was.
        link.send(ActorFrame.make(.returned, HostConnection.everyCall))
    }

    /// Answers where the actor is that the server offers under a name.
    private func find(_ reader: inout ByteReader) throws {
        guard let guest else { throw PortableFailure.unknownFrame }
        let number: UInt64 = try reader.read()
        let name = try reader.readText(try reader.readCount())
        let type = try reader.readText(try reader.readCount())
        do {
            let actor = try guest.find(name, type)
            link.send(ActorFrame.make(.returned, number) { $0.append(actor) })
        } catch {
            ActorResultHandler(of: number, to: link, guest).refuse(error)
        }
    }

    // MARK: Calls

    /// Begins a call that names its method by number.
    private func begin(_ method: UInt32, _ reader: inout ByteReader) throws {
        let (number, actorNumber): (UInt64, UInt64) = (try reader.read(), try reader.read())
        let (method, isKnown) = state.withLock { state in
            (Int(method) <= state.methods.count ? state.methods[Int(method) - 1] : nil, state.calls[number] != nil)
        }
        guard let method, !isKnown else { throw PortableFailure.unknownFrame }
        let handler = ActorResultHandler(of: number, to: link)
        guard let actor = actors.actor(actorNumber) else {
            return handler.refuse(ActorCallError.noSuchActor(actorNumber))
        }
        switch method {
        case .failure(let error): handler.refuse(error)
        case .success(let method):
            guard type(of: actor) == method.actor else {
                return handler.refuse(ActorCallError.notTheCallersType(type(of: actor)))
            }
            let decoder = decoder(of: reader, .named([]))
            begin(number) { await self.run(method, on: actor, decoder, handler, number) }
        }
    }

    /// The arguments, which are read later.
    private func decoder(
        of reader: ByteReader, _ generics: ActorInvocationDecoder.Generics
    ) -> ActorInvocationDecoder {
        var rest = reader
        let arguments = ByteBuffer(capacity: rest.remaining)
        if let bytes = try? rest.readBytes(rest.remaining) { arguments.append(contentsOf: bytes) }
        return ActorInvocationDecoder(generics: generics, arguments, from: sender)
    }

    /// Begins to run a call, here, and in the order of calls: up to where the method is enqueued on the actor, which
    /// suspends.
    private func begin(_ number: UInt64, _ run: @escaping @Sendable () async -> Void) {
        state.withLock { $0.calls[number] = .begun }
        let task = ActorCaller.$current.withValue(self) {
            Task.immediate { await run() }
        }
        state.withLock { state in
            if state.calls[number] != nil { state.calls[number] = .task(task) }
        }
    }

    private func begin(_ call: ActorFrame.Call, _ reader: ByteReader) throws {
        let handler = ActorResultHandler(of: call.number, to: link, guest)
        let isKnown = state.withLock { $0.calls[call.number] != nil }
        if isKnown { throw PortableFailure.unknownFrame }
        let generics: ActorInvocationDecoder.Generics
        guard let actor = actors.actor(call.actor) else {
            return handler.refuse(ActorCallError.noSuchActor(call.actor))
        }
        do {
            generics = try check(call, on: actor)
            try guest?.begin(reader.remaining)
        } catch {
            return handler.refuse(error)
        }
        let decoder = decoder(of: reader, generics)
        begin(call.number) { await self.run(call, on: actor, decoder, handler) }
    }

    /// Checks that the caller means what is there.
    private func check(
        _ call: ActorFrame.Call,
        on actor: any DistributedActor
    ) throws -> ActorInvocationDecoder.Generics {
        let type = type(of: actor)
        if let guest { return try guest.check(call, on: type) }
        guard try SealedTypeNames.name(of: type) == call.type else { throw ActorCallError.notTheCallersType(type) }
        return .named(call.generics)
    }

    private func run(
        _ call: ActorFrame.Call,
        on actor: any DistributedActor,
        _ decoder: ActorInvocationDecoder,
        _ handler: ActorResultHandler
    ) async {
        var decoder = decoder
        do {
            try await WorkerActorSystem.shared.executeDistributedTarget(
                on: actor, target: RemoteCallTarget(call.target), invocationDecoder: &decoder, handler: handler)
        } catch {
            // What the method throws goes to the handler.
            handler.refuse(
                error is PoolError ? error : ActorCallError.notCallable("\(RemoteCallTarget(call.target))", error))
        }
        state.withLock { $0.calls[call.number] = nil }
        guest?.end(decoder.size)
    }

    private func run(
        _ method: DistributedMethod,
        on actor: any DistributedActor,
        _ decoder: ActorInvocationDecoder,
        _ handler: ActorResultHandler,
        _ number: UInt64
    ) async {
        var decoder = decoder
        do {
            try await method.call(on: actor, &decoder) { result in
                if method.result == Void.self { return try await handler.onReturnVoid() }
                try await WorkerActorSystem.shared.invokeHandlerOnReturn(
                    handler: handler, resultBuffer: result, metatype: method.result)
            }
        } catch {
            handler.fail(error)
        }
        state.withLock { $0.calls[number] = nil }
    }

    // MARK: The end

    /// Calls `body` when the process is gone, or the way to it is; at once if it is already.
    ///
    /// - Returns: What ``forget(_:)`` takes.
    func onEnd(_ body: @escaping @Sendable () -> Void) -> UInt64 {
        let (number, isOver) = state.withLock { state in
            state.endingCount += 1
            if !state.isOver { state.endings[state.endingCount] = body }
            return (state.endingCount, state.isOver)
        }
        if isOver { body() }
        return number
    }

    /// Takes back what ``onEnd(_:)`` was given.
    func forget(_ ending: UInt64) {
        // Let go of outside of the lock.
        _ = state.withLock { $0.endings.removeValue(forKey: ending) }
    }

    /// Nobody waits for what the calls do that run.
    private func end() {
        let (calls, endings, held) = state.withLock { state in
            defer {
                state.calls = [:]
                state.held = [:]
                state.endings = [:]
                state.isOver = true
            }
            return (Array(state.calls.values), Array(state.endings.values), state.held)
        }
        for case .task(let task) in calls { task.cancel() }
        for ending in endings { ending() }
        for (number, count) in held { actors.drop(number, count) }
    }
}

import Distributed
import MultiprocessingCoding
import MultiprocessingRuntime
import Synchronization

extension ActorCaller {
    /// Begins a call that names its method by number.
    func begin(_ method: UInt32, _ reader: inout ByteReader) throws {
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
            begin(number, to: actorNumber) { await self.run(method, on: actor, decoder, handler, number) }
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

    /// Has a call begun in the order of calls: here, up to where the method is enqueued on the actor, which suspends, or
    /// behind one-way calls to the actor that are not begun.
    private func begin(_ number: UInt64, to actor: UInt64, _ run: @escaping @Sendable () async -> Void) {
        state.withLock { $0.calls[number] = .begun(isCancelled: false) }
        inOrder(actor) {
            let task = ActorCaller.$current.withValue(self) {
                Task.immediate { await run() }
            }
            let isCancelled = self.state.withLock { state in
                guard case .begun(let isCancelled)? = state.calls[number] else { return state.isOver }
                state.calls[number] = .task(task)
                return isCancelled
            }
            if isCancelled { task.cancel() }
        }
    }

    /// Tells a call's task that nobody needs what it does.
    func cancel(_ number: UInt64) {
        let task: Task<Void, Never>? = state.withLock { state in
            switch state.calls[number] {
            case .task(let task)?: return task
            case .begun?:
                state.calls[number] = .begun(isCancelled: true)
                return nil
            case nil: return nil
            }
        }
        task?.cancel()
    }

    /// Begins a call to an actor, or has it begun behind one-way calls that are not.
    ///
    /// - Parameter begin: Enqueues the call on the actor; may be called on any thread, on no actor.
    func inOrder(_ actor: UInt64, _ begin: @escaping @Sendable () -> Void) {
        let isQueued = state.withLock { state in
            guard let queue = state.queues[actor] else { return false }
            queue.append(.call(begin))
            return true
        }
        if !isQueued { begin() }
    }

    /// Has one-way calls begun behind others.
    func enqueue(_ item: CallQueue.Item, for actor: UInt64) {
        let made: CallQueue? = state.withLock { state in
            if let queue = state.queues[actor] {
                queue.append(item)
                return nil
            }
            let queue = CallQueue()
            queue.append(item)
            state.queues[actor] = queue
            return queue
        }
        if let made { drive(made, actor) }
    }

    /// Begins what is in a queue, in a task of its own.
    private func drive(_ queue: CallQueue, _ actor: UInt64) {
        Task.detached {
            ActorCaller.$current.withValue(self) {
                while !queue.drive() {
                    let isOver = self.state.withLock { state in
                        guard queue.isEmpty else { return false }
                        state.queues[actor] = nil
                        return true
                    }
                    if isOver { return }
                }
                self.drive(queue, actor)
            }
        }
    }

    func begin(_ call: ActorFrame.Call, _ reader: ByteReader) throws {
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
        begin(call.number, to: call.actor) { await self.run(call, on: actor, decoder, handler) }
    }

    /// Checks that the caller means what is there.
    func check(
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
}

import Distributed
import MultiprocessingCoding
import MultiprocessingRuntime
import Synchronization

extension ActorCaller {
    /// Begins one-way calls, in the order of calls.
    func takeOneWay(_ calls: UInt32, _ reader: inout ByteReader) throws {
        var batch = try OneWayFrame.Batch(calls, &reader)
        // A program of another build names what it calls, each time.
        guard guest == nil || batch.key.isNamed else { throw PortableFailure.unknownFrame }
        let actor = actors.actor(batch.key.actor)
        // One more, so that those that end at once are told of together.
        tally.begin()
        defer { tell(tally.end()) }
        while batch.count > 0 {
            let call = try batch.next()
            tally.begin()
            do {
                guard let actor else { throw ActorCallError.noSuchActor(batch.key.actor) }
                if batch.key.isNamed {
                    try beginNamed(call, of: batch, on: actor)
                } else {
                    try begin(call, of: batch, on: actor)
                }
            } catch {
                tell(tally.end(call, calls, error))
            }
        }
    }

    /// Begins a call that names its method by number.
    private func begin(
        _ call: OneWayFrame.Call,
        of batch: OneWayFrame.Batch,
        on actor: any DistributedActor
    ) throws {
        let method = try method(call.method)
        guard type(of: actor) == method.actor else { throw ActorCallError.notTheCallersType(type(of: actor)) }
        let decoder = ActorInvocationDecoder(generics: .named([]), batch.bytes, call.range, from: sender)
        begin(call, of: batch) {
            var decoder = decoder
            do {
                try await method.call(on: actor, &decoder) { _ in }
                return nil
            } catch {
                return error
            }
        }
    }

    /// Begins a call that names its method in full.
    private func beginNamed(
        _ call: OneWayFrame.Call,
        of batch: OneWayFrame.Batch,
        on actor: any DistributedActor
    ) throws {
        let (named, start) = try batch.bytes.withUnsafeBytes { bytes in
            var reader = ByteReader(UnsafeRawBufferPointer(rebasing: bytes[call.range]))
            return (try ActorFrame.Call.read(from: &reader), reader.offset)
        }
        guard named.actor == batch.key.actor else { throw PortableFailure.unknownFrame }
        let arguments = (call.range.lowerBound + start)..<call.range.upperBound
        let generics = try check(named, on: actor)
        try guest?.begin(arguments.count)
        let decoder = ActorInvocationDecoder(generics: generics, batch.bytes, arguments, from: sender)
        begin(call, of: batch) {
            let error = await self.run(named, on: actor, decoder)
            self.guest?.end(arguments.count)
            return error
        }
    }

    /// Begins to run a call, here: up to where the method is enqueued on the actor, which suspends.
    private func begin(
        _ call: OneWayFrame.Call,
        of batch: OneWayFrame.Batch,
        _ run: @escaping @Sendable () async -> (any Error)?
    ) {
        let calls = batch.key.calls
        _ = ActorCaller.$current.withValue(self) {
            Task.immediate { self.tell(self.tally.end(call, calls, await run())) }
        }
    }

    /// Runs a call; returns what the method threw, or why it was not begun.
    private func run(
        _ call: ActorFrame.Call,
        on actor: any DistributedActor,
        _ decoder: ActorInvocationDecoder
    ) async -> (any Error)? {
        var decoder = decoder
        let handler = ActorResultHandler(ofOneWayCallTo: link, guest)
        do {
            try await WorkerActorSystem.shared.executeDistributedTarget(
                on: actor, target: RemoteCallTarget(call.target), invocationDecoder: &decoder, handler: handler)
        } catch {
            return error
        }
        return handler.thrown
    }

    /// The method that the caller has named by a number.
    private func method(_ number: UInt32) throws -> DistributedMethod {
        let method = state.withLock { state in
            number > 0 && Int(number) <= state.methods.count ? state.methods[Int(number) - 1] : nil
        }
        guard let method else { throw PortableFailure.unknownFrame }
        return try method.get()
    }

    /// Somebody waits for room: tells at once what has ended, and from now on each call that ends.
    func tellEnds() {
        tell(tally.ask())
    }

    private func tell(_ ends: [OneWayEnds]) {
        for ends in ends {
            let (frame, attachments) = ends.frame(for: guest)
            link.send(frame, attachments)
        }
    }
}

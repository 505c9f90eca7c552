import Distributed
import MultiprocessingCoding
import MultiprocessingRuntime
import Synchronization

extension ActorCaller {
    /// Has one-way calls begun, in the order of calls.
    func takeOneWay(_ calls: UInt32, _ reader: inout ByteReader) throws {
        var batch = try OneWayFrame.Batch(calls, &reader)
        // A program of another build names what it calls, each time.
        guard guest == nil || batch.key.isNamed else { throw PortableFailure.unknownFrame }
        let actor = actors.actor(batch.key.actor)
        if let actor, !batch.key.isNamed {
            guard batch.count > 0 else { return }
            tally.begin(batch.count)
            return enqueue(.batch(OneWayBatch(batch, on: actor, of: self)), for: batch.key.actor)
        }
        // One more, so that those that end at once are told of together.
        tally.begin(1)
        defer { tell(tally.end()) }
        while batch.count > 0 {
            let call = try batch.next()
            tally.begin(1)
            do {
                guard let actor else { throw ActorCallError.noSuchActor(batch.key.actor) }
                try beginNamed(call, of: batch, on: actor)
            } catch {
                noteEnd(of: call, calls, error)
            }
        }
    }

    /// Has a call begun that names its method in full.
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
        let calls = batch.key.calls
        inOrder(named.actor) {
            _ = ActorCaller.$current.withValue(self) {
                Task.immediate {
                    let error = await self.run(named, on: actor, decoder)
                    self.guest?.end(arguments.count)
                    self.noteEnd(of: call, calls, error)
                }
            }
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

    /// The method that the caller has named by a number, for a call without an answer.
    func method(_ number: UInt32, of actor: Any.Type) throws -> DistributedMethod {
        let known = state.withLock { state in
            number > 0 && Int(number) <= state.methods.count ? state.methods[Int(number) - 1] : nil
        }
        guard let method = try known?.get(), method.result == Void.self else { throw PortableFailure.unknownFrame }
        guard method.actor == actor else { throw ActorCallError.notTheCallersType(actor) }
        return method
    }

    /// - Parameter isFollowed: See ``OneWayTally/end(_:_:_:isFollowed:)``.
    func noteEnd(of call: OneWayFrame.Call, _ calls: UInt32, _ error: (any Error)?, isFollowed: Bool = false) {
        tell(tally.end(call, calls, error, isFollowed: isFollowed))
    }

    /// A call waits within its method, perhaps for one of a caller who waits for room.
    func noteWait() {
        tell(tally.flushIfAsked())
    }

    /// Somebody waits for room: tells at once what has ended.
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

import Distributed
import MultiprocessingCoding
import MultiprocessingRuntime
import Synchronization

/// One-way calls that have come together, on their way to the actor.
final class OneWayBatch: Sendable {
    private let caller: ActorCaller
    private let actor: any DistributedActor
    private let calls: UInt32
    private let bytes: ByteBuffer
    private let rest: Mutex<OneWayFrame.Batch>

    init(_ batch: OneWayFrame.Batch, on actor: any DistributedActor, of caller: ActorCaller) {
        self.caller = caller
        self.actor = actor
        calls = batch.key.calls
        bytes = batch.bytes
        rest = Mutex(batch)
    }

    /// Whether all calls have been begun.
    var isOver: Bool { rest.withLock { $0.count == 0 } }

    /// Begins calls until one has to wait, or there are no more.
    func begin() {
        PromptTask.start { await self.run(self.actor, $0) }
        caller.noteWait()
    }

    /// Makes calls one after another, and begins none once the task has waited: another may have begun those behind.
    private func run<Act: DistributedActor>(_ actor: Act, _ current: PromptTask.Run) async {
        var known: (number: UInt32, method: DistributedMethod)?
        while current.isUninterrupted, let call = next() {
            do {
                let method = try known?.number == call.method ? known?.method : caller.method(call.method, of: Act.self)
                guard let method else { return }
                known = (call.method, method)
                var decoder = ActorInvocationDecoder(generics: .named([]), bytes, call.range, from: caller.sender)
                try await method.callVoid(on: actor, &decoder)
                caller.noteEnd(of: call, calls, nil, isFollowed: current.isUninterrupted)
            } catch {
                caller.noteEnd(of: call, calls, error)
            }
        }
    }

    /// Takes the next call; `nil` if there is none.
    private func next() -> OneWayFrame.Call? {
        rest.withLock { rest in
            guard rest.count > 0 else { return nil }
            do {
                return try rest.next()
            } catch {
                rest.removeAll()
                caller.close()
                return nil
            }
        }
    }
}

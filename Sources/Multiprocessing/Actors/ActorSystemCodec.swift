/// The codec of the actor system: without bytes, since there is one in each process.
final class ActorSystemCodec: Codec<WorkerActorSystem>, @unchecked Sendable {
    // Sendable: it has no state.
    override var fixedSize: Int? { 0 }
    override func encode(_ value: WorkerActorSystem, into message: inout Outgoing) {}
    override func decode(from incoming: inout Incoming) -> WorkerActorSystem { .shared }
}

extension WorkerActorSystem: SelfCoding {
    static var codec: any AnyCodec { ActorSystemCodec() }
}

/// What a chunk is that makes an actor in a worker, which is to stay there.
package struct ActorPlacement: Sendable {
    /// Whether the worker is not to be replaced while it has the actor.
    package let keepsWorker: Bool

    /// The actor's number in its process, once it is there.
    package var actor: UInt64?

    package init(keepsWorker: Bool) {
        self.keepsWorker = keepsWorker
    }
}

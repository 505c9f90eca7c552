/// Keeps an actor of another process, for as long as this process has references to it.
final class ActorLease: Sendable {
    let host: RemoteHost
    private let number: UInt64

    /// Tells the host that there is a reference.
    init(_ number: UInt64, of host: RemoteHost) {
        self.host = host
        self.number = number
        host.tell(.hold, number)
    }

    deinit {
        host.tell(.drop, number)
    }
}

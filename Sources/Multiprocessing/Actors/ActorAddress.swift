/// Where a process can be reached that hosts actors: a name that no other process ever had.
///
/// It is random, so that it never means another process. The socket lets in nobody but processes of the same user.
struct ActorAddress: Hashable, Sendable, Codable {
    let high: UInt64
    let low: UInt64

    init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    static func random() -> ActorAddress {
        ActorAddress(high: .random(in: 1...(.max)), low: .random(in: 0...(.max)))
    }

    /// The name of the socket on which the process listens.
    var socketName: String { "multiprocessing-actors-\(String(high, radix: 16))-\(String(low, radix: 16))" }
}

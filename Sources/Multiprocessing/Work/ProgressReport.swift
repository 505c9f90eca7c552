/// How far an item has come, as it said by ``Worker/report(_:_:)`` while it ran.
public struct ProgressReport: Hashable, Sendable {
    /// The part that is done, from 0 to 1.
    public let fraction: Double

    /// What the item said of it; at most 1,000 bytes from a worker process.
    public let text: String
}

/// All measurements there are.
enum Catalog {
    static let names = all(.quick).map(\.name)

    /// In the order in which they run: those with peers first, the one that starts very many processes last.
    static func all(_ effort: Effort) -> [any Measurement] {
        [
            Start(effort), RoundTrip(effort), Submit(effort), Small(effort), Map(effort),
            Streaming(effort), Streaming(effort, chunkSize: 256), StreamingInputs(effort), Echo(effort),
            Structs(effort),
            Captures(effort), Locking(effort), HandOff(effort), Queue(effort), QueueItems(effort), PingPong(effort),
            Messages(effort), Value(effort), InPlace(effort), Speedup(effort), Uneven(effort), Recover(effort),
            CrashLoad(effort), Deadline(effort),
            Cancel(effort), Kill(effort), Armed(effort), Recycle(effort), Handles(effort), Events(effort),
            Actors(effort), ManagerStart(effort), Remote(effort), Memory(effort), Idle(effort),
            Scale(effort),
        ]
    }
}

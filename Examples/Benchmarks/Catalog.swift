/// All measurements there are.
enum Catalog {
    static let names = all(.quick).map(\.name)

    /// In the order in which they run: with peers first, those that start many processes last.
    static func all(_ effort: Effort) -> [any Measurement] {
        [
            RoundTrip(effort), Submit(effort), Small(effort), Map(effort), Echo(effort), Structs(effort),
            Captures(effort), Speedup(effort), Uneven(effort), Recover(effort),
        ]
    }
}

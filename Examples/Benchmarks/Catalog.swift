/// All measurements there are.
enum Catalog {
    static let names = all(.quick).map(\.name)

    /// In the order in which they run: with peers first, those that start many processes last.
    static func all(_ effort: Effort) -> [any Measurement] {
        [
            RoundTrip(effort)
        ]
    }
}

/// How far an item has come, as it says itself while it runs.
package struct ItemProgress: Equatable, Sendable {
    /// How many bytes of a text travel; the rest is cut off.
    package static let textLimit = 1_000

    /// The number of the item's chunk; see ``WorkerLedger``.
    package let sequence: UInt64
    /// The number of the item among those of the chunk that were sent.
    package let item: UInt64
    /// What the item says it has done; any value that a `Double` can have.
    package let fraction: Double
    package let text: String

    package init(sequence: UInt64, item: UInt64, fraction: Double, text: String) {
        self.sequence = sequence
        self.item = item
        self.fraction = fraction
        self.text = Self.cut(text)
    }

    /// As much of a text as travels, in whole characters.
    private static func cut(_ text: String) -> String {
        guard text.utf8.count > textLimit else { return text }
        var size = 0
        let whole = text.prefix { character in
            size += character.utf8.count
            return size <= textLimit - 3
        }
        return whole + "…"
    }
}

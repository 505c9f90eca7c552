/// The name of something that processes share: in every process of a tree the same, and never that of another.
package struct SharedID: Hashable, Sendable {
    /// The number of the process that made it, above how many it had made before.
    package let rawValue: UInt64

    package init(rawValue: UInt64) {
        self.rawValue = rawValue
    }

    /// - Parameters:
    ///   - creator: The number of the process within its tree, below 2²⁸.
    ///   - count: How many things it has named before, below 2³⁶.
    package init(creator: UInt32, count: UInt64) {
        precondition(creator < 1 << 28 && count < 1 << 36, "a process of the tree, and one of its things")
        rawValue = UInt64(creator) << 36 | count
    }

    /// The number of the process that made it.
    package var creator: UInt32 { UInt32(rawValue >> 36) }
}

import Synchronization

/// Whether something that may be in vain is worth a try: after it was in vain the next occasions are passed over, the
/// more the more often it was.
package final class Occasions: Sendable {
    private let mostSkips: Int

    /// How often in a row it was in vain, and how many occasions are still to be passed over.
    private let misses = Atomic(0)
    private let skips = Atomic(0)

    /// - Parameter mostSkips: The most occasions that are passed over.
    package init(mostSkips: Int) {
        self.mostSkips = mostSkips
    }

    /// Whether it was in vain when it was last tried.
    package var wasInVain: Bool { misses.load(ordering: .relaxed) > 0 }

    /// Whether to try it now; then ``note(success:)`` follows.
    package func take() -> Bool {
        guard skips.load(ordering: .relaxed) > 0 else { return true }
        skips.wrappingSubtract(1, ordering: .relaxed)
        return false
    }

    /// Notes what came of it.
    package func note(success: Bool) {
        guard !success else { return misses.store(0, ordering: .relaxed) }
        let count = misses.wrappingAdd(1, ordering: .relaxed).newValue
        skips.store(min(1 << min(count, 16), mostSkips), ordering: .relaxed)
    }
}

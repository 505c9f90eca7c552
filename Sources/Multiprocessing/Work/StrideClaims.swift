public import Synchronization

/// How far the thread that runs a chunk may go, and has begun: in strides, in one word, so that
/// what is begun and what is taken away are told apart exactly.
@usableFromInline
package struct StrideClaims: ~Copyable, Sendable {
    /// The limit in the upper half, how many were begun in the lower.
    @usableFromInline let word: Atomic<UInt64>

    package init(limit: Int) {
        word = Atomic(UInt64(UInt32(clamping: limit)) << 32)
    }

    /// Begins the next stride; `false` when there is none, or it was taken away.
    @inlinable
    package func claim() -> Bool {
        let old = word.wrappingAdd(1, ordering: .acquiringAndReleasing).oldValue
        if UInt32(truncatingIfNeeded: old) < UInt32(truncatingIfNeeded: old >> 32) { return true }
        word.wrappingSubtract(1, ordering: .acquiringAndReleasing)
        return false
    }

    /// Takes away every stride that is not begun, but for the first, which then is about to; returns their numbers.
    package func revoke() -> Range<Int> {
        var old = word.load(ordering: .acquiring)
        while true {
            let begun = min(max(1, old & 0xFFFF_FFFF), old >> 32)
            let (exchanged, original) = word.weakCompareExchange(
                expected: old, desired: begun << 32 | (old & 0xFFFF_FFFF), ordering: .acquiringAndReleasing)
            if exchanged { return Int(begun)..<Int(old >> 32) }
            old = original
        }
    }

    /// How many strides may be begun.
    package var limit: Int { Int(word.load(ordering: .acquiring) >> 32) }

    /// Sets how many strides may be begun, of a chunk that nobody runs.
    ///
    /// - Parameter begun: How many of them have ended already, in a run before.
    package func setLimit(_ limit: Int, begun: Int = 0) {
        word.store(
            UInt64(UInt32(clamping: limit)) << 32 | UInt64(UInt32(clamping: begun)), ordering: .releasing)
    }
}

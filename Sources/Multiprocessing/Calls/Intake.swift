/// Takes the inputs of a call out of the caller's sequence, many at a time.
///
/// Made in the caller's module, where the sequence's type is known: the loop over its elements is
/// compiled for that type, and the pool calls it once a chunk.
@usableFromInline
struct Intake<Element> {
    /// How many elements there are, if that is known.
    @usableFromInline let count: Int?

    /// Takes elements, as many as asked for or all that are left.
    @usableFromInline let take: (_ count: Int) -> ArraySlice<Element>

    @inlinable
    init<S: Sequence>(_ inputs: S) where S.Element == Element {
        let hint = inputs.underestimatedCount
        count = hint > 0 ? hint : nil
        if let array = inputs as? [Element] {
            // A slice shares the array's memory.
            var position = 0
            take = { count in
                let start = position
                position += Swift.min(count, array.count - start)
                return array[start..<position]
            }
            return
        }
        var iterator = inputs.makeIterator()
        take = { count in
            var taken: [Element] = []
            // At most so many at once: a sequence may promise more than there is memory for.
            taken.reserveCapacity(Swift.min(count, Swift.max(hint, 4_096), 1 << 20))
            while taken.count < count, let element = iterator.next() { taken.append(element) }
            return taken[...]
        }
    }
}

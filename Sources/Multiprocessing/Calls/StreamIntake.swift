/// Takes the inputs of a stream out of the caller's sequence, behind those that were taken before.
///
/// Made in the caller's module, where the sequence's type is known: the loop over its elements is compiled for that type.
@usableFromInline
struct StreamIntake<Element> {
    /// How many elements there are at least.
    @usableFromInline let hint: Int

    /// Appends elements, as many as asked for or all that are left.
    @usableFromInline let take: (_ count: Int, _ taken: inout [Element]) -> Void

    @inlinable
    init<S: Sequence>(_ inputs: S) where S.Element == Element {
        hint = inputs.underestimatedCount
        var iterator = inputs.makeIterator()
        take = { count, taken in
            for _ in 0..<count {
                guard let element = iterator.next() else { return }
                taken.append(element)
            }
        }
    }
}

import MultiprocessingSystem

/// Takes the inputs of a stream out of the caller's sequence, behind those that were taken before.
///
/// Made in the caller's module, where the sequence's type is known: the loop over its elements is compiled for that type.
@usableFromInline
struct StreamIntake<Element> {
    /// How many elements there are at least.
    @usableFromInline let hint: Int

    /// Appends the elements of chunks, as many as asked for or all that are left; fewer chunks when the sequence makes whoever
    /// takes them wait.
    @usableFromInline let take: (_ count: Int, _ chunkSize: Int, _ taken: inout [Element]) -> IntakeEnd

    @inlinable
    init<S: Sequence>(_ inputs: S) where S.Element == Element {
        hint = inputs.underestimatedCount
        // What lies in memory makes nobody wait, and needs no look at the clock.
        let isStored =
            S.self == Range<Int>.self || S.self == ClosedRange<Int>.self
            || inputs.withContiguousStorageIfAvailable { _ in true } ?? false
        var iterator = inputs.makeIterator()
        take = { count, chunkSize, taken in
            if isStored {
                for _ in 0..<count {
                    guard let element = iterator.next() else { return .ended }
                    taken.append(element)
                }
                return .taken
            }
            let patience = IntakePatience()
            var left = count
            while left > 0 {
                for _ in 0..<min(left, chunkSize) {
                    guard let element = iterator.next() else { return .ended }
                    taken.append(element)
                }
                left -= chunkSize
                if patience.isOver { return .slow }
            }
            return .taken
        }
    }
}

/// Why no further inputs were taken.
@usableFromInline
enum IntakeEnd {
    /// There are as many as were asked for.
    case taken
    /// Taking these took long: what they become is not to wait for others.
    case slow
    /// There are no more.
    case ended
}

/// How long whoever takes inputs may take them, before something is done with those.
@usableFromInline
struct IntakePatience {
    /// In nanoseconds.
    private static let limit: UInt64 = 100_000

    private let start: UInt64

    @usableFromInline
    init() {
        start = MonotonicTime.now().nanoseconds
    }

    @usableFromInline var isOver: Bool { MonotonicTime.now().nanoseconds &- start > Self.limit }
}

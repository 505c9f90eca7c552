/// The array that a `map` gives back, in which its chunks put their values where they belong.
///
/// Only for values that are nothing but their bits: those need not be destroyed, so nobody has to
/// know which of them are there when the call fails.
///
/// `Sendable` is unchecked: each chunk writes to places of its own, and the array is taken when all
/// chunks have ended, which the pipeline's lock orders behind what they wrote.
final class OutputArray<Output>: @unchecked Sendable {
    private var values: [Output]
    private let base: UnsafeMutablePointer<Output>
    let count: Int

    /// The most bytes that are asked for before there is a value; a sequence may be endless in practice.
    private static var limit: Int { 256 << 20 }

    /// Makes the places; `nil` when values of the type cannot be put there, or are too many.
    init?(count: Int) {
        guard _isPOD(Output.self), count > 0, count <= Self.limit / MemoryLayout<Output>.stride else { return nil }
        self.count = count
        // Safe: values without a destructor are never looked at before they were written.
        values = [Output](unsafeUninitializedCapacity: count) { $1 = count }
        let start = values.withUnsafeMutableBufferPointer { $0.baseAddress }
        guard let start else { return nil }
        // Safe: the array has one owner, which does not touch it until it is taken, so its memory stays where it is.
        base = start
    }

    /// Where the values of these items belong; `nil` when there are not as many places.
    ///
    /// Good for as long as this object lives and the array was not taken.
    func places(of items: Range<Int>) -> UnsafeMutablePointer<Output>? {
        items.upperBound <= count ? base + items.lowerBound : nil
    }

    /// Takes the first values out; once, when all of them are there.
    func take(_ count: Int) -> [Output] {
        var taken: [Output] = []
        swap(&taken, &values)
        precondition(
            taken.withUnsafeMutableBufferPointer { $0.baseAddress } == base, "nobody else had the array, so it stayed")
        taken.removeLast(self.count - count)
        return taken
    }
}

/// Takes the inputs of a call out of its sequence, a chunk at a time.
struct InputBatches<Element> {
    private let intake: Intake<Element>
    private var sizer: ChunkSizer
    private var remaining: Int?
    private(set) var isExhausted = false

    init(_ intake: Intake<Element>, sizer: ChunkSizer) {
        self.intake = intake
        self.sizer = sizer
        remaining = intake.count
    }

    /// Takes the next inputs; empty when there are none left.
    mutating func next() -> ArraySlice<Element> {
        let size = sizer.size(remaining: remaining)
        let inputs = intake.take(size)
        isExhausted = inputs.count < size
        remaining = remaining.map { max(0, $0 - inputs.count) }
        return inputs
    }

    /// How many of the inputs that were just taken a worker begins together.
    func stride(of size: Int) -> Int { sizer.stride(of: size) }

    mutating func observe(count: Int, nanoseconds: UInt64) {
        sizer.observe(count: count, nanoseconds: nanoseconds)
    }
}

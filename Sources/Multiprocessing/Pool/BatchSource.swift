/// Takes the inputs of a call out of its sequence, a chunk at a time.
struct BatchSource<Base: IteratorProtocol> {
    private var base: Base
    private var sizer: ChunkSizer
    private var remaining: Int?
    private(set) var isExhausted = false

    /// - Parameter count: How many elements there are, if that is known.
    init(_ base: Base, count: Int?, sizer: ChunkSizer) {
        self.base = base
        self.sizer = sizer
        remaining = count
    }

    /// Takes the next inputs; empty when there are none left.
    ///
    /// - Parameter limit: How many to take at most.
    mutating func next(limit: Int = .max) -> [Base.Element] {
        let size = min(sizer.size(remaining: remaining), limit)
        var inputs: [Base.Element] = []
        inputs.reserveCapacity(min(size, 4_096))
        while inputs.count < size {
            guard let element = base.next() else {
                isExhausted = true
                break
            }
            inputs.append(element)
        }
        remaining = remaining.map { max(0, $0 - inputs.count) }
        return inputs
    }

    /// How many of the inputs that were just taken a worker begins together.
    func stride(of size: Int) -> Int { sizer.stride(of: size) }

    mutating func observe(count: Int, nanoseconds: UInt64) {
        sizer.observe(count: count, nanoseconds: nanoseconds)
    }
}

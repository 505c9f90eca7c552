/// What became of the items of one chunk, in their order.
struct ChunkResult<Output: Sendable>: Sendable {
    /// The values of the items that gave one.
    var outputs: [Output] = []

    /// The items that failed, by their offset in the chunk, ascending; most often none.
    var failures: [(offset: Int, error: any Error)] = []

    /// How many items the chunk had.
    var count = 0

    /// How long the items ran.
    var nanoseconds: UInt64 = 0

    /// How many bytes the encoded inputs and values took; zero on threads.
    var size = 0

    /// Whether other items of the chunk were still to end.
    var isPart = false

    /// The runs of items between some that failed and are left out, each with the offset of its first item.
    ///
    /// - Parameter holes: The offsets of what is left out, ascending.
    func parts(without holes: [Int]) -> [(offset: Int, result: ChunkResult)] {
        // Without values here they are in places of their own.
        let isPlaced = outputs.isEmpty
        var values = outputs[...]
        var failed = failures[...]
        var parts: [(offset: Int, result: ChunkResult)] = []
        var start = 0
        for end in holes + [count] {
            if end > start {
                var part = ChunkResult(count: end - start)
                let failures = failed.prefix { $0.offset < end }
                part.failures = failures.map { ($0.offset - start, $0.error) }
                failed = failed.dropFirst(failures.count)
                if !isPlaced {
                    part.outputs = Array(values.prefix(part.count - failures.count))
                    values = values.dropFirst(part.outputs.count)
                }
                part.nanoseconds = nanoseconds / UInt64(count) * UInt64(part.count)
                parts.append((start, part))
            }
            // The hole itself is a failure that has no value.
            failed = failed.drop { $0.offset <= end }
            start = end + 1
        }
        return parts
    }

    /// Calls `body` for each item in order.
    func forEachItem(_ body: (Result<Output, any Error>) -> Void) {
        var values = outputs.makeIterator()
        var failed = failures.makeIterator()
        var nextFailure = failed.next()
        for offset in 0..<count {
            if let failure = nextFailure, failure.offset == offset {
                body(.failure(failure.error))
                nextFailure = failed.next()
            } else if let value = values.next() {
                body(.success(value))
            }
        }
    }
}

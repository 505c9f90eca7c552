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

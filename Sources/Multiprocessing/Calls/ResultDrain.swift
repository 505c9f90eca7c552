/// The consumer's side of a stream: takes chunk results off a pipeline in the wanted order, item by item.
struct ResultDrain<Output: Sendable> {
    let pipeline: CallProgress<Output>
    private let order: StreamOrder
    private var nextIndex = 0
    private var current: [Result<Output, any Error>] = []
    private var position = 0

    init(_ pipeline: CallProgress<Output>, order: StreamOrder) {
        self.pipeline = pipeline
        self.order = order
    }

    /// The next item of a chunk that has arrived.
    mutating func takeItem() -> Result<Output, any Error>? {
        while position == current.count {
            guard let result = takeChunk() else { return nil }
            current.removeAll(keepingCapacity: true)
            result.forEachItem { current.append($0) }
            position = 0
        }
        defer { position += 1 }
        pipeline.noteDelivery()
        return current[position]
    }

    private mutating func takeChunk() -> ChunkResult<Output>? {
        let wanted = nextIndex
        let byInput = order.kind == .input
        let result = pipeline.withState { state in
            if byInput { return state.take(wanted) }
            return state.takeFirstArrived()
        }
        nextIndex += result?.count ?? 0
        return result
    }

    /// Whether every result was given out and none will come.
    var isAtEnd: Bool {
        guard position == current.count else { return false }
        return pipeline.withState { $0.isInputEnded && $0.inFlight.isEmpty && $0.arrived.isEmpty }
    }

    /// Suspends until ``takeItem()`` has something to give, or nothing is left to come.
    nonisolated(nonsending) func waitForChunk() async {
        let wanted = nextIndex
        let byInput = order.kind == .input
        await pipeline.wait { state in
            let isThere = byInput ? state.arrived[wanted] != nil : !state.arrived.isEmpty
            return isThere || (state.isInputEnded && state.inFlight.isEmpty && state.arrived.isEmpty)
        }
    }
}

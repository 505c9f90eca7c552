extension CallProgress {
    /// What one call knows of its chunks, and who waits for what comes of them.
    struct State {
        /// Chunks that were submitted and have not ended, by the number of their first item.
        var inFlight: [Int: BatchHandle] = [:]
        var inFlightBytes = 0
        /// How many of those chunks are further attempts, which need not hold up the feeding.
        var retriedCount = 0
        var arrived: [Int: ChunkResult<Output>] = [:]
        /// The numbers in `arrived`, in the order in which they came.
        var arrivals = RingQueue<Int>()
        /// How many items are in the chunks that were made.
        var nextIndex = 0
        var lowestFailure: (index: Int, error: any Error)?
        var isCancelled = false
        /// No chunk will be added.
        var isInputEnded = false
        /// What the input threw, until that was given out.
        var inputError: (any Error)?
        /// Items that were taken from the input, and items that were given out.
        var pulledCount = 0
        var deliveredCount = 0

        /// How many first attempts are out.
        var activeCount: Int { inFlight.count - retriedCount }

        /// Takes what came of a chunk, or of a part of it.
        mutating func store(_ result: ChunkResult<Output>, of index: Int, keepsArrival: Bool) {
            // All of the chunk was handed over before its end.
            guard result.count > 0 else { return }
            arrived[index] = result
            if keepsArrival { arrivals.append(index) }
            noteFailure(result, of: index)
        }

        /// Remembers the failure of the lowest item.
        ///
        /// After the first one what runs is cancelled, and says so; that is no news.
        mutating func noteFailure(_ result: ChunkResult<Output>, of index: Int) {
            guard let failure = result.failures.first, index < lowestFailure?.index ?? .max,
                lowestFailure == nil || !(failure.error is CancellationError)
            else { return }
            lowestFailure = (index, failure.error)
        }

        /// The chunks that are out and come after the one at `index`, in the order in which to cancel them.
        ///
        /// The last first: a worker whose chunk is cancelled takes the next one in the queue, which must be gone by then.
        func chunks(behind index: Int = -1) -> [Chunk] {
            inFlight.filter { $0.key > index }.sorted { $0.key > $1.key }.map(\.value.chunk)
        }

        /// Takes what came back since the last time.
        mutating func takeArrived() -> [(index: Int, result: ChunkResult<Output>)] {
            var taken: [(index: Int, result: ChunkResult<Output>)] = []
            while let index = arrivals.popFirst() {
                if let result = arrived.removeValue(forKey: index) { taken.append((index, result)) }
            }
            return taken
        }

        /// Takes the results of the chunk at `index` and of those behind it, up to the first that has not come back.
        mutating func takeAll(from index: Int) -> [ChunkResult<Output>] {
            var index = index
            var taken: [ChunkResult<Output>] = []
            while let result = arrived.removeValue(forKey: index) {
                taken.append(result)
                index += result.count
            }
            return taken
        }

        /// Takes what came back, in the order in which it did.
        mutating func takeAllArrived() -> [ChunkResult<Output>] {
            var taken: [ChunkResult<Output>] = []
            while let index = arrivals.popFirst() {
                if let result = arrived.removeValue(forKey: index) { taken.append(result) }
            }
            return taken
        }

        /// Whether every result was taken and none will come.
        var isOver: Bool { isInputEnded && inFlight.isEmpty && arrived.isEmpty }

        var onCancel: (@Sendable () -> Void)?
        var consumer: (condition: @Sendable (borrowing State) -> Bool, waiter: Waiter)?
        var producer: (condition: @Sendable (borrowing State) -> Bool, waiter: Waiter)?

        /// Whoever's condition has come to hold.
        mutating func takeReady() -> (Waiter?, Waiter?) {
            var ready: (Waiter?, Waiter?)
            if let consumer, isCancelled || consumer.condition(self) {
                ready.0 = consumer.waiter
                self.consumer = nil
            }
            if let producer, isCancelled || producer.condition(self) {
                ready.1 = producer.waiter
                self.producer = nil
            }
            return ready
        }
    }
}

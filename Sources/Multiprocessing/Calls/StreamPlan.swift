/// What a stream was asked to do.
@usableFromInline
struct StreamPlan<Input: Sendable, Output: Sendable>: Sendable {
    let core: PoolCore
    /// Keeps the pool alive while the stream is in use.
    private let pool: any AnyObject & Sendable
    let work: ItemFunction<Input, Output>
    let chunkSize: Int
    let buffer: Int
    let order: StreamOrder
    let stopsAtFailure: Bool
    let options: CallOptions

    /// - Throws: ``PoolError/Code/invalidArgument`` for a chunk size or a buffer less than 1.
    init(
        core: PoolCore,
        keeping pool: any AnyObject & Sendable,
        work: ItemFunction<Input, Output>,
        chunkSize: Int?,
        buffer: Int?,
        order: StreamOrder,
        stopsAtFailure: Bool,
        options: CallOptions
    ) throws {
        try core.checkChunkSize(chunkSize)
        if let buffer, buffer < 1 {
            throw PoolError.invalidArgument(
                "buffer", buffer, "at least 1 item has to be on its way; leave it out to have it chosen")
        }
        self.core = core
        self.pool = pool
        self.work = work
        self.chunkSize = min(chunkSize ?? 1, ChunkSizer.limit)
        let (product, overflow) = self.chunkSize.multipliedReportingOverflow(by: 4 * core.workerCount)
        self.buffer = buffer ?? (overflow ? .max : product)
        self.order = order
        self.stopsAtFailure = stopsAtFailure
        self.options = options
    }

    /// The same plan, with those values of the reading task that the pool carries to worker processes.
    func carrying() throws -> StreamPlan {
        StreamPlan(self, try work.carrying(core.carrier))
    }

    private init(_ plan: StreamPlan, _ work: ItemFunction<Input, Output>) {
        core = plan.core
        pool = plan.pool
        self.work = work
        chunkSize = plan.chunkSize
        buffer = plan.buffer
        order = plan.order
        stopsAtFailure = plan.stopsAtFailure
        options = plan.options
    }

    /// - Parameter total: How many inputs there are, as far as is known.
    func makePipeline(total: Int? = nil) -> CallProgress<Output> {
        CallProgress(
            core: core, stopsAtFailure: stopsAtFailure, keepsArrivals: order.kind == .completion, options: options,
            total: total)
    }

    /// How many inputs may be taken now: a whole chunk, or nothing.
    ///
    /// A chunk that is larger than the buffer travels alone.
    func room(pulled: Int, delivered: Int) -> Bool {
        pulled == delivered || chunkSize <= buffer - (pulled - delivered)
    }

    /// How many further results have to be given out until there is room for one chunk more than now.
    func deliveriesUntilRoom(pulled: Int, delivered: Int) -> Int {
        let ahead = pulled - delivered
        guard chunkSize <= buffer else { return max(1, ahead) }
        return chunkSize - (buffer - ahead) % chunkSize
    }

    /// Whether each item is a chunk of its own.
    var isOneByOne: Bool { chunkSize == 1 }
}

/// Cancels what is out when the consumer lets go of its iterator.
final class PipelineOwner<Output: Sendable>: Sendable {
    let pipeline: CallProgress<Output>

    init(_ pipeline: CallProgress<Output>) {
        self.pipeline = pipeline
    }

    deinit {
        pipeline.reporter?.stop()
        pipeline.cancel()
    }
}

import MultiprocessingSystem

/// What a stream was asked to do.
@usableFromInline
struct StreamPlan<Input: Sendable, Output: Sendable>: Sendable {
    let core: PoolCore
    /// Keeps the pool alive while the stream is in use.
    private let pool: any AnyObject & Sendable
    let work: ItemFunction<Input, Output>
    let chunkSize: Int
    /// How many inputs are taken ahead at most, as far as the caller has said it.
    private let buffer: Int?
    /// How many chunks may travel together; 1 if each has to travel by itself.
    private let groupLimit: Int
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
        self.buffer = buffer
        // Limits and retries are an item's own, and begin with it.
        let canGroup =
            chunkSize != 1 && options.limits == WorkLimits() && options.retry == nil && RemoteFence.isAvailable
            && (core.needsPortableWork || work.body.isSynchronous)
        // No more of them than a worker may run.
        let recycling = max(1, (core.recyclingItems ?? .max) / self.chunkSize)
        groupLimit =
            canGroup
            ? min(
                recycling,
                GroupSizer.limit(chunkSize: self.chunkSize, buffer: buffer, workerCount: core.workerCount)) : 1
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
        groupLimit = plan.groupLimit
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

    /// Whether inputs that come one upon another travel together; chunks of a size that was asked for do not wait for others.
    var gathersInputs: Bool { groupLimit > 1 && chunkSize == 1 }

    /// What chooses how many chunks go together.
    func makeSizer() -> GroupSizer { GroupSizer(chunkSize: chunkSize, limit: groupLimit) }

    /// How many inputs are taken ahead at most, of chunks, or groups, of a size.
    private func capacity(_ size: Int) -> Int {
        if let buffer { return buffer }
        let (product, overflow) = size.multipliedReportingOverflow(by: 4 * core.workerCount)
        return overflow ? .max : product
    }

    /// Whether a whole chunk, or group, may be taken now.
    ///
    /// One that is larger than the buffer travels alone.
    func room(for size: Int, pulled: Int, delivered: Int) -> Bool {
        pulled == delivered || size <= capacity(size) - (pulled - delivered)
    }

    /// How many further results have to be given out until there is room for one chunk more than now.
    func deliveriesUntilRoom(for size: Int, pulled: Int, delivered: Int) -> Int {
        let ahead = pulled - delivered
        let capacity = capacity(size)
        guard size <= capacity else { return max(1, ahead) }
        // More may be ahead than now would be taken.
        guard ahead <= capacity else { return ahead - capacity + size }
        return size - (capacity - ahead) % size
    }
}

import MultiprocessingCoding
import MultiprocessingSystem
public import Synchronization

/// Work items that travel and run together, as the scheduler and the backends see them.
///
/// The pool makes a chunk, hands it to one worker at a time, and ends it exactly once. Its
/// items run in order, so one number, how many have ended, says where it stands.
///
/// `Sendable`: the scheduler hands a chunk from one owner to the next (caller, queue, worker),
/// every transfer goes through the pool's lock, and only the owner calls what is not marked
/// as safe from any thread.
@usableFromInline
package class Chunk: @unchecked Sendable {
    // Exclusivity of what changes is unchecked, here and in the kinds of chunk: whoever may use it is the only one, and
    // to read or set it calls nothing. The checks are a good part of what an item costs.

    /// How many items are in the chunk; fewer once its end was split off.
    @exclusivity(unchecked) package final var count: Int

    /// How many of them have ended, in order.
    @exclusivity(unchecked) package final var finishedCount = 0

    /// How long its items may take; set before the chunk is submitted.
    @exclusivity(unchecked) package final var limits = WorkLimits()

    /// How often its items are run with this time; set before the chunk is submitted.
    @exclusivity(unchecked) package final var attempt = 1

    /// What its items are called, for a person; set before the chunk is submitted.
    @exclusivity(unchecked) package final var label: String?

    /// The actor that it makes, if it does; set before the chunk is submitted.
    @exclusivity(unchecked) package final var placement: ActorPlacement?

    /// Whether what has come of its items is wanted before all have ended; set before the chunk is submitted.
    @exclusivity(unchecked) package final var isPrompt = false

    /// How often the chunk came back unstarted from a worker that ended.
    @exclusivity(unchecked) package final var returns = 0

    /// When its items have to have begun, while some of them wait with a limit; guarded as `place`.
    @exclusivity(unchecked) package final var startBy = UInt64.max

    /// Where the scheduler put the chunk; guarded by the pool's lock.
    @exclusivity(unchecked) package final var place = Place.unsubmitted

    /// What those are told who look at what the pool does; guarded as `place`.
    @exclusivity(unchecked) final var record = ChunkRecord()

    /// The size of the encoded inputs in bytes; zero on threads, and for a part that was split off.
    @exclusivity(unchecked) final var inputSize = 0

    /// How many bytes of encoded values have come.
    @exclusivity(unchecked) final var receivedSize = 0

    /// Items that were lost with their worker, until who has the chunk next fails them; guarded as `place`.
    @exclusivity(unchecked) private final var loss: Loss?

    @usableFromInline let cancelled = Atomic(false)
    private let hasEnded = Atomic(false)

    /// The run on a thread from which the item can be taken, if the chunk has a limit.
    private let guardedRun = Mutex<GuardedRun?>(nil)

    package enum Place: Equatable {
        case unsubmitted
        case queued
        /// In the queue at a later time.
        case delayed
        case held(by: Int)
        /// With the owner of the pool, which cuts it.
        case cut
        case ended
    }

    /// What items fail with that are not run; one for all, because making one takes an allocation.
    package static let cancellation: any Error = CancellationError()

    init(count: Int) {
        self.count = count
    }

    /// Makes a chunk that nobody can run, which is all that the scheduler's decisions need.
    package static func placeholder(count: Int, stride: Int? = nil, tellsLosses: Bool = false) -> Chunk {
        Placeholder(count: count, stride: stride ?? count, tellsLosses: tellsLosses)
    }

    // Sendable: as every chunk.
    private final class Placeholder: Chunk, @unchecked Sendable {
        private let stride: Int
        private let isAwaited: Bool

        init(count: Int, stride: Int, tellsLosses: Bool) {
            self.stride = stride
            isAwaited = tellsLosses
            super.init(count: count)
        }

        override var strideLength: Int { stride }
        override var tellsLosses: Bool { isAwaited }

        override func split(keeping count: Int) -> Chunk? {
            guard count > 0, count < self.count else { return nil }
            let part = Placeholder(count: self.count - count, stride: stride, tellsLosses: isAwaited)
            part.follow(self)
            self.count = count
            return part
        }

        override func receiveFailure(_ error: any Error) { finishedCount += 1 }
        override func end(failing error: any Error, nanoseconds: UInt64) {}
    }

    private final class Loss {
        let end: Int
        let error: any Error

        init(end: Int, error: any Error) {
            self.end = end
            self.error = error
        }
    }

    /// Whether the chunk was cancelled: items that have not started do not start.
    ///
    /// Safe from any thread.
    @inlinable package final var isCancelled: Bool { cancelled.load(ordering: .relaxed) }

    /// Safe from any thread.
    package final func markCancelled() {
        cancelled.store(true, ordering: .relaxed)
    }

    /// Whether the chunk has ended.
    ///
    /// Safe from any thread.
    package final var isEnded: Bool { hasEnded.load(ordering: .acquiring) }

    /// What the items see of the task that asked for them, on a thread.
    var caller: CallerContext { .none }

    /// How many items a worker begins together: the rest can still be given to another.
    package var strideLength: Int { count }

    /// How many items have not ended.
    package final var remainingCount: Int { count - finishedCount }

    /// Whether a part can be split off.
    package final var isDivisible: Bool { strideLength < count }

    /// Takes over what holds for the chunk that this one was split off.
    final func follow(_ whole: Chunk) {
        limits = whole.limits
        startBy = whole.startBy
        attempt = whole.attempt
        isPrompt = whole.isPrompt
        label = whole.label
        if whole.isCancelled { markCancelled() }
    }

    /// Notes when items that wait have to have begun, unless they wait already.
    final func limitWait(now: UInt64) {
        if startBy == .max, let limit = limits.queueTimeout { startBy = now.advanced(by: limit) }
    }

    /// Splits off all behind the first `count` items; `nil` if that is nothing, or the chunk cannot be split.
    package func split(keeping count: Int) -> Chunk? { nil }

    /// Cuts the chunk before the items with these numbers; returns the parts in order, of which it is the first.
    package final func cut(before places: [Int]) -> [Chunk] {
        [self] + places.reversed().compactMap { split(keeping: $0) }.reversed()
    }

    /// Splits off what the thread that runs the chunk has not begun; safe meanwhile.
    package func splitUnbegun() -> Chunk? { nil }

    // MARK: Being run on a thread

    /// Notes that an item begins on a thread, from which it may be taken.
    final func beginGuarded(_ item: Int) -> GuardedRun {
        let run = GuardedRun(item: item, now: MonotonicTime.now().nanoseconds)
        guardedRun.withLock { $0 = run }
        return run
    }

    /// The item that runs on a thread, if the chunk has a limit, and when it began, if that is known.
    ///
    /// Safe from any thread.
    package var runningItem: (item: Int, since: UInt64?)? {
        guardedRun.withLock { $0 }?.current.map { ($0.item, $0.since) }
    }

    /// Takes the chunk from the thread that runs it, which goes on with an item that is nobody's then.
    ///
    /// Safe from any thread. The caller becomes the chunk's owner.
    package func takeRunning(_ item: Int?) -> GuardedRun.Taking {
        guardedRun.withLock { $0 }?.take(item) ?? .over
    }

    /// Whether items can be left to run: some have not ended, and nothing forbids them.
    var wantsToRun: Bool {
        guard let loss else { return finishedCount < count && !isCancelled }
        return loss.end < count && !isCancelled && !stopsAtFailure
    }

    /// Whether items behind one that fails are not to start.
    var stopsAtFailure: Bool { false }

    /// Runs the items that have not ended, on the executor of the current task.
    package func run() async { mustBeOverridden() }

    /// What a worker process needs to run the chunk; `nil` when it was made for threads only.
    package var portable: PortableChunk? { mustBeOverridden() }

    /// Takes the encoded values of the next `count` items.
    ///
    /// A value that cannot be decoded fails the item it belongs to.
    ///
    /// - Throws: When the bytes end too early, or hold more items than are outstanding.
    package func receiveValues(_ count: Int, from incoming: inout Incoming) throws {
        mustBeOverridden()
    }

    /// Makes the memory of the next item's value, which is a large array.
    ///
    /// - Throws: When no item is outstanding, or its value is none of this size.
    package func landing(size: UInt64) throws -> ArrivingArray { mustBeOverridden() }

    /// Takes the next item's value, whose memory is complete.
    ///
    /// - Throws: When no item is outstanding, or the memory is that of another value.
    package func receiveArray(_ landing: ArrivingArray) throws { mustBeOverridden() }

    /// Hands on what has come of its items so far, if that is wanted before all have ended.
    ///
    /// On threads safe from any thread, one at a time, while another runs the chunk; on processes for the owner.
    ///
    /// - Returns: Whether there was something.
    package func handOverFinished() -> Bool { false }

    /// Decides, for the scheduler, that the items before the one at `end` that have not ended are lost.
    package final func lose(through end: Int, _ error: any Error) {
        if end > finishedCount { loss = Loss(end: end, error: error) }
    }

    /// Fails the items of which it was decided that they are lost: before the chunk is handed on, or ended.
    ///
    /// By whoever takes the chunk over, so that nobody else has it at that time.
    package final func failLost() {
        guard let loss = loss.take() else { return }
        while finishedCount < loss.end { receiveFailure(loss.error) }
    }

    /// Whether whoever waits for its items wants to know of lost ones while others have not ended.
    package var tellsLosses: Bool { false }

    /// Fails the items of which it was decided that they are lost, and tells of them; for who takes the chunk over.
    package func tellLosses() { failLost() }

    /// Whether there are items of which it was decided that they are lost, and which have not been failed.
    final var hasLoss: Bool { loss != nil }

    /// How many they are, and with what they fail.
    final var pendingLoss: (count: Int, error: any Error)? {
        loss.map { (max(0, $0.end - finishedCount), $0.error) }
    }

    /// How many of the items that have ended have failed, and with what the first.
    var failures: (count: Int, first: (any Error)?) { (0, nil) }

    /// Takes what an item says while it runs; safe from any thread, at any time.
    func receiveProgress(_ fraction: Double, _ text: String) {}

    /// Forgets what came of the items from the one at `start` on, of which none has ended then.
    func discardResults(from start: Int) {
        finishedCount = min(finishedCount, start)
    }

    /// Takes the failure of the next item.
    package func receiveFailure(_ error: any Error) { mustBeOverridden() }

    /// Ends the chunk, whoever comes first: a worker's report and the pool's end can cross.
    package final func endOnce(failing error: any Error, nanoseconds: UInt64) {
        guard !hasEnded.exchange(true, ordering: .acquiringAndReleasing) else { return }
        failLost()
        end(failing: error, nanoseconds: nanoseconds)
    }

    /// Takes the end of the chunk; what has not ended by now fails with `error`.
    ///
    /// Called once, with no lock held, because it resumes whoever waits.
    func end(failing error: any Error, nanoseconds: UInt64) { mustBeOverridden() }

    /// Tells whoever waits that no result will come; results that come all the same are dropped.
    ///
    /// Safe from any thread, at any time, more than once, and while a worker runs the chunk.
    func abandon(_ error: any Error) { mustBeOverridden() }

    private func mustBeOverridden(_ function: StaticString = #function) -> Never {
        fatalError("\(function) belongs to the kinds of chunk; Chunk itself is never run")
    }
}

import CMultiprocessing
package import MultiprocessingSystem

/// Memory that a worker shares with its parent, in which it notes how far it has come.
///
/// The worker collects its frames here before it writes them to its socket. When it dies, the
/// parent knows which item had begun, and finds the results that were not written yet: an
/// item that ended is never lost and never run twice. A value larger than the stage is written to the
/// socket directly; if the worker dies meanwhile, its item counts as the one that ran.
///
/// Places in the worker's output are counted from the start of the stream. The staged bytes
/// begin at `base`; `published` of them form whole frames. An `open` run of values lies
/// behind those: its header counts the values that are complete.
///
/// The order of the stores is what makes this hold at every moment at which the worker can
/// be killed; it stands with each method of ``ResultStage``.
package struct ProgressBoard: Sendable {
    static let headerSize = 128
    static let stageSize = 256 << 10

    /// The place in the stream at which the staged bytes begin.
    package let base: SharedWord
    /// How many staged bytes form whole frames.
    package let published: SharedWord
    /// Where in the stage an unfinished run of values begins, plus one; zero without one.
    package let openRun: SharedWord
    /// What the worker has begun, and whether it may begin more: see ``begin(_:of:epoch:)``.
    private let claims: SharedWord
    /// Not zero while a thread of the parent takes results from the stage as they come, so that none need be sent.
    let isWatched: SharedWord
    /// The place in the stream up to which the parent has taken results, through the socket or from the stage.
    package let taken: SharedWord
    /// How many bytes the worker never sent, because the parent had taken them from the stage.
    package let dropped: SharedWord
    /// When the worker began the chunk that it began last, in nanoseconds of the monotonic clock, if that has a deadline.
    ///
    /// Stored before the chunk is begun: read too early it is a time that is still to be begun at, and never
    /// that of the chunk before.
    let begunAt: SharedWord
    /// The item that the worker runs, or is about to: see ``Running``.
    let running: SharedWord
    /// Whether the worker is to stop before the next item: see ``halt()``.
    let order: SharedWord
    /// How many cancellations the parent has sent, or is about to: an item that begins behind that is not to miss them.
    package let cancellations: SharedWord
    /// The worker's number in its pool; written by the parent before the worker starts.
    let index: SharedWord

    /// The staged bytes.
    ///
    /// Unsafe because the other process may change them; the parent reads them when the worker is gone.
    package nonisolated(unsafe) let stage: UnsafeMutableRawBufferPointer

    /// Keeps the memory mapped.
    let memory: SharedPages

    package init(_ memory: SharedPages) {
        precondition(memory.count >= Self.headerSize + Self.stageSize, "a board of this size was asked for")
        self.memory = memory
        base = SharedWord(memory, at: 0)
        published = SharedWord(memory, at: 8)
        openRun = SharedWord(memory, at: 16)
        claims = SharedWord(memory, at: 24)
        index = SharedWord(memory, at: 32)
        isWatched = SharedWord(memory, at: 40)
        taken = SharedWord(memory, at: 48)
        dropped = SharedWord(memory, at: 56)
        begunAt = SharedWord(memory, at: 64)
        running = SharedWord(memory, at: 72)
        order = SharedWord(memory, at: 80)
        cancellations = SharedWord(memory, at: 88)
        stage = UnsafeMutableRawBufferPointer(
            rebasing: memory.bytes[Self.headerSize..<Self.headerSize + Self.stageSize])
    }

    package static func makeMemory() throws(SystemError) -> SharedPages {
        try SharedPages(size: headerSize + stageSize, name: "multiprocessing-board")
    }

    var descriptor: DescriptorNumber { memory.descriptor.number }

    /// Counts the values of the run whose header lies at `offset` in the stage.
    package func setRunCount(_ count: UInt32, at offset: Int) {
        mp_store_release_u32(stage.baseAddress! + offset + 4, count)
    }

    /// How many values of that run are complete.
    func runCount(at offset: Int) -> UInt32 {
        mp_load_acquire_u32(stage.baseAddress! + offset + 4)
    }
}

/// The word in which the worker begins work and the parent takes back what is not begun.
///
/// From the top: an epoch of 16 bits, which the parent advances when it takes back work, and which
/// the frames of that work carry; the last 16 bits of the sequence number of the chunk that was
/// begun last; and how many of its strides were begun. Both sides change all of it in one step, so
/// each stride is either begun or taken back, and both know which.
extension ProgressBoard {
    /// What the worker has begun.
    package struct Begun: Equatable {
        package let epoch: UInt16
        /// The end of the chunk's sequence number.
        let sequence: UInt16
        package let strideCount: Int

        fileprivate init(_ word: UInt64) {
            epoch = UInt16(truncatingIfNeeded: word >> 48)
            sequence = UInt16(truncatingIfNeeded: word >> 32)
            strideCount = Int(UInt32(truncatingIfNeeded: word))
        }

        /// Whether the chunk with this number is the one that was begun last.
        package func names(_ sequence: UInt64) -> Bool { self.sequence == UInt16(truncatingIfNeeded: sequence) }

        /// How many items of a chunk were begun.
        package func itemCount(ofChunk sequence: UInt64, stride: Int) -> Int {
            guard names(sequence) else { return 0 }
            let (count, overflow) = strideCount.multipliedReportingOverflow(by: stride)
            return overflow ? .max : count
        }
    }

    package var begun: Begun { Begun(claims.load()) }

    /// Another value each time the worker begins something.
    var beginnings: UInt64 { claims.load() }

    /// Begins a stride of a chunk, for the worker.
    ///
    /// - Returns: `false` if the parent has taken it back.
    package func begin(_ stride: Int, of sequence: UInt64, epoch: UInt16) -> Bool {
        let desired = UInt64(epoch) << 48 | (sequence & 0xFFFF) << 32 | UInt64(UInt32(clamping: stride + 1))
        var expected = claims.load()
        while Begun(expected).epoch == epoch {
            let (exchanged, original) = claims.compareExchange(expected: expected, desired: desired)
            if exchanged { return true }
            expected = original
        }
        return false
    }

    /// Where the worker stands: what it has begun, which item it runs, and when it began the chunk.
    ///
    /// `nil` when the worker goes on all the time, so that nothing runs for long.
    package var standing: (begun: Begun, running: Running, time: UInt64)? {
        for _ in 0..<16 {
            let begun = begun
            let running = Running(running.load())
            let time = begunAt.load()
            if begun == self.begun { return (begun, running, time) }
        }
        return nil
    }

    /// Takes back all that was sent in the current epoch and is not begun, for the parent.
    ///
    /// - Returns: How far the worker had begun.
    package func takeBack() -> Begun {
        while true {
            if let begun = takeBack(ifBegun: begun) { return begun }
        }
    }

    /// Takes back what is not begun, if the worker has come just so far; `nil`, and nothing is changed, otherwise.
    package func takeBack(ifBegun begun: Begun) -> Begun? {
        var expected = claims.load()
        while Begun(expected) == begun {
            let (exchanged, original) = claims.compareExchange(expected: expected, desired: expected &+ 1 << 48)
            if exchanged { return begun }
            expected = original
        }
        return nil
    }
}

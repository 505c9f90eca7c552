import CMultiprocessing
import MultiprocessingSystem

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
struct Board: Sendable {
    static let headerSize = 64
    static let stageSize = 256 << 10

    /// The place in the stream at which the staged bytes begin.
    let base: SharedWord
    /// How many staged bytes form whole frames.
    let published: SharedWord
    /// Where in the stage an unfinished run of values begins, plus one; zero without one.
    let openRun: SharedWord
    /// The sequence number of the last chunk that was begun.
    let started: SharedWord
    /// The worker's number in its pool; written by the parent before the worker starts.
    let index: SharedWord

    /// The staged bytes.
    ///
    /// Unsafe because the other process may change them; the parent reads them when the worker is gone.
    nonisolated(unsafe) let stage: UnsafeMutableRawBufferPointer

    /// Keeps the memory mapped.
    private let memory: SharedMemory

    init(_ memory: SharedMemory) {
        precondition(memory.count >= Self.headerSize + Self.stageSize, "a board of this size was asked for")
        self.memory = memory
        base = SharedWord(memory, at: 0)
        published = SharedWord(memory, at: 8)
        openRun = SharedWord(memory, at: 16)
        started = SharedWord(memory, at: 24)
        index = SharedWord(memory, at: 32)
        stage = UnsafeMutableRawBufferPointer(
            rebasing: memory.bytes[Self.headerSize..<Self.headerSize + Self.stageSize])
    }

    static func makeMemory() throws(SystemError) -> SharedMemory {
        try SharedMemory(size: headerSize + stageSize, name: "multiprocessing-board")
    }

    var descriptor: DescriptorNumber { memory.descriptor.number }

    /// Counts the values of the run whose header lies at `offset` in the stage.
    func setRunCount(_ count: UInt32, at offset: Int) {
        mp_store_release_u32(stage.baseAddress! + offset + 4, count)
    }
}

import MultiprocessingSystem
import Synchronization

/// A chunk as the worker runs it.
final class WorkerChunk: Sendable {
    let sequence: UInt64
    let count: Int
    let epoch: UInt16
    /// How many items are begun together.
    let stride: Int
    /// Whether the time at which each stride begins is noted.
    let isTimed: Bool
    private let stopsAtFailure: Bool
    private let cancelled = Atomic(false)

    init(_ header: Frame.ChunkHeader, count: Int) {
        sequence = header.sequence
        epoch = header.epoch
        stride = Int(header.stride)
        isTimed = header.isTimed
        stopsAtFailure = header.stopsAtFailure
        self.count = count
    }

    /// Whether items that have not started are not to start.
    var isCancelled: Bool { cancelled.load(ordering: .relaxed) }

    func cancel() {
        cancelled.store(true, ordering: .relaxed)
    }

    /// The items to begin first.
    var firstStride: Range<Int> { 0..<min(stride, count) }

    /// An item has failed; the items behind it start only if the call wants all results.
    func noteFailure() {
        if stopsAtFailure { cancel() }
    }
}

/// Listens, on a thread of its own, for cancellations and for the end of the parent.
///
/// It has a socket of its own, so that it hears both while the main thread is busy with work,
/// without either thread ever handing the other anything.
final class WorkerCanceller: Sendable {
    private let state = Mutex(State())

    private struct State {
        var chunk: WorkerChunk?
        var task: Task<Void, Never>?
        var isTaskSpent = false
        /// Cancellations that overtook their chunk; sequence numbers only grow, so few are kept.
        var early: Set<UInt64> = []
        var listener: Listener?
    }

    /// Starts to listen.
    func listen(to socket: consuming Socket) throws(SystemError) {
        let listener = Listener(socket)
        state.withLock { $0.listener = listener }
        _ = try NativeThread(name: "mp-control", stackSize: 256 << 10) { [self] in
            while let sequence = listener.next() { cancel(sequence) }
            // The parent is gone. An idle worker learns it on its main thread too, and has something to write.
            if isIdle { WorkerProcess.waitForOrphanedEnd() }
            ThisProcess.endWithGroup()
        }
    }

    private var isIdle: Bool { state.withLock { $0.chunk == nil } }

    /// Notes which chunk is run, in which task.
    func begin(_ chunk: WorkerChunk, _ task: Task<Void, Never>?) {
        let isCancelled = state.withLock { state in
            state.chunk = chunk
            state.task = task
            state.isTaskSpent = state.early.contains(chunk.sequence)
            state.early = state.early.filter { $0 > chunk.sequence }
            return state.isTaskSpent
        }
        if isCancelled {
            chunk.cancel()
            task?.cancel()
        }
    }

    /// Notes that the chunk has ended; returns whether its task was cancelled.
    func end() -> Bool {
        state.withLock { state in
            state.chunk = nil
            state.task = nil
            return state.isTaskSpent
        }
    }

    /// Tells the parent that all chunks up to this one are done, and their results sent.
    func answer(_ sequence: UInt64) {
        state.withLock { $0.listener }?.answer(sequence)
    }

    private func cancel(_ sequence: UInt64) {
        let (chunk, task): (WorkerChunk?, Task<Void, Never>?) = state.withLock { state in
            guard let chunk = state.chunk, chunk.sequence >= sequence else {
                state.early.insert(sequence)
                return (nil, nil)
            }
            // A late one is for a chunk that has ended.
            guard chunk.sequence == sequence else { return (nil, nil) }
            state.isTaskSpent = true
            return (chunk, state.task)
        }
        chunk?.cancel()
        // Not under the lock: handlers of the work's own run in here.
        task?.cancel()
    }
}

/// The control socket, for the one thread that reads it and the one that answers.
private final class Listener: Sendable {
    private let socket: Socket

    init(_ socket: consuming Socket) {
        self.socket = socket
    }

    /// The next cancelled chunk's sequence number; `nil` when the parent is gone.
    func next() -> UInt64? {
        var sequence: UInt64 = 0
        let count = withUnsafeMutableBytes(of: &sequence) { (try? socket.receiveAll(into: $0)) ?? 0 }
        return count == MemoryLayout<UInt64>.size ? sequence : nil
    }

    /// Says that a chunk, and all before it, is done; the parent asks one question at a time, so there is room.
    func answer(_ sequence: UInt64) {
        withUnsafeBytes(of: sequence) { _ = try? socket.send($0) }
    }
}

import MultiprocessingSystem
import Synchronization

/// The worker's end of the control lane: hears of cancellations and of the end of the parent, and reports.
///
/// It listens on a thread of its own, so that it hears both while the main thread is busy with work; reports
/// come from any thread.
final class WorkerCanceller: Sendable {
    private let lane: ControlLane
    private let board: ProgressBoard
    /// How many cancellations have come, and how many are not waited for any more.
    private let heard = Atomic<UInt64>(0)
    private let state = Mutex(State())

    private struct State {
        var chunk: WorkerChunk?
        var task: Task<Void, Never>?
        var isTaskSpent = false
        /// Whether the chunk's items have said how far they are.
        var hasReported = false
        /// Cancellations that overtook their chunk; sequence numbers only grow, so few are kept.
        var early: Set<UInt64> = []
    }

    /// What became of a chunk.
    struct Ending {
        /// Whether its task was cancelled.
        let isTaskSpent: Bool
        /// Whether its items have said how far they were, all of which has been sent.
        let hasReported: Bool
    }

    init(_ lane: ControlLane, _ board: ProgressBoard) {
        self.lane = lane
        self.board = board
    }

    /// Starts to listen.
    func listen() throws(SystemError) {
        _ = try NativeThread(name: "mp-control", stackSize: 256 << 10) { [self] in
            hearAll()
            // The parent is gone. An idle worker learns it on its main thread too, and has something to write.
            if isIdle { WorkerProcess.waitForOrphanedEnd() }
            ThisProcess.endWithGroup()
        }
    }

    private func hearAll() {
        var reader = ControlReader()
        withUnsafeTemporaryAllocation(byteCount: 1_024, alignment: 16) { buffer in
            while true {
                let count = lane.receiveSome(into: buffer)
                if count == 0 { return }
                do {
                    try reader.take(UnsafeRawBufferPointer(rebasing: buffer[..<count])) { message in
                        switch message {
                        case .cancel(let sequence):
                            cancel(sequence)
                            heard.wrappingAdd(1, ordering: .releasing)
                        case .watchActor(let actor): watch(actor)
                        case .answer, .actorEnded, .progress: throw PortableFailure.unknownFrame
                        }
                    }
                } catch {
                    WorkerProcess.fail("its parent sent bytes that make no sense: \(error)")
                }
            }
        }
    }

    private var isIdle: Bool { state.withLock { $0.chunk == nil } }

    // MARK: The main thread

    /// How long a cancellation that was sent may take until it is heard of, on a machine that has other things to do.
    private static let hearingLimit = Duration.milliseconds(500)

    /// Waits until all has been heard of that the parent has cancelled up to now, so that none of it begins.
    private func hearOut() {
        guard board.cancellations.load() != heard.load(ordering: .acquiring) else { return }
        let limit = MonotonicTime.now().advanced(by: Self.hearingLimit)
        while true {
            let (sent, known) = (board.cancellations.load(), heard.load(ordering: .acquiring))
            if sent == known { return }
            if MonotonicTime.now() >= limit {
                // The word is not the parent's any more, but somebody's here; what it says now is as good as none.
                heard.wrappingAdd(sent &- known, ordering: .releasing)
                return
            }
            ThisProcess.yield()
        }
    }

    /// Notes which chunk is run, in which task.
    func begin(_ chunk: WorkerChunk, _ task: Task<Void, Never>?) {
        hearOut()
        let isCancelled = state.withLock { state in
            state.chunk = chunk
            state.task = task
            state.hasReported = false
            state.isTaskSpent = state.early.contains(chunk.sequence)
            state.early = state.early.filter { $0 > chunk.sequence }
            return state.isTaskSpent
        }
        if isCancelled {
            chunk.cancel()
            task?.cancel()
        }
    }

    /// Notes that the chunk has ended.
    ///
    /// Blocks, if its items have said more than the parent has read.
    func end() -> Ending {
        let ending = state.withLock { state in
            state.chunk = nil
            state.task = nil
            return Ending(isTaskSpent: state.isTaskSpent, hasReported: state.hasReported)
        }
        // The end comes behind it.
        if ending.hasReported { lane.finishSending() }
        return ending
    }

    /// Tells the parent that all chunks up to this one are done, and their results sent.
    func answer(_ sequence: UInt64) {
        send(.answer(sequence))
    }

    // MARK: Any thread

    /// Tells the parent how far the item that runs at this moment has come; `false` if none runs.
    ///
    /// Does not block. If the parent reads more slowly than this is called, it gets the latest.
    func report(fraction: Double, text: String) -> Bool {
        let chunk = state.withLock { state in
            state.hasReported = true
            return state.chunk
        }
        guard let chunk else { return false }
        send(
            .progress(
                ItemProgress(
                    sequence: chunk.sequence, item: UInt64(chunk.runningItem), fraction: fraction, text: text)))
        return true
    }

    private func send(_ message: ControlMessage) {
        switch lane.send(message) {
        case .mustWait:
            // Seldom: the parent is held up. Without a thread what is kept goes with the next message.
            _ = try? NativeThread(name: "mp-report", stackSize: 256 << 10) { [lane] in lane.finishSending() }
        case .sent, .kept, .refused, .peerGone:
            // A parent that is gone is noticed by who listens; and one asks fewer questions than are kept.
            break
        }
    }

    /// Tells the parent when an actor is gone; if it reads nothing for so long that this is lost, it keeps the worker.
    private func watch(_ actor: UInt64) {
        WorkerActorSystem.shared.hosted.onEnd(of: actor) { [self] in send(.actorEnded(actor)) }
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

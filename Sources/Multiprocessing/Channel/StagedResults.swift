package import MultiprocessingCoding
import MultiprocessingSystem

/// A worker's output as its parent takes it: through the socket, and ahead of that from the stage of its board.
///
/// It knows where in the output the parent stands, so that nothing is taken twice and nothing is left out, whichever
/// way it comes. What lies in the stage may change at any time: it is copied before it is looked at.
///
/// Used by one thread at a time: the one with the right to read.
package final class StagedResults {
    private let board: ProgressBoard

    /// How many bytes of the output have come through the socket.
    package private(set) var receivedCount: UInt64 = 0
    /// How many bytes of it were taken, through the socket or from the stage.
    private var takenCount: UInt64 = 0
    /// How many bytes of it the worker has said that it left out.
    private var droppedCount: UInt64 = 0

    package init(_ board: ProgressBoard) {
        self.board = board
    }

    /// Notes bytes that came through the socket.
    ///
    /// What was found in the stage comes again through the socket, unless the worker knew of it in time. What it left
    /// out is all known, so the rest of what is known is still to come.
    ///
    /// - Parameter isInFrame: Whether they go on with a frame; only whole frames are found in the stage.
    /// - Returns: How many of them, from the first, were taken before; `nil` if the worker's count cannot be true.
    package func receive(_ count: Int, isInFrame: Bool) -> Int? {
        let dropped = board.dropped.load()
        let expected = takenCount &- dropped &- receivedCount
        guard expected <= takenCount, dropped >= droppedCount, !isInFrame || expected == 0 else { return nil }
        droppedCount = dropped
        let known = Int(min(UInt64(count), expected))
        receivedCount += UInt64(count)
        takenCount += UInt64(count - known)
        return known
    }

    /// Calls `body` with whole frames that the worker, which goes on, has ready, if there are any.
    ///
    /// - Returns: False if there are more than have room, so that nothing there can be believed.
    package func takeReady(_ body: (UnsafeRawBufferPointer) -> Void) -> Bool {
        let base = board.base.load()
        let published = board.published.load()
        let (start, overflow) = takenCount.subtractingReportingOverflow(base)
        guard !overflow, start < published else { return true }
        guard published <= UInt64(board.stage.count) else { return false }
        withUnsafeTemporaryAllocation(byteCount: Int(published - start), alignment: 16) { bytes in
            bytes.copyMemory(from: UnsafeRawBufferPointer(rebasing: board.stage[Int(start)..<Int(published)]))
            // The worker moves the base before it overwrites what it has sent, so if the base still
            // is where it was, the copy is whole. Adding nothing orders the look behind the copy.
            guard board.base.add(0) == base else { return }
            takenCount = base + published
            board.taken.store(takenCount)
            body(UnsafeRawBufferPointer(bytes))
        }
        return true
    }

    /// The run that the worker, which goes on, is adding to, and how many of its values are complete, if all before
    /// it was taken.
    ///
    /// They come again with the whole run. The worker writes nothing over them before it moves the base, so what was
    /// counted before the copy, and is copied before the base has moved, is whole.
    package func copyOpenRun() -> (run: ByteBuffer, count: Int)? {
        let base = board.base.load()
        let published = board.published.load()
        guard board.openRun.load() == published &+ 1, takenCount == base &+ published,
            published <= UInt64(board.stage.count - Frame.Header.size)
        else { return nil }
        let count = board.runCount(at: Int(published))
        let run = copy(from: Int(published))
        guard count > 0, board.base.add(0) == base else { return nil }
        return (run, Int(count))
    }

    /// What a worker that is gone left in its stage.
    package enum Remains {
        case nothing
        /// So many bytes of whole frames, and behind them, if it was adding to one, a run.
        case bytes(ByteBuffer, frameCount: Int, hasRun: Bool)
        /// What cannot be.
        case nonsense
    }

    /// Copies what a worker that is gone had ready: a process that it has started may have its memory, and change it.
    package func remains() -> Remains {
        let published = board.published.load()
        let openRun = board.openRun.load()
        let (start, overflow) = takenCount.subtractingReportingOverflow(board.base.load())
        let size = UInt64(board.stage.count)
        guard !overflow, published <= size else { return .nonsense }
        // A worker that had just sent all that was ready had not noted it yet. One that sends a value larger than the
        // stage has nothing else ready, and notes it when all of it is sent.
        guard start <= published else { return start <= size || published == 0 ? .nothing : .nonsense }
        return .bytes(
            copy(from: Int(start)), frameCount: Int(published - start), hasRun: openRun == published + 1)
    }

    private func copy(from start: Int) -> ByteBuffer {
        let bytes = ByteBuffer(capacity: board.stage.count - start)
        bytes.append(contentsOf: UnsafeRawBufferPointer(rebasing: board.stage[start...]))
        return bytes
    }
}

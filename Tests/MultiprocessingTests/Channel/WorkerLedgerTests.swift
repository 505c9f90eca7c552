import Multiprocessing
import TestSupport
import Testing

/// What is believed of what a worker says of the work that it holds.
@Suite(.admitted)
struct WorkerLedgerTests {
    private let board: ProgressBoard
    private var ledger = WorkerLedger()

    init() throws {
        board = ProgressBoard(try ProgressBoard.makeMemory())
    }

    private mutating func send(_ count: Int = 1) -> Chunk {
        let chunk = Chunk.placeholder(count: count)
        ledger.add(chunk)
        return chunk
    }

    /// The number of the entry that was begun last, and where its items that had begun end.
    private var begun: [Int]? {
        switch ledger.progress(board.begun) {
        case .unbegun: []
        case .begun(let index, let end): [index, end]
        case nil: nil
        }
    }

    /// Whether the chunk that has ended was the last; `nil` when none can have.
    private mutating func ended(_ sequence: UInt64) -> Bool? {
        guard case .chunk(_, let isLast)? = ledger.end(sequence) else { return nil }
        return isLast
    }

    @Test mutating func `Chunks begin and end in the order in which they were sent`() {
        let (first, second) = (send(3), send())
        #expect(begun == [])
        #expect(board.begin(0, of: 1, epoch: 0))
        #expect(begun == [0, 3])
        first.finishedCount = 3
        let isLast1 = ended(1)
        #expect(isLast1 == false)
        #expect(begun == [])
        #expect(board.begin(0, of: 2, epoch: 0))
        second.finishedCount = 1
        #expect(begun == [0, 1])
        let isLast2 = ended(2)
        #expect(isLast2 == true)
        #expect(begun == [])
    }

    @Test mutating func `An end of another chunk, or one without its results, is none`() {
        let (first, _) = (send(2), send())
        #expect(ledger.end(2) == nil)
        first.finishedCount = 1
        #expect(ledger.end(1) == nil)
        first.finishedCount = 2
        #expect(ledger.end(1) != nil)
        #expect(ledger.end(1) == nil)
    }

    @Test mutating func `A cancelled chunk ends without the rest of its results`() {
        let chunk = send(2)
        chunk.markCancelled()
        #expect(ledger.end(1) != nil)
    }

    @Test mutating func `What a worker that is gone had begun before its last is known, too`() {
        _ = (send(), send(2), send())
        #expect(board.begin(0, of: 2, epoch: 0))
        #expect(begun == [1, 2])
    }

    @Test mutating func `What contradicts the results is not believed`() {
        let chunk = send(2)
        chunk.finishedCount = 1
        #expect(begun == nil, "a result of what was not begun")
        #expect(board.begin(0, of: 1, epoch: 0))
        #expect(begun == [0, 2])
        #expect(board.begin(1, of: 1, epoch: 0))
        #expect(begun == nil, "more strides than there are")
    }

    @Test mutating func `What names no chunk that the worker has is not believed`() {
        _ = send()
        #expect(board.begin(0, of: 7, epoch: 0))
        #expect(begun == nil)
        #expect(ledger.takeBack(board.takeBack()) == nil)
        #expect(ledger.count == 1)
    }

    @Test mutating func `Another epoch is not believed`() {
        _ = send()
        _ = board.takeBack()
        #expect(begun == nil)
    }

    @Test mutating func `What is not begun comes back, and what is sent later is of the next epoch`() {
        let (first, second) = (send(), send())
        #expect(board.begin(0, of: 1, epoch: 0))
        #expect(ledger.takeBack(board.takeBack()).map { $0.map(ObjectIdentifier.init) } == [ObjectIdentifier(second)])
        #expect(ledger.epoch == 1)
        #expect(begun == [0, 1])
        first.finishedCount = 1
        let isLast3 = ended(1)
        #expect(isLast3 == true)
        _ = send()
        #expect(begun == [])
        #expect(board.begin(0, of: 3, epoch: 1))
        #expect(begun == [0, 1])
    }

    // MARK: Interruption

    private mutating func sendTimed(_ count: Int, stride: Int = 1) -> Chunk {
        let chunk = Chunk.placeholder(count: count, stride: stride)
        chunk.limits.timeout = 1
        ledger.add(chunk)
        return chunk
    }

    private mutating func interrupt() -> (end: Int?, running: UInt64?)? {
        guard let interruption = ledger.interrupt() else { return nil }
        return (interruption.begun?.end, interruption.running)
    }

    @Test mutating func `A chunk with a deadline is begun item by item`() {
        let chunk = sendTimed(3)
        #expect(ledger.inspect(board.begun) == nil)
        #expect(board.begin(0, of: 1, epoch: 0) && board.begin(1, of: 1, epoch: 0))
        #expect(begun == [0, 2])
        #expect(ledger.inspect(board.begun)?.item == 1)
        chunk.finishedCount = 2
        #expect(ledger.inspect(board.begun) == nil)
    }

    @Test mutating func `Results are dropped from an interruption until the chunk ends`() {
        let chunk = sendTimed(3)
        #expect(board.begin(0, of: 1, epoch: 0) && board.begin(1, of: 1, epoch: 0))
        let isSound = ledger.forbid(board.takeBack())
        #expect(isSound)
        #expect(!board.begin(2, of: 1, epoch: 0))
        chunk.finishedCount = 1
        let interruption = interrupt()
        #expect(interruption?.end == 2)
        #expect(interruption?.running == 1)
        #expect(ledger.count == 0)
        #expect(ledger.isDropping)
        #expect(begun == [])
        guard case .recovered? = ledger.end(1) else {
            Issue.record("has not recovered")
            return
        }
        #expect(!ledger.isDropping)
        _ = sendTimed(1)
        #expect(board.begin(0, of: 2, epoch: 1))
        #expect(begun == [0, 1])
    }

    @Test mutating func `What ends between the order to stop and the interruption has ended`() {
        let (first, second) = (sendTimed(1), sendTimed(2))
        #expect(board.begin(0, of: 1, epoch: 0))
        let isSound = ledger.forbid(board.takeBack())
        #expect(isSound)
        first.finishedCount = 1
        let isLast4 = ended(1)
        #expect(isLast4 == false)
        let interruption = interrupt()
        #expect(interruption != nil)
        #expect(interruption?.end == nil)
        #expect(interruption?.running == nil)
        #expect(!ledger.isDropping)
        #expect(second.finishedCount == 0)
    }

    @Test mutating func `A chunk that was stopped between two items has recovered at once`() {
        let chunk = sendTimed(2)
        #expect(board.begin(0, of: 1, epoch: 0))
        let isSound = ledger.forbid(board.takeBack())
        #expect(isSound)
        chunk.finishedCount = 1
        guard case .stopped? = ledger.end(1) else {
            Issue.record("was not stopped")
            return
        }
        #expect(ledger.end(1) == nil)
        let interruption = interrupt()
        #expect(interruption?.end == 1)
        #expect(interruption?.running == nil)
    }

    @Test mutating func `What is sent behind the chunk that a worker was stopped in stays`() {
        let chunk = sendTimed(1)
        #expect(board.begin(0, of: 1, epoch: 0))
        let isSound = ledger.forbid(board.takeBack())
        #expect(isSound)
        chunk.finishedCount = 1
        let isLast = ended(1)
        #expect(isLast == true)
        _ = sendTimed(1)
        let interruption = ledger.interrupt()
        #expect(interruption == nil)
        #expect(ledger.count == 1)
    }

    @Test mutating func `A worker may leave a chunk at the item that it was stopped at, and not before`() {
        let chunk = sendTimed(4, stride: 4)
        #expect(board.begin(0, of: 1, epoch: 0))
        let isSound = ledger.forbid(board.takeBack(), ProgressBoard.Running(item: 2, of: 1))
        #expect(isSound)
        #expect(ledger.stoppedSequence == 1)
        chunk.finishedCount = 1
        #expect(ledger.end(1) == nil, "without the result of an item before")
        chunk.finishedCount = 2
        guard case .stopped? = ledger.end(1) else {
            Issue.record("was not stopped")
            return
        }
        let interruption = interrupt()
        #expect(interruption?.end == 3)
        #expect(interruption?.running == nil)
    }

    @Test mutating func `Of a stride with a deadline the item that runs has begun, and no other`() {
        let chunk = sendTimed(10, stride: 4)
        func running(_ item: Int, of sequence: UInt64 = 1) -> ProgressBoard.Running {
            ProgressBoard.Running(item: item, of: sequence)
        }
        #expect(ledger.inspect(board.begun, running(0)) == nil, "nothing has begun")
        #expect(board.begin(0, of: 1, epoch: 0))
        #expect(ledger.inspect(board.begun, running(0, of: 9))?.item == 0, "still names what it ran before")
        #expect(ledger.inspect(board.begun, running(0))?.isFirst == true)
        #expect(ledger.inspect(board.begun, running(3))?.item == 3)
        #expect(ledger.inspect(board.begun, running(3))?.isFirst == false)
        #expect(ledger.inspect(board.begun, running(4)) == nil, "is in no stride that has begun")
        #expect(ledger.canInterrupt(chunk, item: nil, board.begun, running(4)) == .impossible)
        #expect(ledger.canInterrupt(chunk, item: 3, board.begun, running(3)) == .running)
        #expect(ledger.canInterrupt(chunk, item: 3, board.begun, running(2)) == .another)
        #expect(board.begin(1, of: 1, epoch: 0))
        #expect(ledger.inspect(board.begun, running(3))?.item == 4, "between two strides")
        chunk.finishedCount = 6
        #expect(ledger.canInterrupt(chunk, item: nil, board.begun, running(4)) == .impossible, "has results behind it")
        #expect(ledger.inspect(board.begun, running(5)) == nil, "has ended")
        #expect(ledger.inspect(board.begun, running(6))?.item == 6)
    }

    @Test mutating func `A worker is interrupted in the item that is meant, and in no other`() {
        let (first, second, other) = (sendTimed(2), sendTimed(1), Chunk.placeholder(count: 1))
        func answer(_ chunk: Chunk, _ item: Int?) -> WorkerLedger.Interruptibility {
            ledger.canInterrupt(chunk, item: item, board.begun)
        }
        #expect(answer(first, nil) == .running, "nothing has begun, and nothing will")
        #expect(answer(first, 0) == .another)
        #expect(board.begin(0, of: 1, epoch: 0))
        #expect(answer(first, 0) == .running)
        #expect(answer(first, nil) == .running)
        #expect(answer(first, 1) == .another)
        #expect(answer(second, nil) == .another)
        #expect(answer(other, nil) == .ended)
        #expect(board.begin(6, of: 9, epoch: 0))
        #expect(answer(first, nil) == .impossible)
    }
}

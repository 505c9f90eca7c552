import Multiprocessing
import Testing

/// What is believed of what a worker says of the work that it holds.
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

    @Test mutating func `Chunks begin and end in the order in which they were sent`() {
        let (first, second) = (send(3), send())
        #expect(begun == [])
        #expect(board.begin(0, of: 1, epoch: 0))
        #expect(begun == [0, 3])
        first.finishedCount = 3
        #expect(ledger.end(1)?.isLast == false)
        #expect(begun == [])
        #expect(board.begin(0, of: 2, epoch: 0))
        second.finishedCount = 1
        #expect(begun == [0, 1])
        #expect(ledger.end(2)?.isLast == true)
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
        #expect(ledger.end(1)?.isLast == true)
        _ = send()
        #expect(begun == [])
        #expect(board.begin(0, of: 3, epoch: 1))
        #expect(begun == [0, 1])
    }
}

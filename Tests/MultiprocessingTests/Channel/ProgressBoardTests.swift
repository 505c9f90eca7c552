import Dispatch
import Multiprocessing
import Synchronization
import TestSupport
import Testing

/// What a worker begins, and what its parent takes back.
@Suite(.admitted)
struct ProgressBoardTests {
    @Test func `A stride that was begun is known by its chunk`() throws {
        let board = ProgressBoard(try ProgressBoard.makeMemory())
        #expect(board.begin(0, of: 7, epoch: 0))
        #expect(board.begun.itemCount(ofChunk: 7, stride: 10) == 10)
        #expect(board.begin(1, of: 7, epoch: 0))
        #expect(board.begun.itemCount(ofChunk: 7, stride: 10) == 20)
        #expect(board.begun.itemCount(ofChunk: 8, stride: 10) == 0)
    }

    @Test func `What was taken back is not begun, and what is sent later is`() throws {
        let board = ProgressBoard(try ProgressBoard.makeMemory())
        #expect(board.begin(0, of: 1, epoch: 0))
        let begun = board.takeBack()
        #expect(begun.itemCount(ofChunk: 1, stride: 1) == 1)
        #expect(!board.begin(1, of: 1, epoch: 0))
        #expect(!board.begin(0, of: 2, epoch: 0))
        #expect(board.begin(0, of: 3, epoch: 1))
        #expect(board.begun.itemCount(ofChunk: 3, stride: 1) == 1)
    }

    @Test func `Epochs and sequence numbers may wrap around`() throws {
        let board = ProgressBoard(try ProgressBoard.makeMemory())
        for _ in 0..<Int(UInt16.max) { _ = board.takeBack() }
        #expect(board.begin(0, of: 1 << 32 | 5, epoch: .max))
        #expect(board.takeBack().itemCount(ofChunk: 1 << 32 | 5, stride: 3) == 3)
        #expect(board.begun.epoch == 0)
        #expect(!board.begin(1, of: 1 << 32 | 5, epoch: .max))
        #expect(board.begin(0, of: 1 << 32 | 6, epoch: 0))
    }

    @Test func `A count that makes no sense is as large as can be, and no trap`() throws {
        let board = ProgressBoard(try ProgressBoard.makeMemory())
        #expect(board.begin(.max - 1, of: 1, epoch: 0))
        #expect(board.begun.itemCount(ofChunk: 1, stride: .max) == .max)
    }

    @Test func `A worker that is to leave a chunk begins no other item of it, and goes on with the next`() throws {
        let board = ProgressBoard(try ProgressBoard.makeMemory())
        let place = ItemPlace(board, sequence: 5, isTimed: true)
        #expect(place.begin(0) && place.begin(1))
        #expect(board.decision == .goOn)
        board.halt()
        #expect(board.decision == .wait)
        #expect(board.standing?.running == ProgressBoard.Running(item: 1, of: 5))
        board.decide(.goOn)
        #expect(place.begin(2))
        board.halt()
        board.decide(.leave(5))
        #expect(!place.begin(3))
        let next = ItemPlace(board, sequence: 6, isTimed: true)
        #expect(next.begin(0) && next.begin(1))
        #expect(next.item == 1)
    }

    @Test func `No item begins that the parent does not see`() throws {
        final class Shared: Sendable {
            let begun = Atomic(-1)
            let known = Atomic(-1)
        }
        for round in 0..<300 {
            let board = ProgressBoard(try ProgressBoard.makeMemory())
            let shared = Shared()
            DispatchQueue.concurrentPerform(iterations: 2) { side in
                if side == 0 {
                    let place = ItemPlace(board, sequence: 1, isTimed: true)
                    for item in 0..<5_000 {
                        guard place.begin(item) else { return }
                        shared.begun.store(item, ordering: .relaxed)
                    }
                } else {
                    for _ in 0..<round {
                        board.halt()
                        board.decide(.goOn)
                    }
                    board.halt()
                    shared.known.store(board.standing?.running.item ?? -2, ordering: .relaxed)
                    board.decide(.leave(1))
                }
            }
            let (begun, known) = (shared.begun.load(ordering: .relaxed), shared.known.load(ordering: .relaxed))
            // The worker may wait at the item that it names, or at the next.
            #expect(known == 0 ? begun <= 0 : begun == known || begun == known - 1)
        }
    }

    @Test func `Each stride is either begun or taken back, and both sides know which`() throws {
        final class Shared: Sendable {
            let begun = Atomic(0)
            let known = Atomic(0)
        }
        for _ in 0..<500 {
            let board = ProgressBoard(try ProgressBoard.makeMemory())
            let shared = Shared()
            DispatchQueue.concurrentPerform(iterations: 2) { side in
                if side == 0 {
                    var count = 0
                    while count < 200, board.begin(count, of: 1, epoch: 0) { count += 1 }
                    shared.begun.store(count, ordering: .relaxed)
                } else {
                    shared.known.store(board.takeBack().itemCount(ofChunk: 1, stride: 1), ordering: .relaxed)
                }
            }
            let (begun, known) = (shared.begun.load(ordering: .relaxed), shared.known.load(ordering: .relaxed))
            guard begun == known else {
                Issue.record("the worker began \(begun), the parent knows of \(known)")
                return
            }
        }
    }
}

import Multiprocessing
import MultiprocessingCoding
import MultiprocessingSystem
import TestSupport
import Testing

/// What a parent takes from a board, without a worker.
@Suite(.admitted)
struct StagedResultsTests {
    private let board: ProgressBoard
    private let results: StagedResults

    init() throws {
        board = ProgressBoard(try ProgressBoard.makeMemory())
        results = StagedResults(board)
    }

    private func stage(_ bytes: [UInt8], at offset: Int = 0) {
        for (index, byte) in bytes.enumerated() {
            board.stage.storeBytes(of: byte, toByteOffset: offset + index, as: UInt8.self)
        }
    }

    private func takeReady() -> [UInt8]? {
        var taken: [UInt8] = []
        return results.takeReady { taken += $0 } ? taken : nil
    }

    @Test func `What is ready is taken once, and left out when it comes through the socket`() {
        stage(Array(1...32))
        board.published.store(16)
        #expect(takeReady() == Array(1...16))
        #expect(takeReady() == [])
        board.published.store(32)
        #expect(takeReady() == Array(17...32))
        #expect(board.taken.load() == 32)
        // The worker sends all of it, and 8 bytes that were not ready then.
        #expect(results.receive(20, isInFrame: false) == 20)
        #expect(results.receive(20, isInFrame: false) == 12)
        #expect(results.receivedCount == 40)
        #expect(results.receive(5, isInFrame: true) == 0)
    }

    @Test func `What the worker leaves out because it was taken does not come again`() {
        stage(Array(1...16))
        board.published.store(16)
        #expect(takeReady()?.count == 16)
        board.dropped.store(16)
        board.published.store(0)
        board.base.store(16)
        #expect(results.receive(10, isInFrame: false) == 0)
        board.base.store(26)
        board.published.store(16)
        #expect(takeReady() == Array(1...16))
    }

    @Test func `Counts that cannot be true are not believed`() {
        board.published.store(UInt64(board.stage.count) + 1)
        #expect(takeReady() == nil)
        guard case .nonsense = results.remains() else {
            Issue.record("there is sense in it")
            return
        }
        board.published.store(.max)
        board.openRun.store(0)
        #expect(results.copyOpenRun() == nil)
        // It has left out what was never taken.
        board.dropped.store(8)
        #expect(results.receive(8, isInFrame: false) == nil)
        // It has left out less than before.
        board.published.store(16)
        board.dropped.store(0)
        #expect(takeReady()?.count == 16)
        board.dropped.store(16)
        #expect(results.receive(8, isInFrame: false) == 0)
        board.dropped.store(8)
        #expect(results.receive(8, isInFrame: false) == nil)
    }

    @Test func `Bytes of a frame cannot be those that were taken with whole ones`() {
        board.published.store(16)
        #expect(takeReady()?.count == 16)
        #expect(results.receive(8, isInFrame: true) == nil)
    }

    @Test func `An open run counts as far as its values are complete, once all before it was taken`() {
        stage(Array(1...16))
        board.published.store(16)
        board.openRun.store(17)
        board.setRunCount(2, at: 16)
        stage(Array(50..<66), at: 32)
        #expect(results.copyOpenRun() == nil)
        #expect(takeReady()?.count == 16)
        let open = results.copyOpenRun()
        #expect(open?.count == 2)
        #expect(open?.run.withUnsafeBytes { Array($0[16..<32]) } == Array(50..<66))
        board.setRunCount(0, at: 16)
        #expect(results.copyOpenRun() == nil)
    }

    @Test func `A worker that is gone leaves frames, and behind them a run`() {
        stage(Array(1...48))
        board.published.store(32)
        board.openRun.store(33)
        #expect(results.receive(16, isInFrame: false) == 0)
        guard case .bytes(let bytes, let count, let hasRun) = results.remains() else {
            Issue.record("there are none")
            return
        }
        #expect(count == 16 && hasRun)
        #expect(bytes.withUnsafeBytes { Array($0[..<32]) } == Array(17...48))
        // All was sent, which the worker had not noted yet.
        #expect(results.receive(24, isInFrame: false) == 0)
        guard case .nothing = results.remains() else {
            Issue.record("there is something")
            return
        }
    }

    @Test func `A worker that is gone while it sent a value larger than the stage leaves nothing else`() {
        let part = board.stage.count + 1
        #expect(results.receive(part, isInFrame: false) == 0)
        guard case .nothing = results.remains() else {
            Issue.record("there is something, or no sense in it")
            return
        }
        // Nothing is ready then: the stage is sent before such a value.
        board.published.store(16)
        guard case .nonsense = results.remains() else {
            Issue.record("there is sense in it")
            return
        }
    }
}

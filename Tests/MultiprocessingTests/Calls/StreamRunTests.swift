import TestSupport
import Testing

@testable import Multiprocessing

/// Chunks' results, put together for who reads them.
struct StreamRunTests {
    private struct Failure: Error {
        let number: Int
    }

    @Test("Runs have the results of their chunks: each once, in order, no failure but at an end", arguments: 0..<50)
    func order(_ seed: Int) {
        var random = RandomSource(seed: UInt64(seed))
        var chunks: [ChunkResult<Int>] = []
        var number = 0
        for _ in 0..<Int.random(in: 0...8, using: &random) {
            var chunk = ChunkResult<Int>()
            let share = [0, 0, 1, 3, 6].randomElement(using: &random) ?? 0
            for offset in 0..<Int.random(in: 1...7, using: &random) {
                if Int.random(in: 0..<6, using: &random) < share {
                    chunk.failures.append((offset, Failure(number: number)))
                } else {
                    chunk.outputs.append(number)
                }
                chunk.count += 1
                number += 1
            }
            chunks.append(chunk)
        }
        let failed = chunks.flatMap { $0.failures.compactMap { ($0.error as? Failure)?.number } }
        var numbers: [Int] = []
        var failures: [Int] = []
        for run in StreamRun.runs(of: chunks) {
            #expect(run.count > 0)
            numbers += run.values
            if let failure = run.failure as? Failure {
                numbers.append(failure.number)
                failures.append(failure.number)
            }
        }
        #expect(numbers == Array(0..<number))
        #expect(failures == failed)
        #expect(StreamRun.runs(of: chunks).count <= failed.count + 1)
    }
}

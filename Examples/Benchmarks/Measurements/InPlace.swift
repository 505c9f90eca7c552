import Dispatch
import Multiprocessing

/// How fast two processes work in place on numbers that they share.
struct InPlace: Measurement {
    let name = "array"
    let summary: String
    private let count: Int
    private let passes: Int

    init(_ effort: Effort) {
        count = effort.pick(4 << 20, quick: 1 << 14)
        passes = effort.pick(64, quick: 2)
        summary = "two workers add 1 to their halves of \(count) numbers in place, \(passes) times; time of each number"
    }

    let notes = ["the memory was touched before, by those who work on it"]

    var figures: [Figure] {
        [
            Figure(unit: .nanoseconds(per: count * passes), peerCommand: "array \(count / 256) \(passes) 256")
        ]
    }

    func contestants() throws -> [Contestant] {
        let duet = try Duet()
        let array = try SharedArray<Double>(count: count)
        // Each thread works on a half of its own.
        nonisolated(unsafe) let plain = UnsafeMutableBufferPointer<Double>.allocate(capacity: count)
        plain.initialize(repeating: 0)
        return [
            duet.contestant { [try await shared(duet, array)] },
            Contestant("threads on plain memory", .floor, [.processes]) {
                let (count, passes) = (count, passes)
                plain.update(repeating: 0)
                let watch = Stopwatch()
                DispatchQueue.concurrentPerform(iterations: 2) { half in
                    let part = Self.half(half, of: count)
                    var span = UnsafeMutableBufferPointer(rebasing: plain[part]).mutableSpan
                    for _ in 0..<passes { Self.addOne(&span, 0..<part.count) }
                }
                let seconds = watch.seconds
                try check(plain.allSatisfy { $0 == Double(passes) }, true)
                return [seconds]
            }
            .closing { plain.deallocate() },
        ]
    }

    private func shared(_ duet: Duet, _ array: SharedArray<Double>) async throws -> Double {
        let (start, count, passes) = (duet.start, count, passes)
        let futures = (0..<2).map { half in
            duet.pool.submit {
                let part = Self.half(half, of: count)
                // Touches each page, which the process may have just got.
                array.withMutableElements { for index in part { $0[index] = 0 } }
                return try start.time {
                    array.withMutableElements { span in
                        for _ in 0..<passes { Self.addOne(&span, part) }
                    }
                    return part.count
                }
            }
        }
        let part = try await duet.join(futures[0], futures[1])
        try check(part.sum, count)
        let isRight = array.withElements { span in span.indices.allSatisfy { span[$0] == Double(passes) } }
        try check(isRight, true)
        return part.seconds
    }

    private static func half(_ half: Int, of count: Int) -> Range<Int> {
        half * count / 2..<(half + 1) * count / 2
    }

    /// Not inlined, so that it is the same code for both.
    @inline(never)
    private static func addOne(_ span: inout MutableSpan<Double>, _ range: Range<Int>) {
        for index in range { span[index] += 1 }
    }
}

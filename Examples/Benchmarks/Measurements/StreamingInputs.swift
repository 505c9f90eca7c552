import Multiprocessing

/// What one item of a stream costs whose inputs come out of an asynchronous sequence.
struct StreamingInputs: Measurement {
    let name = "stream-async"
    let summary: String
    private let count: Int

    init(_ effort: Effort) {
        count = effort.pick(100_000, quick: 2_000)
        summary = "stream() of an AsyncStream of \(count) numbers, one by one and 256 a chunk; time of each"
    }

    var figures: [Figure] {
        let unit = Unit.nanoseconds(per: count)
        return [
            Figure(detail: "one by one", unit: unit, peerCommand: "stream \(count)"),
            Figure(detail: "256 a chunk", unit: unit, peerCommand: "stream-chunks \(count)"),
        ]
    }

    func contestants() throws -> [Contestant] {
        let sum = (0..<count).reduce(0) { $0 &+ $1 &* $1 }
        let alone = Contestant("iterating it alone", .floor, MeasuredBackend.allCases) {
            let inputs = makeInputs()
            let watch = Stopwatch()
            var result = 0
            for await number in inputs { result &+= number &* number }
            let seconds = watch.seconds
            try check(result, sum)
            return [seconds, seconds]
        }
        return try MeasuredBackend.allCases.map { backend in
            try Contestant.pool(backend) { pool in
                var times: [Double?] = []
                for chunkSize in [nil, 256] as [Int?] {
                    let inputs = makeInputs()
                    let watch = Stopwatch()
                    var result = 0
                    for try await square in pool.stream(inputs, chunkSize: chunkSize, { $0 &* $0 }) {
                        result &+= square
                    }
                    times.append(watch.seconds)
                    try check(result, sum)
                }
                return times
            }
        } + [alone]
    }

    private func makeInputs() -> AsyncStream<Int> {
        let (inputs, continuation) = AsyncStream.makeStream(of: Int.self)
        for number in 0..<count { continuation.yield(number) }
        continuation.finish()
        return inputs
    }
}

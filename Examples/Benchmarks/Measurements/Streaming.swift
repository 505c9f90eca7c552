import Multiprocessing

/// What one item of a stream costs, read in the order of the inputs and as items end, by a function and by the main actor.
struct Streaming: Measurement {
    let name: String
    let summary: String
    private let count: Int
    private let chunkSize: Int?

    /// - Parameter chunkSize: How many items travel together; the pool's own choice if `nil`.
    init(_ effort: Effort, chunkSize: Int? = nil) {
        count = effort.pick(100_000, quick: 2_000)
        self.chunkSize = chunkSize
        name = chunkSize == nil ? "stream" : "stream-chunks"
        let chunks = chunkSize.map { ", \($0) a chunk" } ?? ""
        summary = "stream() of \(count) numbers to their squares\(chunks); time of each"
    }

    var figures: [Figure] {
        let unit = Unit.nanoseconds(per: count)
        return [
            Figure(detail: "in order", unit: unit, peerCommand: "\(name) \(count)"),
            Figure(detail: "as they end", unit: unit, peerCommand: "\(name)-unordered \(count)"),
            Figure(detail: "in order, main actor", unit: unit),
            Figure(detail: "as they end, main actor", unit: unit),
        ]
    }

    func contestants() throws -> [Contestant] {
        let sum = (0..<count).reduce(0) { $0 &+ $1 &* $1 }
        return try MeasuredBackend.allCases.map { backend in
            try Contestant.pool(backend) { pool in
                var times: [Double?] = []
                for isOnMain in [false, true] {
                    for order in [StreamOrder.input, .completion] {
                        let watch = Stopwatch()
                        let result =
                            isOnMain ? try await readOnMain(pool, order) : try await read(pool, order)
                        times.append(watch.seconds)
                        try check(result, sum)
                    }
                }
                return times
            }
        }
    }

    private func read(_ pool: Pool, _ order: StreamOrder) async throws -> Int {
        var sum = 0
        for try await square in pool.stream(0..<count, chunkSize: chunkSize, order: order, { $0 &* $0 }) {
            sum &+= square
        }
        return sum
    }

    @MainActor
    private func readOnMain(_ pool: Pool, _ order: StreamOrder) async throws -> Int {
        var sum = 0
        for try await square in pool.stream(0..<count, chunkSize: chunkSize, order: order, { $0 &* $0 }) {
            sum &+= square
        }
        return sum
    }
}

import Multiprocessing

/// What a handle adds to the cost of the item that it travels with.
struct Handles: Measurement {
    let name = "handle"
    let summary: String
    private let count: Int
    private let newCount: Int
    private let mappedCount: Int

    init(_ effort: Effort) {
        count = effort.pick(10_000, quick: 200)
        newCount = effort.pick(200, quick: 20)
        mappedCount = effort.pick(100_000, quick: 1_000)
        summary = "run() and map() of a number, and of handles in its place, on one worker; time of each"
    }

    var figures: [Figure] {
        [
            Figure(detail: "run, a number", unit: .microseconds(per: count)),
            Figure(detail: "run, memory sent first", unit: .microseconds(per: newCount), baseline: 0),
            Figure(detail: "run, memory sent again", unit: .microseconds(per: count), baseline: 0),
            Figure(detail: "map, a number", unit: .nanoseconds(per: mappedCount)),
            Figure(detail: "map, a number in a structure", unit: .nanoseconds(per: mappedCount)),
            Figure(detail: "map, a lock sent again", unit: .nanoseconds(per: mappedCount), baseline: 4),
        ]
    }

    func contestants() throws -> [Contestant] {
        [
            try Contestant.pool(.processes, workers: 1) { pool in
                let memory = try SharedMemory(byteCount: 4_096)
                let lock = try SharedLock()
                return [
                    try await number(pool), try await new(pool), try await again(pool, memory),
                    try await map(pool, Array(repeating: 1, count: mappedCount)) { $0 },
                    try await map(pool, Array(repeating: Boxed(number: 1), count: mappedCount)) { $0.number },
                    try await map(pool, Array(repeating: lock, count: mappedCount)) { $0.isLocked ? 0 : 1 },
                ]
            }
        ]
    }

    /// What the coder has to be asked for too, as for a handle.
    private struct Boxed: Codable {
        var number: Int

        init(number: Int) { self.number = number }

        init(from decoder: any Decoder) throws { number = try decoder.singleValueContainer().decode(Int.self) }

        func encode(to encoder: any Encoder) throws {
            var container = encoder.singleValueContainer()
            try container.encode(number)
        }
    }

    private func number(_ pool: Pool) async throws -> Double {
        let watch = Stopwatch()
        var sum = 0
        for number in 0..<count { sum += try await pool.run(number) { $0 + 1 } }
        let seconds = watch.seconds
        try check(sum, count * (count + 1) / 2)
        return seconds
    }

    /// Each is in no other item, so the worker has to be given it.
    private func new(_ pool: Pool) async throws -> Double {
        let memories = try (0..<newCount).map { _ in try SharedMemory(byteCount: 4_096) }
        let watch = Stopwatch()
        var sum = 0
        for memory in memories { sum += try await pool.run(memory) { $0.byteCount } }
        let seconds = watch.seconds
        try check(sum, newCount * 4_096)
        return seconds
    }

    private func again(_ pool: Pool, _ memory: SharedMemory) async throws -> Double {
        let watch = Stopwatch()
        var sum = 0
        for _ in 0..<count { sum += try await pool.run(memory) { $0.byteCount } }
        let seconds = watch.seconds
        try check(sum, count * 4_096)
        return seconds
    }

    private func map<Input: Codable & Sendable>(
        _ pool: Pool, _ inputs: [Input], _ body: @escaping @Sendable (Input) -> Int
    ) async throws -> Double {
        let watch = Stopwatch()
        let results = try await pool.map(inputs, body)
        let seconds = watch.seconds
        try check(results.reduce(0, +), inputs.count)
        return seconds
    }
}

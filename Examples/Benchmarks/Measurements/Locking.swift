import Multiprocessing

/// What it takes to go through a lock that processes share.
struct Locking: Measurement {
    let name = "lock"
    let summary: String
    private let count: Int
    private let contendedCounts: [Int]

    /// How long a process stays inside, in nanoseconds, while another wants in.
    private static let insides = [0, 200, 2_000]

    init(_ effort: Effort) {
        count = effort.pick(2_000_000, quick: 20_000)
        contendedCounts = [
            effort.pick(500_000, quick: 5_000), effort.pick(200_000, quick: 2_000), effort.pick(50_000, quick: 500),
        ]
        summary = "SharedLock, locked and unlocked by one process or by two at once; time of each section"
    }

    var figures: [Figure] {
        [
            Figure(detail: "alone", unit: .nanoseconds(per: count), peerCommand: "lock \(count / 4) 4"),
            Figure(detail: "alone, async", unit: .nanoseconds(per: count)),
        ]
            + zip(Self.insides, contendedCounts).map { inside, count in
                Figure(
                    detail: "contended, \(inside) ns inside", unit: .nanoseconds(per: 2 * count),
                    peerCommand: "lock-contended \(count / 20) \(inside) 20")
            }
    }

    func contestants() throws -> [Contestant] {
        let duet = try Duet()
        let lock = try SharedLock()
        let primitives = try Primitives(permits: 1)
        let steps = Self.insides.map { $0 == 0 ? 0 : Toll.steps(nanoseconds: $0) }
        return [
            duet.contestant {
                [try await alone(duet, .lock(lock)), try await aloneAsync(duet, lock)]
                    + (try await contended(duet, .lock(lock), steps))
            },
            Duet.floor("pthread mutex, shared") {
                [try await alone(duet, .mutex(primitives)), nil]
                    + (try await contended(duet, .mutex(primitives), steps))
            },
            Duet.floor("sem_t, shared") {
                [try await alone(duet, .semaphore(primitives)), nil]
                    + (try await contended(duet, .semaphore(primitives), steps))
            },
        ]
    }

    private func alone(_ duet: Duet, _ toll: Toll) async throws -> Double {
        let count = count
        let part = try await duet.pool.run {
            let begin = Part.now
            let sum = try toll.pass(count, steps: 0)
            return Part(begin: begin, end: Part.now, sum: sum)
        }
        try check(part.sum, count)
        return part.seconds
    }

    private func aloneAsync(_ duet: Duet, _ lock: SharedLock) async throws -> Double {
        let count = count
        let part = try await duet.pool.run {
            let begin = Part.now
            var sum = 0
            for _ in 0..<count { try await lock.withLock { sum += 1 } }
            return Part(begin: begin, end: Part.now, sum: sum)
        }
        try check(part.sum, count)
        return part.seconds
    }

    private func contended(_ duet: Duet, _ toll: Toll, _ steps: [Int]) async throws -> [Double?] {
        var times: [Double?] = []
        let start = duet.start
        for (count, steps) in zip(contendedCounts, steps) {
            let futures = (0..<2).map { _ in
                duet.pool.submit { try start.time { try toll.pass(count, steps: steps) } }
            }
            let part = try await duet.join(futures[0], futures[1])
            try check(part.sum, 2 * count)
            times.append(part.seconds)
        }
        return times
    }
}

import Multiprocessing

/// What it takes to add to a number that processes share.
struct Value: Measurement {
    let name = "value"
    let summary: String
    private let count: Int

    init(_ effort: Effort) {
        count = effort.pick(500_000, quick: 5_000)
        summary = "two processes add 1 to a SharedValue under its lock, \(count) times each at once; time of each"
    }

    var figures: [Figure] {
        [
            Figure(
                detail: "two processes", unit: .nanoseconds(per: 2 * count), peerCommand: "value \(count / 20) 20")
        ]
    }

    func contestants() throws -> [Contestant] {
        let duet = try Duet()
        let value = try SharedValue(0)
        let primitives = try Primitives(permits: 1)
        return [
            duet.contestant {
                let (start, count) = (duet.start, count)
                try await value.store(0)
                let futures = (0..<2).map { _ in
                    duet.pool.submit {
                        try start.time {
                            for _ in 0..<count { try value.withLock { $0 += 1 } }
                            return count
                        }
                    }
                }
                let part = try await duet.join(futures[0], futures[1])
                try check(try await value.load(), 2 * count)
                return [part.seconds]
            },
            Duet.floor("pthread mutex, shared") {
                let (start, count) = (duet.start, count)
                primitives.withMutex { $1.pointee = 0 }
                let futures = (0..<2).map { _ in
                    duet.pool.submit { try start.time { primitives.add(count) } }
                }
                let part = try await duet.join(futures[0], futures[1])
                try check(primitives.withMutex { $1.pointee }, 2 * count)
                return [part.seconds]
            },
        ]
    }
}

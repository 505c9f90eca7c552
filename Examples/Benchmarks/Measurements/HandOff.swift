import Multiprocessing

/// How fast a process that sleeps is let on by another.
struct HandOff: Measurement {
    let name = "hand-off"
    let summary: String
    private let count: Int

    init(_ effort: Effort) {
        count = effort.pick(20_000, quick: 200)
        summary = "two processes let each other on with two SharedSemaphores, \(count) times there and back; one way"
    }

    var figures: [Figure] {
        [
            Figure(detail: "blocking", unit: .microseconds(per: 2 * count), peerCommand: "hand-off \(count)"),
            Figure(detail: "async", unit: .microseconds(per: 2 * count), baseline: 0),
        ]
    }

    func contestants() throws -> [Contestant] {
        let duet = try Duet()
        let primitives = try Primitives(permits: 0)
        let there = try SharedSemaphore(0, isBounded: false)
        let back = try SharedSemaphore(0, isBounded: false)
        return [
            duet.contestant { [try await blocking(duet, there, back), try await async(duet, there, back)] },
            Duet.floor("sem_t, shared") {
                let (start, count) = (duet.start, count)
                let first = duet.pool.submit { try start.time { primitives.handOff(count, isFirst: true) } }
                let second = duet.pool.submit { try start.time { primitives.handOff(count, isFirst: false) } }
                let part = try await duet.join(first, second)
                try check(part.sum, 2 * count)
                return [part.seconds, part.seconds]
            },
        ]
    }

    private func blocking(_ duet: Duet, _ there: SharedSemaphore, _ back: SharedSemaphore) async throws -> Double {
        let (start, count) = (duet.start, count)
        let first = duet.pool.submit {
            try start.time {
                for _ in 0..<count {
                    try there.release()
                    try back.acquire()
                }
                return count
            }
        }
        let second = duet.pool.submit {
            try start.time {
                for _ in 0..<count {
                    try there.acquire()
                    try back.release()
                }
                return count
            }
        }
        let part = try await duet.join(first, second)
        try check(part.sum, 2 * count)
        return part.seconds
    }

    private func async(_ duet: Duet, _ there: SharedSemaphore, _ back: SharedSemaphore) async throws -> Double {
        let (start, count) = (duet.start, count)
        let first = duet.pool.submit {
            try await start.time {
                for _ in 0..<count {
                    try there.release()
                    try await back.acquire()
                }
                return count
            }
        }
        let second = duet.pool.submit {
            try await start.time {
                for _ in 0..<count {
                    try await there.acquire()
                    try back.release()
                }
                return count
            }
        }
        let part = try await duet.join(first, second)
        try check(part.sum, 2 * count)
        return part.seconds
    }
}

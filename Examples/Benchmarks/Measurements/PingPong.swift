import Multiprocessing

/// How long a number takes there and back through two queues, between two processes that wait for each other.
struct PingPong: Measurement {
    let name = "ping-pong"
    let summary: String
    private let count: Int

    init(_ effort: Effort) {
        count = effort.pick(10_000, quick: 200)
        summary = "a number through one SharedQueue and back through another, \(count) times; time of each"
    }

    var figures: [Figure] {
        [
            Figure(detail: "blocking", unit: .microseconds(per: count), peerCommand: "ping-pong \(count)"),
            Figure(detail: "async", unit: .microseconds(per: count)),
        ]
    }

    func contestants() throws -> [Contestant] {
        let duet = try Duet()
        let there = try SharedQueue<Int>()
        let back = try SharedQueue<Int>()
        let primitives = try Primitives(permits: 0)
        return [
            duet.contestant { [try await blocking(duet, there, back), try await async(duet, there, back)] },
            Duet.floor("sem_t, shared, there and back") {
                let (start, count) = (duet.start, count)
                let first = duet.pool.submit { try start.time { primitives.handOff(count, isFirst: true) } }
                let second = duet.pool.submit { try start.time { primitives.handOff(count, isFirst: false) } }
                let part = try await duet.join(first, second)
                try check(part.sum, 2 * count)
                return [part.seconds, part.seconds]
            },
        ]
    }

    private func blocking(_ duet: Duet, _ there: SharedQueue<Int>, _ back: SharedQueue<Int>) async throws -> Double {
        let (start, count) = (duet.start, count)
        let caller = duet.pool.submit {
            try start.time {
                var number = 0
                for _ in 0..<count {
                    try there.send(number)
                    number = try back.receive()
                }
                return number
            }
        }
        let echo = duet.pool.submit {
            try start.time {
                for _ in 0..<count { try back.send(try there.receive() + 1) }
                return 0
            }
        }
        let part = try await duet.join(caller, echo)
        try check(part.sum, count)
        return part.seconds
    }

    private func async(_ duet: Duet, _ there: SharedQueue<Int>, _ back: SharedQueue<Int>) async throws -> Double {
        let (start, count) = (duet.start, count)
        let caller = duet.pool.submit {
            try await start.time {
                var number = 0
                for _ in 0..<count {
                    try await there.send(number)
                    number = try await back.receive()
                }
                return number
            }
        }
        let echo = duet.pool.submit {
            try await start.time {
                for _ in 0..<count { try await back.send(try await there.receive() + 1) }
                return 0
            }
        }
        let part = try await duet.join(caller, echo)
        try check(part.sum, count)
        return part.seconds
    }
}

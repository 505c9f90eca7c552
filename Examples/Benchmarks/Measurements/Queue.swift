import Multiprocessing

/// How fast numbers go from one process to another through a queue.
struct Queue: Measurement {
    let name = "queue"
    let summary: String
    private let count: Int

    private static let batch = 256

    init(_ effort: Effort) {
        count = effort.pick(1 << 20, quick: 1 << 12)
        summary = "\(count) numbers through a SharedQueue<Int> from one process to another; time of each"
    }

    var figures: [Figure] {
        let unit = Unit.nanoseconds(per: count)
        return [
            Figure(detail: "one by one", unit: unit, peerCommand: "queue \(count / 32) 1 32"),
            Figure(detail: "one by one, async", unit: unit),
            Figure(
                detail: "batches of \(Self.batch)", unit: unit,
                peerCommand: "queue \(count / Self.batch) \(Self.batch) 1"),
        ]
    }

    func contestants() throws -> [Contestant] {
        let duet = try Duet()
        let queue = try SharedQueue<Int>()
        return [
            duet.contestant {
                [try await single(duet, queue), try await async(duet, queue), try await batches(duet, queue)]
            }
        ]
    }

    private func single(_ duet: Duet, _ queue: SharedQueue<Int>) async throws -> Double {
        let (start, count) = (duet.start, count)
        let sender = duet.pool.submit {
            try start.time {
                for number in 0..<count { try queue.send(number) }
                return 0
            }
        }
        let receiver = duet.pool.submit {
            try start.time {
                var sum = 0
                for _ in 0..<count { sum += try queue.receive() }
                return sum
            }
        }
        return try await seconds(duet, sender, receiver)
    }

    private func async(_ duet: Duet, _ queue: SharedQueue<Int>) async throws -> Double {
        let (start, count) = (duet.start, count)
        let sender = duet.pool.submit {
            try await start.time {
                for number in 0..<count { try await queue.send(number) }
                return 0
            }
        }
        let receiver = duet.pool.submit {
            try await start.time {
                var sum = 0
                for _ in 0..<count { sum += try await queue.receive() }
                return sum
            }
        }
        return try await seconds(duet, sender, receiver)
    }

    private func batches(_ duet: Duet, _ queue: SharedQueue<Int>) async throws -> Double {
        let (start, count, batch) = (duet.start, count, Self.batch)
        let sender = duet.pool.submit {
            try start.time {
                for first in stride(from: 0, to: count, by: batch) {
                    try queue.send(contentsOf: first..<first + batch)
                }
                return 0
            }
        }
        let receiver = duet.pool.submit {
            try start.time {
                var (sum, received) = (0, 0)
                while received < count {
                    let numbers = try queue.receive(atMost: batch)
                    for number in numbers { sum += number }
                    received += numbers.count
                }
                return sum
            }
        }
        return try await seconds(duet, sender, receiver)
    }

    private func seconds(_ duet: Duet, _ sender: Future<Part>, _ receiver: Future<Part>) async throws -> Double {
        let part = try await duet.join(sender, receiver)
        try check(part.sum, count * (count - 1) / 2)
        return part.seconds
    }
}

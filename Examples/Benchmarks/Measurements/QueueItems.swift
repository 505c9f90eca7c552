import Glibc
import Multiprocessing

/// How fast larger items go through a queue: records, whose bytes are made and read, and many bytes at once.
struct QueueItems: Measurement {
    let name = "queue-items"
    let summary: String
    private let recordCount: Int
    private let largeCount: Int

    private static let size = 1 << 20

    init(_ effort: Effort) {
        recordCount = effort.pick(50_000, quick: 500)
        largeCount = effort.pick(512, quick: 16)
        summary = "\(recordCount) records, and \(largeCount) times 1 MiB, through a SharedQueue; time of each"
    }

    let notes = ["5 GiB/s are 195 µs for 1 MiB"]

    var figures: [Figure] {
        [
            Figure(
                detail: "records", unit: .microseconds(per: recordCount), peerCommand: "queue-structs \(recordCount)"),
            Figure(detail: "1 MiB", unit: .microseconds(per: largeCount), peerCommand: "queue-large \(largeCount)"),
        ]
    }

    func contestants() throws -> [Contestant] {
        let duet = try Duet()
        let records = try SharedQueue<Record>()
        // As much as stays in use; more would be memory that is touched for the first time.
        let arrays = try SharedQueue<[UInt8]>(byteLimit: 16 * Self.size)
        let bytes = [UInt8](repeating: 1, count: Self.size)
        var there = bytes
        var back = bytes
        return [
            duet.contestant { [try await small(duet, records), try await large(duet, arrays)] },
            Duet.floor("memcpy in and out, one process") {
                let watch = Stopwatch()
                for number in 0..<largeCount {
                    there[0] = UInt8(truncatingIfNeeded: number)
                    memcpy(&back, there, Self.size)
                    memcpy(&there, back, Self.size)
                }
                let seconds = watch.seconds
                try check(back[0], UInt8(truncatingIfNeeded: largeCount - 1))
                return [nil, seconds]
            },
        ]
    }

    private func small(_ duet: Duet, _ queue: SharedQueue<Record>) async throws -> Double {
        let (start, count) = (duet.start, recordCount)
        let sender = duet.pool.submit {
            let records = (0..<count).map(Record.init)
            return try start.time {
                for record in records { try queue.send(record) }
                return 0
            }
        }
        let receiver = duet.pool.submit {
            try start.time {
                var sum = 0
                for _ in 0..<count { sum += try queue.receive().id }
                return sum
            }
        }
        let part = try await duet.join(sender, receiver)
        try check(part.sum, count * (count - 1) / 2)
        return part.seconds
    }

    private func large(_ duet: Duet, _ queue: SharedQueue<[UInt8]>) async throws -> Double {
        let (start, count, size) = (duet.start, largeCount, Self.size)
        let sender = duet.pool.submit {
            let bytes = [UInt8](repeating: 1, count: size)
            return try start.time {
                for _ in 0..<count { try queue.send(bytes) }
                return 0
            }
        }
        let receiver = duet.pool.submit {
            try start.time {
                var sum = 0
                for _ in 0..<count {
                    let bytes = try queue.receive()
                    sum += Int(bytes[0]) + Int(bytes[size - 1]) + bytes.count
                }
                return sum
            }
        }
        let part = try await duet.join(sender, receiver)
        try check(part.sum, count * (size + 2))
        return part.seconds
    }
}
